import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from kehu.core.errors import InvalidInput, TooLarge
from kehu.imports import xlsx_in
from kehu.imports.files import Row
from kehu.imports.reader import RowReader, inspect_file
from tests.unit.imports.conftest import WriteBook, parts_of_book

ROWS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row><row r="2"><c r="A2"><v>5</v></c></row>'
)


def written(path: Path, rows: list[list[Any]], **sheets: list[list[Any]]) -> Path:
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "First"
    for row in rows:
        first.append(row)
    for name, others in sheets.items():
        sheet = book.create_sheet(name)
        for row in others:
            sheet.append(row)
    book.save(path)
    return path


def rows(path: Path, **wishes: object) -> list[Row]:
    return list(RowReader(path, inspect_file(path, wishes).options))


class TestReading:
    def test_values_are_read_as_text(self, tmp_path: Path) -> None:
        path = written(
            tmp_path / "a.xlsx",
            [
                ["name", "when", "exact", "amount", "ok", "time"],
                [
                    "Анна 北京",
                    dt.date(2016, 10, 20),
                    dt.datetime.fromisoformat("2016-10-20T09:05:00"),
                    1054,
                    True,
                    dt.time(9, 30),
                ],
                [" Boris\nline ", None, None, 1100.04, False, None],
                [None, None, None, None, None, None],
                ["'=1+1", None, None, 0.1 + 0.2, None, dt.timedelta(hours=30)],
            ],
        )
        info = inspect_file(path)
        assert [column.kind for column in info.columns] == [
            "text",
            "date",
            "datetime",
            "money",
            "bool",
            "text",
        ]
        assert rows(path) == [
            Row(2, ["Анна 北京", "2016-10-20", "2016-10-20 09:05:00", "1054", "TRUE", "09:30:00"]),
            Row(3, ["Boris\nline", "", "", "1100.04", "FALSE", ""]),
            Row(5, ["=1+1", "", "", "0.3", "", "1 day, 6:00:00"]),
        ]

    def test_one_of_several_sheets(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.xlsx", [["a"], ["x"]], Second=[["b"], ["y"]])
        info = inspect_file(path)
        assert info.sheets == ("First", "Second")
        assert [row.cells for row in rows(path)] == [["x"]]
        assert [row.cells for row in rows(path, sheet="Second")] == [["y"]]
        with pytest.raises(InvalidInput, match="There is no sheet “Third”"):
            rows(path, sheet="Third")

    def test_hidden_sheets_come_last(self, tmp_path: Path) -> None:
        book = Workbook()
        assert book.active is not None
        book.active.title = "Hidden"
        book.create_sheet("Shown").append(["a"])
        book["Hidden"].sheet_state = "hidden"
        book.save(tmp_path / "a.xlsx")
        assert inspect_file(tmp_path / "a.xlsx").sheets == ("Shown", "Hidden")

    def test_shared_strings_without_their_readings(self, book_file: WriteBook) -> None:
        strings = (
            "<si><r><t>東</t></r><r><t>京</t></r><rPh><t>トウキョウ</t></rPh></si><si><t>x_x000D_</t></si>"
        )
        sheet = (
            '<row> <c t="s"><v>0</v></c><c t="s"><v>1</v></c></row><row><c t="str"><f>A1</f><v>b</v></c>'
            '<c t="inlineStr"><is><t>名</t><rPh><t>ナ</t></rPh></is></c></row>'
        )
        path = book_file(parts_of_book(sheet, strings=strings))
        assert [row.cells for row in rows(path, header=False)] == [["東京", "x"], ["b", "名"]]

    def test_gaps_are_filled_and_rows_keep_their_numbers(self, book_file: WriteBook) -> None:
        sheet = (
            '<row r="2"><c r="A2" t="inlineStr"><is><t>a</t></is></c>'
            '<c r="C2" t="inlineStr"><is><t>c</t></is></c></row>'
            '<row r="9"><c r="B9"><v>2</v></c></row>'
        )
        assert rows(book_file(parts_of_book(sheet)), header=False) == [
            Row(2, ["a", "", "c"]),
            Row(9, ["", "2", ""]),
        ]

    def test_dates_by_style(self, book_file: WriteBook) -> None:
        styles = (
            '<numFmts><numFmt numFmtId="170" formatCode="dd/mm/yyyy"/></numFmts>'
            '<cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="31"/><xf numFmtId="2"/></cellXfs>'
        )
        cells = "".join(f'<c s="{style}"><v>45000</v></c>' for style in range(5))
        odd = (
            '<c s="1"><v>-99999999999</v></c><c t="d"><v>2024-02-29T00:00:00</v></c>'
            '<c><v>1E+20</v></c><c t="b"><v>0</v></c>'
        )
        path = book_file(parts_of_book(f"<row>{cells}</row><row>{odd}</row>", styles=styles))
        first, second = rows(path, header=False)
        assert first.cells == ["45000", "2023-03-15", "2023-03-15", "2023-03-15", "45000"]
        assert second.cells == ["#VALUE!", "2024-02-29", "1e+20", "FALSE", ""]
        assert "the spreadsheet's error #VALUE!" in second.problem

    def test_dates_counted_from_1904(self, book_file: WriteBook) -> None:
        styles = '<cellXfs><xf numFmtId="14"/></cellXfs>'
        parts = parts_of_book(
            '<row><c s="0"><v>1</v></c></row>', styles=styles, prefix='<workbookPr date1904="1"/>'
        )
        assert rows(book_file(parts), header=False)[0].cells == ["1904-01-02"]

    def test_a_formula_that_failed_refuses_its_row(self, book_file: WriteBook) -> None:
        path = book_file(parts_of_book('<row><c t="e"><v>#REF!</v></c></row>'))
        assert "#REF!" in rows(path, header=False)[0].problem

    def test_many_rows_take_little_memory(self, tmp_path: Path, book_file: WriteBook) -> None:
        many = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 30_001))
        path = book_file(parts_of_book(many))
        reader = RowReader(path, inspect_file(path).options)
        assert sum(1 for _row in reader) == 30_000
        assert reader.fraction == 1


