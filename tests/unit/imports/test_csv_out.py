import csv
import datetime as dt
import io
from decimal import Decimal
from enum import Enum
from pathlib import Path

import pytest

from kehu.imports.csv_out import cell, csv_blocks, guard, unguard, write_csv

FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\u200b=1",
    "＝1+1",
    "'=1",
    "''=1",
    "'-5",
    '=HYPERLINK("http://x")',
    "-",
]
PLAIN = [
    "",
    "Anna",
    "a=b",
    "5",
    "-5",
    "+5",
    "-5.5",
    "+49 30 123-456",
    "(030) 12",
    "'hello",
    "it's",
    "-10 %",
    "O'Neil",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_could_be_a_formula_is_made_a_text(text: str) -> None:
    assert guard(text) == f"'{text}"


@pytest.mark.parametrize("text", PLAIN)
def test_numbers_and_words_stay(text: str) -> None:
    assert guard(text) == text


@pytest.mark.parametrize("text", FORMULAS + PLAIN)
def test_a_round_trip_changes_nothing(text: str) -> None:
    assert unguard(guard(text)) == text


class Colour(Enum):
    RED = "=red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (True, "TRUE"),
        (False, "FALSE"),
        (-5, "-5"),
        (1.5, "1.5"),
        (Decimal("1E+3"), "1000"),
        (dt.date(2024, 2, 29), "2024-02-29"),
        (dt.datetime(2024, 2, 29, 1, 2, tzinfo=dt.UTC), "2024-02-29T01:02:00+00:00"),
        (dt.time(9, 30), "09:30:00"),
        (Colour.RED, "'=red"),
        (["a", "b"], "a; b"),
        (("=a",), "'=a"),
        ("a\x00b", "ab"),
    ],
)
def test_values_become_cells(value: object, expected: str) -> None:
    assert cell(value) == expected


def test_every_cell_stands_in_quotes_and_spreadsheets_see_unicode() -> None:
    (block,) = csv_blocks(["имя", "x"], [["a;=1", 'say "hi"'], ["line\nbreak", "\ud800"]])
    assert block.startswith(b"\xef\xbb\xbf")
    assert b'"a;=1","say ""hi"""\r\n' in block
    assert list(csv.reader(io.StringIO(block.decode("utf-8-sig"), newline=""))) == [
        ["имя", "x"],
        ["a;=1", 'say "hi"'],
        ["line\nbreak", "?"],
    ]


def test_long_files_come_in_blocks() -> None:
    blocks = list(csv_blocks(["n"], ([number] for number in range(1200))))
    assert len(blocks) == 3
    assert b"".join(blocks).count(b"\r\n") == 1201


def test_files_are_written(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert write_csv(path, ["a"], [[1]]) == path.stat().st_size
