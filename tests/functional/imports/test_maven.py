"""The sales of a fictitious hardware seller, as they lie in ../shared/data: the main road of an import."""

import datetime as dt
from collections import Counter

import pytest
from sqlalchemy import func, select

from kehu.core.records.types import get
from kehu.customers.models import Customer
from kehu.deals.models import Deal, Stage
from kehu.imports.mapping import options_for, propose_value, value_targets
from kehu.imports.services import columns_of
from kehu.members.models import Member


@pytest.fixture
def maven(shared_data):
    return shared_data / "crm-opportunities-maven"


def _values(importer, import_id):
    """Accept what is proposed for the values of stages."""
    job = importer.read(import_id)
    columns = columns_of(job)
    with importer.shop.work() as session:
        plan = importer.change(import_id)
        return {
            target.key: {
                text: propose_value(target, options_for(target, session), text, importer.shop.owner)
                for text in columns[plan.used(target.key)[0]].values
            }
            for target in value_targets(get(job.object), plan)
        }


def test_maven_files_come_in_once_and_go_again(importer, maven):
    products = importer.take("products", maven / "products.csv", "products.csv")
    assert importer.columns(products) == {"product": "name", "series": "series", "sales_price": "price"}
    assert importer.run(products).created_count == 7

    accounts = importer.take("customers", maven / "accounts.csv", "accounts.csv")
    assert importer.columns(accounts) == {
        "account": "name",
        "sector": "industry",
        "year_established": "founded",
        "revenue": "revenue",
        "employees": "employees",
        "office_location": "country",
        "subsidiary_of": "parent_id",
    }
    done = importer.run(accounts)
    assert (done.created_count, done.updated_count, done.error_count) == (85, 0, 0)

    sales = importer.take("deals", maven / "sales_pipeline.csv", "sales_pipeline.csv")
    assert importer.columns(sales) == {
        "opportunity_id": "external_id",
        "sales_agent": "owner_id",
        "product": "product_id",
        "account": "customer_id",
        "deal_stage": "stage_id",
        "engage_date": "opened_on",
        "close_date": "closed_at",
        "close_value": "amount",
    }
    importer.change(sales, values=_values(importer, sales))
    checked = importer.check(sales)
    assert (checked.created_count, checked.error_count, checked.total_rows) == (8800, 0, 8800)
    assert checked.report["repairs"] == [["2", "GTXPro", "GTX Pro", 1480]]
    assert len(checked.report["made"]["members"]) == 30
    assert importer.live("deals") == 0
    done = importer.run(sales)
    assert (done.state, done.created_count, done.error_count) == ("done", 8800, 0)
    _check_numbers(importer)

    again = importer.run(importer.take("deals", maven / "sales_pipeline.csv", "sales_pipeline.csv"))
    assert (again.created_count, again.updated_count, again.unchanged_count, again.error_count) == (
        0,
        0,
        8800,
        0,
    )
    once_more = importer.run(importer.take("customers", maven / "accounts.csv", "accounts.csv"))
    assert (once_more.created_count, once_more.updated_count, once_more.unchanged_count) == (0, 0, 85)
    assert (importer.live("customers"), importer.live("deals"), importer.live("members")) == (85, 8800, 31)

    undone = importer.undo(sales)
    assert (undone.state, undone.report.get("kept"), importer.live("deals")) == ("undone", None, 0)
    assert importer.live("members") == 1
    for import_id in (accounts, products):
        assert importer.undo(import_id).report.get("kept") is None
    assert (importer.live("customers"), importer.live("products"), importer.live("stages")) == (0, 0, 6)


def _check_numbers(importer):
    with importer.shop.work() as session:
        by_stage = select(Stage.name, Stage.outcome, func.count(Deal.id)).join(
            Deal, (Deal.tenant_id == Stage.tenant_id) & (Deal.stage_id == Stage.id)
        )
        found = {
            name: (outcome, count)
            for name, outcome, count in session.execute(by_stage.group_by(Stage.name, Stage.outcome))
        }
        assert found == {
            "Won": ("won", 4238),
            "Lost": ("lost", 2473),
            "Engaging": ("open", 1589),
            "Prospecting": ("open", 500),
        }
        no_account = select(func.count(Deal.id)).where(Deal.customer_id.is_(None))
        assert session.execute(no_account).scalar_one() == 1425
        won = select(func.sum(Deal.amount)).where(Deal.status == "won")
        assert session.execute(won).scalar_one() == 10_005_534_00
        parents = select(func.count(Customer.id)).where(Customer.parent_id.is_not(None))
        assert session.execute(parents).scalar_one() == 15
        reasons = Counter(session.execute(select(Deal.lost_reason).where(Deal.status == "lost")).scalars())
        assert reasons == {"Not stated (import)": 2473}
        placeholders = select(func.count(Member.id)).where(Member.state == "placeholder")
        assert session.execute(placeholders).scalar_one() == 30
        stale = select(func.count(Deal.id)).where(
            Deal.status == "open", Deal.opened_on < dt.date(2017, 8, 15)
        )
        aged = stale.where(Deal.stage_since < dt.datetime(2017, 8, 15, tzinfo=dt.UTC))
        assert session.execute(aged).scalar_one() == session.execute(stale).scalar_one() == 1291
        titles = session.execute(select(Deal.name).where(Deal.external_id == "Z063OYW0")).scalar_one()
        assert titles == "GTX Pro – Isdom"