class TestRefusing:
    def refused(self, path: Path, words: str, kind: type[Exception] = InvalidInput) -> None:
        with pytest.raises(kind, match=words):
            rows(path)

    def test_archives_that_are_no_workbooks(self, book_file: WriteBook) -> None:
        self.refused(book_file({"readme.txt": "hello"}), "is an archive, not a workbook")
        self.refused(book_file({"content.xml": "<x/>"}), "This kind of spreadsheet is not read")
        self.refused(book_file({"xl/workbook.bin": ""}), "This kind of spreadsheet is not read")

    def test_damage(self, tmp_path: Path, book_file: WriteBook) -> None:
        path = book_file(parts_of_book(ROWS))
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        self.refused(path, "is damaged")

    @pytest.mark.parametrize(
        "sheet",
        [
            "<row",
            '<row r="0"/>',
            '<row r="5"/><row r="3"/>',
            '<row r="99999999999"/>',
            '<row r="x"/>',
            '<row><c t="s"><v>7</v></c></row>',
            "<row><c><v>five</v></c></row>",
            '<row><c r="7"><v>5</v></c></row>',
            '<row><c r="ZZZZ1"><v>5</v></c></row>',
            '<row><c s="x"><v>5</v></c></row>',
            "<row>&undeclared;</row>",
        ],
    )
    def test_sheets_with_nonsense(self, book_file: WriteBook, sheet: str) -> None:
        self.refused(book_file(parts_of_book(sheet)), "is damaged")

    def test_a_workbook_without_sheets(self, book_file: WriteBook) -> None:
        self.refused(book_file(parts_of_book(ROWS, sheets=())), "no sheet with cells")
        parts = parts_of_book(ROWS)
        del parts["xl/_rels/workbook.xml.rels"]
        self.refused(book_file(parts), "no sheet with cells")

    def test_parts_that_may_be_absent(self, book_file: WriteBook) -> None:
        parts = parts_of_book(ROWS)
        for name in ("_rels/.rels", "xl/sharedStrings.xml", "xl/styles.xml"):
            del parts[name]
        assert rows(book_file(parts))[0].cells == ["5"]

    @pytest.mark.parametrize(
        "part", ["xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"]
    )
    @pytest.mark.parametrize(
        "declaration",
        [
            '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
            '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE x SYSTEM "http://example.com/x.dtd">',
        ],
    )
    def test_entities(self, book_file: WriteBook, part: str, declaration: str) -> None:
        parts = parts_of_book(ROWS)
        parts[part] = declaration + parts[part]
        self.refused(book_file(parts), "is damaged")

    def test_a_password(self, book_file: WriteBook) -> None:
        path = book_file(parts_of_book(ROWS))
        content = bytearray(path.read_bytes())
        place = content.find(b"PK\x01\x02")
        content[place + 8] |= 1
        path.write_bytes(content)
        self.refused(path, "protected by a password")

    def test_a_bomb_in_the_sheet(self, book_file: WriteBook) -> None:
        bomb = parts_of_book("<row/>")
        bomb["xl/worksheets/sheet1.xml"] = " " * 30_000_000
        path = book_file(bomb)
        assert path.stat().st_size < 100_000
        self.refused(path, "unpacks to far more data", TooLarge)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("MAX_UNPACKED", 500), ("MAX_ENTRIES", 3), ("MAX_STRINGS", 5), ("MAX_PART", 50), ("MAX_PLACES", 1)],
    )
    def test_each_bound(
        self, book_file: WriteBook, monkeypatch: pytest.MonkeyPatch, name: str, value: int
    ) -> None:
        monkeypatch.setattr(xlsx_in, name, value)
        self.refused(
            book_file(parts_of_book(ROWS + '<row><c r="C3"><v>1</v></c></row>')),
            "unpacks to far more",
            TooLarge,
        )

    def test_one_entry_that_is_a_bomb_among_many(
        self, book_file: WriteBook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(xlsx_in, "_SMALL", 100_000)
        parts: dict[str, str | bytes] = dict(parts_of_book(ROWS))
        parts["xl/media/a.bin"] = bytes(range(256)) * 100
        parts["xl/worksheets/sheet2.xml"] = "x" * 1_000_000
        path = book_file(parts)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
            archive.writestr("xl/media/noise.bin", bytes(200_000))
        self.refused(path, "unpacks to far more", TooLarge)

    def test_too_many_columns(self, book_file: WriteBook) -> None:
        cells = "".join("<c><v>1</v></c>" for _ in range(600))
        self.refused(book_file(parts_of_book(f"<row>{cells}</row>")), "more than 500 columns")

    def test_one_cell_far_to_the_right_refuses_its_row(self, book_file: WriteBook) -> None:
        path = book_file(
            parts_of_book(ROWS + '<row r="3"><c r="A3"><v>1</v></c><c r="XFD3"><v>1</v></c></row>')
        )
        options = inspect_file(book_file(parts_of_book(ROWS), name="other.xlsx")).options
        found = list(RowReader(path, options))
        assert "16384 cells" in found[1].problem
