"""One file whose rows hold a customer, a contact and a deal."""

import re

from sqlalchemy import select

from kehu.customers.models import Contact, Customer
from kehu.deals.models import Deal
from tests.functional.imports.test_pages import _form, _id, _post, _upload

FILE = (
    "Company,City,Contact name,Contact e-mail,Deal name,Amount,Type\n"
    "Oak Ltd,Leeds,Anna Lind,anna@oak.example,Kitchen,1200.50,Kunde\n"
    "Oak Ltd,Leeds,Bo Ek,bo@oak.example,,,Kunde\n"
    "Elm Ltd,York,,,Shop,90,Kunde\n"
    "Fir Ltd,York,Cy Day,no address,Floor,80,Kunde\n"
    ",,Dee Fox,dee@fox.example,,,\n"
)
COLUMNS = {
    0: "name",
    1: "addresses.city",
    2: "contacts:name",
    3: "contacts:emails",
    4: "deals:name",
    5: "deals:amount",
    6: "type_class",
}


def _setup(importer, file=FILE, **more):
    from kehu.imports.mapping import ColumnUse

    job = importer.take("customers", file)
    importer.change(
        job,
        parts=["deals", "contacts"],
        columns={index: ColumnUse(target=target) for index, target in COLUMNS.items()},
        keys=["name", "contacts:emails", "contacts:name", "deals:name"],
        values={"type_class": {"Kunde": "existing"}},
        **more,
    )
    return job


def test_rows_make_and_link_three_records(importer, shop):
    job = importer.run(_setup(importer))
    assert (job.state, job.error_count) == ("done", 1)
    assert job.report["by_type"] == {"customers": [2, 0, 1], "contacts": [3, 0, 0], "deals": [2, 0, 0]}
    [refused] = importer.refused(job.id)
    assert refused.cells[0] == "Fir Ltd"
    assert list(refused.errors) == ["3"]
    assert importer.live("customers") == 2  # Fir does not come in without its contact.
    with shop.work() as session:
        oak = session.execute(select(Customer).where(Customer.name == "Oak Ltd")).scalar_one()
        anna = session.execute(select(Contact).where(Contact.name == "Anna Lind")).scalar_one()
        dee = session.execute(select(Contact).where(Contact.name == "Dee Fox")).scalar_one()
        deal = session.execute(select(Deal).where(Deal.name == "Kitchen")).scalar_one()
    assert (oak.type_class, anna.customer_id, dee.customer_id) == ("existing", oak.id, None)
    assert (deal.customer_id, deal.contact_id, deal.amount) == (oak.id, anna.id, 120050)


def test_the_same_file_again_changes_nothing_and_all_of_it_goes(importer):
    first = importer.run(_setup(importer))
    again = importer.run(_setup(importer))
    assert (again.created_count, again.updated_count, again.error_count) == (0, 0, 1)
    importer.undo(first.id)
    assert [importer.live(name) for name in ("customers", "contacts", "deals")] == [0, 0, 0]


def test_a_dry_run_counts_what_the_run_writes(importer):
    rows = [f"Firm {n // 4},Leeds,Person {n},p{n}@firm.example,Deal {n},{n + 1},Kunde" for n in range(1300)]
    job = _setup(importer, FILE.splitlines()[0] + "\n" + "\n".join(rows))
    checked = importer.check(job).report["by_type"]
    assert (
        checked
        == importer.run(job).report["by_type"]
        == {
            "customers": [325, 0, 975],
            "contacts": [1300, 0, 0],
            "deals": [1300, 0, 0],
        }
    )


def test_the_wizard_offers_kinds_and_proposes_their_columns(importer, shop):
    client = shop.client()
    job = _id(_upload(client, FILE.encode()))
    page = client.get(f"/imports/{job}").get_data(as_text=True)
    assert "Each row also holds" in page
    form = [*_form(page), ("part", "contacts"), ("part", "deals")]
    page = _post(client, f"/imports/{job}/plan", form).get_data(as_text=True)
    columns = importer.columns(job)
    assert (columns["Contact name"], columns["Deal name"], columns["Amount"]) == (
        "contacts:name",
        "deals:name",
        "deals:amount",
    )
    assert re.search(r"Kunde</th><td[^>]*>4<", page)
    assert "Contact: Name" in page
    assert _post(client, f"/imports/{job}/check", _form(page)).status_code == 303


def test_who_may_not_import_a_kind_is_not_offered_it(importer, shop):
    from kehu.core.records.types import get
    from kehu.imports.linked import in_order, parts_for

    with shop.work():
        names = [one.name for one in parts_for(get("customers"), shop.owner)]
        assert {"contacts", "deals", "tickets"} <= set(names)
        assert parts_for(get("customers"), shop.member("member")) == []
        assert in_order(["deals", "contacts", "customers"]) == ["customers", "contacts", "deals"]


def test_a_reference_is_found_by_a_phone(importer, shop):
    importer.run(importer.take("customers", "Name,Phone\nOak,020 7946 4410\n"))
    done = importer.run(importer.take("contacts", "Name,Company\nAnna,+44 20 7946 4410\n"))
    assert done.error_count == 0
    with shop.work() as session:
        assert session.execute(select(Contact.customer_id)).scalar_one() is not None
