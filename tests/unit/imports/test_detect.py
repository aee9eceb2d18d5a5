import pytest

from kehu.imports.detect import Dialect, detect_dialect, detect_header


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b,c\n1,2,3\n", Dialect(delimiter=",")),
        ("a;b;c\n1,5;2,5;3,5\n", Dialect(delimiter=";")),
        ("a\tb\n1, 2\tx\n", Dialect(delimiter="\t")),
        ("a|b\n1|2\n", Dialect(delimiter="|")),
        ("name\nAnna\nBoris\n", Dialect(delimiter=",")),
        ("", Dialect()),
        ("a, b, c\n1, 2, 3\n", Dialect(delimiter=",", spaces=True)),
        ('"a";"b, c"\n"1";"2, 3, 4"\n', Dialect(delimiter=";")),
        ("'a';'b;c'\n'1';'2'\n", Dialect(delimiter=";", quote="'")),
        ("sep=;\na;b\n1;2\n", Dialect(delimiter=";", skip=1)),
        ("\ufeffsep=\t\r\na\tb\r\n", Dialect(delimiter="\t", skip=1)),
        ("a,b\r1,2\r3,4\r", Dialect(delimiter=",")),
        ("a;b\n1;2\n3;", Dialect(delimiter=";")),
        ('size,what\n"5,screw\n6,nail\n', Dialect(delimiter=",", quote="")),
        ('"name","note"\n"Anna","line one\nline two, with comma"\n', Dialect(delimiter=",")),
    ],
)
def test_the_dialect_is_found(text: str, expected: Dialect) -> None:
    assert detect_dialect(text) == expected


def test_nothing_but_line_ends_has_the_usual_dialect() -> None:
    assert detect_dialect("\n\n\n") == Dialect()


def test_a_cell_beyond_the_parsers_bound_does_not_stop_the_search() -> None:
    text = '"' + "x" * 2_000_000 + '";b\n1;2\n'
    assert detect_dialect(text).delimiter == ","


def test_a_quote_that_is_never_closed_is_an_ordinary_character() -> None:
    assert detect_dialect('a,b\n"x,1\n' + "y,2\n" * 500).quote == ""


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], False),
        ([["name", "age"], ["Anna", "30"]], True),
        ([["name", "city"], ["Anna", "Paris"]], True),
        ([["Anna", "30"], ["Boris", "40"]], False),
        ([["name"]], True),
        ([["1", "2"]], False),
        ([["", ""], ["a", "b"]], False),
        ([["id", "", "name", ""], ["1", "x", "y", "z"]], True),
        ([["Anna", "Anna"], ["Boris", "Paris"]], False),
        ([["a@b.de", "x"], ["c@d.de", "y"]], False),
        ([["Телефон", "Имя"], ["+7 495 1234567", "Пётр"]], True),
    ],
)
def test_a_header_is_told_from_a_row(rows: list[list[str]], expected: bool) -> None:
    assert detect_header(rows) is expected
