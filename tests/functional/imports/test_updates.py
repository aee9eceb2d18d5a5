"""Files that change what is there, and the way back from them."""

import time

import pytest
from sqlalchemy import func, select

from kehu.core.errors import NotFound
from kehu.core.records.service import service_for
from kehu.customers.models import Contact, Customer
from kehu.imports import doubles
from kehu.merging.services import MergeService


def _counts(job):
    return job.created_count, job.updated_count, job.unchanged_count, job.error_count


def _customer(shop, name):
    with shop.work() as session:
        statement = select(Customer).where(Customer.name == name, Customer.deleted_at.is_(None))
        return session.execute(statement).scalar_one()


def test_a_wrong_file_over_5_000_customers_is_back_in_a_minute(importer, shop):
    rows = [f"Firm {number},{number}@firm.example,Wood,London" for number in range(5000)]
    first = importer.take("customers", "Name,E-mail,Industry,City\n" + "\n".join(rows))
    assert _counts(importer.run(first)) == (5000, 0, 0, 0)
    wrong = [f"Wrong {number},{number}@firm.example,Paper,Mars,7" for number in range(5000)]
    second = importer.take("customers", "Name,E-mail,Industry,City,Employees\n" + "\n".join(wrong))
    assert importer.change(second).keys[0] == "emails"
    assert _counts(importer.run(second)) == (0, 5000, 0, 0)
    with shop.work() as session:
        mine = session.execute(
            select(Customer.id).where(Customer.email_norm == "7@firm.example")
        ).scalar_one()
        service_for("customers", session).update(mine, {"name": "Somebody was here"})
    started = time.perf_counter()
    undone = importer.undo(second)
    assert time.perf_counter() - started < 60
    assert (undone.state, undone.report["undone_count"], undone.report["kept_count"]) == ("undone", 4999, 1)
    [[kind, record_id, _title, why]] = undone.report["kept"]
    assert (kind, record_id, why) == ("customers", str(mine), "It was changed since.")
    with shop.work() as session:
        right = select(func.count()).where(
            Customer.name.like("Firm %"), Customer.industry == "Wood", Customer.employees.is_(None)
        )
        assert session.execute(right).scalar_one() == 4999
        town = session.execute(select(Customer.addresses).where(Customer.name == "Firm 3")).scalar_one()
    assert town[0]["city"] == "London"


def test_empty_cells_leave_or_clear(importer, shop):
    importer.run(importer.take("customers", "Name,E-mail,Industry,Tags\nOak,o@oak.example,Wood,vip\n"))
    file = "Name,E-mail,Industry,Tags,Type\nOak,o@oak.example,,,\n"
    assert _counts(importer.run(importer.take("customers", file))) == (0, 0, 1, 0)
    clearing = importer.take("customers", file)
    importer.change(clearing, empty="clear")
    assert _counts(importer.run(clearing)) == (0, 1, 0, 0)
    oak = _customer(shop, "Oak")
    assert (oak.industry, oak.tags, oak.type_class) == (None, [], "prospect")
    importer.undo(clearing)
    assert (_customer(shop, "Oak").industry, _customer(shop, "Oak").tags) == ("Wood", ["vip"])


@pytest.mark.parametrize(
    ("key", "column", "value"),
    [
        ("number", "Number", None),
        ("emails", "E-mail", "o@oak.example"),
        ("phones", "Phone", "+442079464410"),
        ("external_id", "Id", "C-77"),
        ("name", "Name", "Oak"),
    ],
)
def test_each_key_finds_the_record(importer, shop, key, column, value):
    importer.run(
        importer.take("customers", "Name,E-mail,Phone,Id\nOak,o@oak.example,+442079464410,C-77\nElm,,,C-78\n")
    )
    value = value or _customer(shop, "Oak").number
    update = importer.take("customers", f"{column},Industry\n{value},Wood\n")
    importer.change(update, keys=[key], mode="update")
    assert _counts(importer.run(update)) == (0, 1, 0, 0)
    assert _customer(shop, "Oak").industry == "Wood"


def test_what_was_made_on_the_way_goes_with_the_import(importer, shop):
    importer.run(importer.take("contacts", "Name,E-mail\nAnna,anna@x.example\n"))
    update = importer.take("contacts", "Name,E-mail,Company\nAnna,anna@x.example,Brand New Ltd\n")
    importer.change(update, missing={"customer_id": "create"})
    importer.run(update)
    assert importer.live("customers") == 1
    importer.undo(update)
    assert importer.live("customers") == 0
    with shop.work() as session:
        assert session.execute(select(Contact.customer_id)).scalar_one() is None


def test_a_merge_of_the_same_batch_is_parted_again(importer, shop):
    importer.run(importer.take("customers", "Name\nOak\nOak Ltd\n"))
    job = importer.take("customers", "Name,Industry\nOak,Wood\n")
    importer.run(job)
    with shop.work() as session:
        from kehu.core import audit

        audit.use_batch(session, job)
        MergeService(session, "customers").merge(_customer(shop, "Oak").id, _customer(shop, "Oak Ltd").id)
    assert importer.live("customers") == 1
    importer.undo(job)
    assert importer.live("customers") == 2
    assert _customer(shop, "Oak").industry is None


@pytest.mark.parametrize(
    ("wish", "expected"), [("make", (3, 0, 0, 0)), ("take", (2, 1, 0, 0)), ("refuse", (2, 0, 0, 1))]
)
def test_rows_that_are_likely_here_are_found_and_families_are_not(importer, shop, wish, expected):
    importer.run(
        importer.take(
            "customers", "Name,Kind,Phone,Email\nAnna Berg,person,+442079464410,anna@berg.example\n"
        )
    )
    file = (
        "Name,Kind,Phone,Email,Industry\n"
        "Anna  Bergh,person,+442079464410,anna@berg.example,Wood\n"
        "Otto Berg,person,+442079464410,otto@berg.example,Wood\n"
        "Elm Ltd,company,,,Wood\n"
    )
    job = importer.take("customers", file)
    importer.change(job, doubles=wish, keys=[])
    done = importer.run(job)
    assert done.report["doubles"] == [["Anna Bergh", "Anna Berg", 1]]
    assert _counts(done) == expected
    taken = wish == "take"
    assert _customer(shop, "Anna Bergh" if taken else "Anna Berg").industry == ("Wood" if taken else None)


@pytest.mark.parametrize(
    ("wish", "expected"), [("make", (2, 0, 0, 0)), ("take", (1, 1, 0, 0)), ("refuse", (1, 0, 0, 1))]
)
def test_likely_doubles_are_told_taken_or_refused(importer, shop, monkeypatch, wish, expected):
    importer.run(importer.take("customers", "Name\nOak\n"))
    oak = _customer(shop, "Oak")

    def find(_session, rows):
        return [
            doubles.LikelyKnown(record_id=oak.id, said=row["name"], title=oak.name)
            if row["name"].startswith("Oak")
            else None
            for row in rows
        ]

    monkeypatch.setitem(doubles._finders, "customers", find)
    job = importer.take("customers", "Name,Industry\nOak Limited,Wood\nElm,Wood\n")
    importer.change(job, doubles=wish)
    done = importer.run(job)
    assert _counts(done) == expected
    assert done.report["doubles"] == [["Oak Limited", "Oak", 1]]
    page = shop.client().get(f"/imports/{job}").get_data(as_text=True)
    assert "Likely here already" in page


def test_who_may_not_import_takes_nothing_back(importer, shop):
    job = importer.take("customers", "Name\nOak\n")
    importer.run(job)
    importer.actor = shop.member("member")
    with pytest.raises(NotFound):
        importer.undo(job)
