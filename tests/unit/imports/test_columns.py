from pathlib import Path

import pytest

from kehu.imports.columns import column_letter, column_names, date_order, decimal_mark, guess_columns


@pytest.mark.parametrize(("index", "letter"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_columns_have_letters(index: int, letter: str) -> None:
    assert column_letter(index) == letter


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["name", "name", "NAME"], ["name", "name (2)", "NAME (3)"]),
        (["name", "", "name (2)", "name"], ["name", "B", "name (2)", "name (3)"]),
        ([" first\n name ", "  "], ["first name", "B"]),
        (["x" * 300], ["x" * 200]),
    ],
)
def test_names_are_distinct(header: list[str], expected: list[str]) -> None:
    names = column_names(header, len(header))
    assert len(set(names)) == len(names)
    if header[0] != "name" or len(header) == 3:
        assert names == expected


def test_without_a_header_columns_are_called_by_letter() -> None:
    assert [column.name for column in guess_columns([], [["x", "1"], ["y"]])] == ["A", "B"]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("mail", ["a@b.de", "c@d.org", ""], {"kind": "email"}),
        ("site", ["https://a.de", "www.b.de"], {"kind": "url"}),
        ("Phone", ["2859902", "312 555 1234"], {"kind": "phone"}),
        ("Контакт", ["+7 495 123-45-67", "8 (495) 1234567"], {"kind": "phone"}),
        ("ИНН", ["7707083893", "0077070838"], {"kind": "text"}),
        ("ok", ["yes", "no", "yes"], {"kind": "bool"}),
        ("senior", ["0", "1", "0"], {"kind": "integer"}),
        ("zip", ["01234", "98765"], {"kind": "text"}),
        ("CustomerID", ["12923.0", "15594.0"], {"kind": "integer", "decimal_mark": "."}),
        ("weight", ["1.5", "2.25"], {"kind": "number", "decimal_mark": "."}),
        ("weight", ["1,5", "1.200,75"], {"kind": "number", "decimal_mark": ","}),
        ("x", ["$5", "$1,200"], {"kind": "money", "decimal_mark": "."}),
        ("close_value", ["1054", "4514"], {"kind": "money", "decimal_mark": "."}),
        ("Сумма", ["1 054,50", "4,00"], {"kind": "money", "decimal_mark": ","}),
        ("when", ["2024-01-02", "2024-12-31"], {"kind": "date", "date_order": "ymd", "unclear": False}),
        ("when", ["01.02.2024", "31.12.2024"], {"kind": "date", "date_order": "dmy", "unclear": False}),
        ("when", ["01/02/2024", "12/31/2024"], {"kind": "date", "date_order": "mdy", "unclear": False}),
        ("when", ["01/02/2024", "03/04/2024"], {"kind": "date", "date_order": "dmy", "unclear": True}),
        ("when", ["2024-01-02 10:00", "2024-01-02 11:30"], {"kind": "datetime"}),
        ("born", ["19081209", "19990219"], {"kind": "date", "date_order": "ymd"}),
        ("code", ["20240101", "20240102"], {"kind": "integer"}),
        ("year", ["1996", "1999"], {"kind": "integer"}),
        ("n", ["", ""], {"kind": "empty"}),
        ("n", ["Anna", "5"], {"kind": "text"}),
        ("id", ["1C1I7A6R", "Z063OYW0"], {"kind": "text"}),
    ],
)
def test_what_a_column_holds(name: str, values: list[str], expected: dict[str, object]) -> None:
    (column,) = guess_columns([name], [[value] for value in values])
    stored = column.as_json()
    assert {key: stored[key] for key in expected} == expected


def test_a_few_odd_cells_do_not_change_the_kind() -> None:
    (column,) = guess_columns(["age"], [["30"]] * 99 + [["unknown"]])
    assert column.kind == "integer"


def test_examples_are_short_and_few() -> None:
    (column,) = guess_columns(["text"], [["x" * 500], ["x" * 500], ["b"], ["c"], ["d"]])
    assert column.examples == ("x" * 80, "b", "c")
    assert column.filled == 1.0


def test_the_order_of_dates_follows_the_evidence() -> None:
    assert date_order(["x", ""]) == ("ymd", False)
    assert date_order(["13.01.2024", "01.02.2024"]) == ("dmy", False)


@pytest.mark.parametrize(
    ("values", "mark"),
    [
        (["1.234", "1,5"], ","),
        (["1,234", "1.5"], "."),
        (["1.234.567"], ","),
        (["1,234,567"], "."),
        (["5"], "."),
    ],
)
def test_the_decimal_mark_follows_the_evidence(values: list[str], mark: str) -> None:
    assert decimal_mark(values) == mark


def test_real_kinds(shared_data: Path) -> None:
    rows = (shared_data / "crm-opportunities-maven" / "products.csv").read_text().splitlines()
    header, *body = [line.split(",") for line in rows]
    assert [column.kind for column in guess_columns(header, body)] == ["text", "text", "money"]


def test_slips_in_a_short_list_do_not_hide_what_a_column_holds() -> None:
    header = ["E-Mail", "Telefon"]
    rows = [
        ["a@x.de", "030 1234567"],
        ["b@y.de", "0171/55 66 778"],
        ["baker@", "call them"],
        ["c@z.de", "089 7700"],
    ]
    assert [column.kind for column in guess_columns(header, rows)] == ["email", "phone"]
