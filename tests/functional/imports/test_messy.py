"""Spreadsheets as people keep them: titles above the table, cells that can't be read."""

import io

import openpyxl
import pytest
from sqlalchemy import select

from kehu.customers.models import Customer
from kehu.imports import tasks
from kehu.imports.files import MOST_ABOVE
from kehu.imports.reader import inspect_file

MESSY = (
    "Name;Phone;E-mail;Founded;Kind\n"
    "Birch Ltd;8 916 call after 18;info@birch.example;1998;Company\n"
    'Cedar Ltd;"+44 20 7946 4410; none";not an address;around 1990;Company\n'
    ";+44 20 7946 4411;x@example.com;2001;Company\n"
)


def _customers(importer):
    with importer.shop.work() as session:
        found = session.execute(select(Customer).order_by(Customer.name)).scalars().all()
        session.expunge_all()
    return {row.name: row for row in found}


def _workbook():
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["Customers of the workshop, November"],
        [],
        ["Company", "E-mail", "City"],
        ["Bakery Schmidt", "schmidt@bakery.example", "Dresden"],
        ["Taxi Yildiz", "taxi@yildiz.example", "Berlin"],
    ):
        sheet.append(row)
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()


def test_titles_above_the_table_are_seen(importer, shop):
    done = importer.run(importer.take("customers", _workbook(), "list.xlsx"))
    assert (done.created_count, done.error_count) == (2, 0)
    assert done.format["read"]["top"] == 3
    assert list(_customers(importer)) == ["Bakery Schmidt", "Taxi Yildiz"]


@pytest.mark.parametrize(
    ("text", "top"),
    [
        ("a,b,c\n1,2,3\n", 1),
        ("only\nname\nhere\n", 1),
        ("Report\nname,mail,city\nAnn,a@example.com,Bath\n", 2),
        ("Report\n1,2,3\n4,5,6\n", 1),
    ],
)
def test_where_a_table_begins(tmp_path, text, top):
    path = tmp_path / "file.csv"
    path.write_text(text)
    assert inspect_file(path).options.top == top
    assert inspect_file(path, {"top": 1}).options.top == 1


def test_a_person_says_in_which_row_the_table_begins(importer, shop):
    client = shop.client()
    job = importer.take("customers", "x,y\nName,Mail\nBirch,b@example.com\n")
    client.post(
        f"/imports/{job}/read", data={"delimiter": ",", "encoding": "utf-8", "header": "1", "top": "2"}
    )
    assert [column["name"] for column in importer.read(job).format["columns"]] == ["Name", "Mail"]
    wrong = client.post(
        f"/imports/{job}/read",
        data={"delimiter": ",", "encoding": "utf-8", "header": "1", "top": str(MOST_ABOVE + 1)},
    )
    assert wrong.status_code == 422


def test_rows_come_in_without_cells_that_can_not_be_read(importer, shop):
    job = importer.take("customers", MESSY)
    checked = importer.check(job)
    assert (checked.created_count, checked.error_count) == (0, 3)
    client = shop.client()
    assert "Let them in without the cells" in client.get(f"/imports/{job}").text
    client.post(f"/imports/{job}/leave")
    importer.job(tasks.check, job)
    page = client.get(f"/imports/{job}").text
    assert "Cells that stay out" in page
    assert "Let them in without the cells" not in page
    done = importer.run(job)
    assert (done.created_count, done.error_count) == (2, 1)
    rows = _customers(importer)
    assert "8 916 call after 18" in rows["Birch Ltd"].description
    assert [one["number"] for one in rows["Cedar Ltd"].phones] == ["+442079464410"]
    for left in ("none", "not an address", "around 1990"):
        assert left in rows["Cedar Ltd"].description


def test_a_known_record_keeps_its_notes(importer, shop):
    importer.run(importer.take("customers", "Name;Description\nBirch Ltd;Old friend\n"))
    job = importer.take("customers", "Name;Phone\nBirch Ltd;none\n")
    importer.change(job, bad="leave", keys=["name"])
    done = importer.run(job)
    assert done.error_count == 0
    assert _customers(importer)["Birch Ltd"].description == "Old friend"


def test_a_refusal_quotes_the_cell_of_its_own_row(importer):
    job = importer.take("customers", "Name;Kind\nBirch;Stiftung\nCedar;Verein\nAcme;Laden\n")
    importer.check(job)
    said = [str(row.errors) for row in importer.refused(job)]
    assert [text in one for text, one in zip(("Stiftung", "Verein", "Laden"), said, strict=True)] == [
        True
    ] * 3


def test_kinds_are_known_in_the_words_of_people(importer):
    job = importer.take(
        "customers", "Название;Тип\nРомашка;Фирма\nИванов;Частное лицо\nПетров;частное лицо\n"
    )
    done = importer.run(job)
    assert done.error_count == 0
    kinds = {name: row.kind for name, row in _customers(importer).items()}
    assert kinds == {"Ромашка": "company", "Иванов": "person", "Петров": "person"}
