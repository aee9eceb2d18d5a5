"""Values of a file that an own field does not know become new options of it, where somebody wants that and may."""

import pytest
from sqlalchemy import select

from kehu.core import context
from kehu.core.errors import Conflict
from kehu.core.records.own_tables import CustomField
from kehu.core.records.service import service_for
from kehu.customers.models import Customer
from kehu.imports import tasks
from tests.functional.imports.test_pages import _form, _post

FILE = "Name;Wood\nAsh Ltd;Oak\nBirch Ltd;Elm\nCedar Ltd;Pine\nDate Ltd;pine\nFir Ltd;\n"


@pytest.fixture
def wood(shop):
    """A choice of customers with one option."""
    with shop.work() as session:
        made = service_for("custom_fields", session).create(
            {"object": "customers", "label": "Wood", "kind": "choice", "options": "Oak"}
        )
        shop.tenant = context.tenant()
        return made.key


def _labels(importer):
    with importer.shop.work() as session:
        return [one["label"] for one in session.execute(select(CustomField.options)).scalar_one()]


def _woods(importer, key):
    with importer.shop.work() as session:
        rows = session.execute(select(Customer).order_by(Customer.name)).scalars()
        return {row.name: getattr(row, key) for row in rows if row.deleted_at is None}


def test_unknown_values_refuse_their_rows_until_the_tick_is_set(importer, shop, wood):
    job = importer.take("customers", FILE)
    assert importer.columns(job) == {"Name": "name", "Wood": wood}
    checked = importer.check(job)
    assert (checked.created_count, checked.error_count) == (2, 3)
    page = shop.client().get(f"/imports/{job}?setup=1").text
    assert "Make what is none of the options a new option" in page
    assert f'name="new-{wood}"' in page


def test_a_tick_makes_options_and_the_undo_takes_them_away(importer, shop, wood):
    job = importer.take("customers", FILE)
    client = shop.client()
    page = client.get(f"/imports/{job}").text
    _post(client, f"/imports/{job}/check", [*_form(page), (f"new-{wood}", "1")])
    importer.job(tasks.check, job)
    checked = importer.read(job)
    assert (checked.created_count, checked.error_count) == (5, 0)
    assert checked.report["made"] == {"custom_fields": ["Wood: Elm", "Wood: Pine"]}
    assert _labels(importer) == ["Oak"]  # A check writes nothing.
    done = importer.run(job)
    assert (done.created_count, done.error_count) == (5, 0)
    assert _labels(importer) == ["Oak", "Elm", "Pine"]
    assert _woods(importer, wood) == {
        "Ash Ltd": "oak",
        "Birch Ltd": "elm",
        "Cedar Ltd": "pine",
        "Date Ltd": "pine",
        "Fir Ltd": None,
    }
    undone = importer.undo(job)
    assert (undone.state, undone.report.get("kept", [])) == ("undone", [])
    assert _labels(importer) == ["Oak"]
    assert importer.live("customers") == 0


def test_known_customers_get_their_old_values_back_before_the_options_go(importer, shop, wood):
    importer.run(importer.take("customers", "Name;Wood\nAsh Ltd;Oak\n"))
    job = importer.take("customers", "Name;Wood\nAsh Ltd;Yew\n")
    importer.change(job, values={wood: {"Yew": "new"}}, keys=["name"])
    done = importer.run(job)
    assert (done.updated_count, [row.errors for row in importer.refused(job)]) == (1, [])
    assert _woods(importer, wood) == {"Ash Ltd": "yew"}
    importer.undo(job)
    assert _woods(importer, wood) == {"Ash Ltd": "oak"}
    assert _labels(importer) == ["Oak"]


def test_options_that_somebody_changed_since_stay_and_are_named(importer, shop, wood):
    job = importer.take("customers", "Name;Wood\nAsh Ltd;Yew\n")
    importer.change(job, values={wood: {"Yew": "new"}})
    importer.run(job)
    with shop.work() as session:
        field = session.execute(select(CustomField)).scalar_one()
        options = [*field.options, {"label": "Lime"}]
        service_for("custom_fields", session).update(field.id, {"options": options})
    undone = importer.undo(job)
    assert [entry[0] for entry in undone.report["kept"]] == ["custom_fields"]
    assert _labels(importer) == ["Oak", "Yew", "Lime"]
    assert importer.live("customers") == 0


def test_who_may_not_shape_fields_makes_no_options(importer, shop, wood):
    importer.actor = shop.member("manager")
    assert not importer.actor.may("custom_fields:write")
    job = importer.take("customers", FILE)
    page = shop.client(importer.actor).get(f"/imports/{job}").text
    assert 'id="import-plan"' in page
    assert f'name="new-{wood}"' not in page
    importer.change(job, values={wood: {"Elm": "new", "Pine": "new", "pine": "new"}})
    done = importer.run(job)
    assert (done.created_count, done.error_count) == (2, 3)
    assert "“Elm” is none of the choices" in str([row.errors for row in importer.refused(job)])
    assert _labels(importer) == ["Oak"]


def test_what_an_undo_left_is_taken_back_when_its_reason_is_gone(importer, shop):
    importer.run(importer.take("customers", "Name;Industry\nAsh Ltd;Wood\nBirch Ltd;Wood\n"))
    job = importer.take("customers", "Name;Industry\nAsh Ltd;Steel\nBirch Ltd;Steel\nElm Ltd;Steel\n")
    importer.change(job, keys=["name"])
    importer.run(job)

    def trades():
        with shop.work() as session:
            rows = session.execute(select(Customer).where(Customer.deleted_at.is_(None))).scalars()
            return {row.name: row.industry for row in rows}

    with shop.work() as session:
        ash = session.execute(select(Customer).where(Customer.name == "Ash Ltd")).scalar_one().id
        service_for("customers", session).trash(ash)
    undone = importer.undo(job)
    assert [entry[2:] for entry in undone.report["kept"]] == [["Ash Ltd", "It is in the trash."]]
    assert trades() == {"Birch Ltd": "Wood"}
    with shop.work() as session:
        service_for("customers", session).restore(ash)
    assert trades()["Ash Ltd"] == "Steel"
    again = importer.undo(job)
    assert (again.state, again.report["kept"], again.report["undone_count"]) == ("undone", [], 3)
    assert trades() == {"Ash Ltd": "Wood", "Birch Ltd": "Wood"}
    with pytest.raises(Conflict):
        importer.undo(job)
