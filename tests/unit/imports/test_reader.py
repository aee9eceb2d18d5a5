import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from kehu.core.errors import InvalidInput, KehuError
from kehu.imports.files import MAX_CELL, MAX_COLUMNS, ReadOptions, Row
from kehu.imports.reader import RowReader, file_kind, inspect_file
from tests.unit.imports.conftest import WriteCsv


def rows(path: Path, **wishes: object) -> list[Row]:
    return list(RowReader(path, inspect_file(path, wishes).options))


def cells(path: Path, **wishes: object) -> list[list[str]]:
    return [row.cells for row in rows(path, **wishes)]


class TestKind:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "is empty"),
            (b"\xef\xbb\xbf \r\n\n", "is empty"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "Save it as .xlsx or CSV"),
            (b"%PDF-1.7", "No rows can be read"),
            (b"\x89PNG\r\n", "No rows can be read"),
            (b"<html><table>", "web page"),
            (b"\n<?xml version='1.0'?>", "web page"),
        ],
    )
    def test_files_of_other_kinds_are_refused_with_a_way_on(
        self, text_file: WriteCsv, content: bytes, words: str
    ) -> None:
        with pytest.raises(InvalidInput, match=words) as caught:
            inspect_file(text_file(content))
        assert caught.value.fields["file"]

    def test_the_name_says_nothing(self, text_file: WriteCsv) -> None:
        assert file_kind(text_file("a,b\n1,2\n", name="book.xlsx")) == "csv"


class TestShapes:
    def test_a_plain_file(self, text_file: WriteCsv) -> None:
        info = inspect_file(text_file("name;age\nAnna;30\nBoris;40\n"))
        assert info.options == ReadOptions(kind="csv", delimiter=";", width=2)
        assert [(column.name, column.kind) for column in info.columns] == [
            ("name", "text"),
            ("age", "integer"),
        ]
        assert info.preview == (Row(2, ["Anna", "30"]), Row(3, ["Boris", "40"]))
        assert info.encoding_sure

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_line_ends_of_all_systems(self, text_file: WriteCsv, end: str) -> None:
        path = text_file(end.join(["name,note", 'Anna,"one', 'two"', "Boris,x"]))
        assert cells(path) == [["Anna", f"one{end}two"], ["Boris", "x"]]

    def test_a_mark_and_a_hint_for_spreadsheets_are_no_data(self, text_file: WriteCsv) -> None:
        path = text_file("\ufeffsep=;\r\nname;x\r\nAnna;1\r\n")
        info = inspect_file(path)
        assert [column.name for column in info.columns] == ["name", "x"]
        assert cells(path) == [["Anna", "1"]]
        assert inspect_file(text_file("\ufeffname,x\nA,1\n")).columns[0].name == "name"

    def test_without_a_header_every_row_counts(self, text_file: WriteCsv) -> None:
        path = text_file("Anna,30\nBoris,40\n")
        info = inspect_file(path)
        assert [column.name for column in info.columns] == ["A", "B"]
        assert [row.number for row in rows(path)] == [1, 2]

    def test_a_person_knows_better(self, text_file: WriteCsv) -> None:
        path = text_file("name,city\nAnna,Paris\n")
        assert cells(path, header=False) == [["name", "city"], ["Anna", "Paris"]]
        assert cells(path, delimiter="|") == [["Anna,Paris"]]
        path = text_file("Имя\nАнна\n".encode("cp1251"))
        assert cells(path, encoding="koi8_r") == [["юММЮ".swapcase().swapcase()]]

    @pytest.mark.parametrize(
        ("wish", "value"), [("encoding", "utf-7"), ("delimiter", "x"), ("quote", "#"), ("header", "yes")]
    )
    def test_only_what_is_offered_can_be_chosen(self, text_file: WriteCsv, wish: str, value: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            inspect_file(text_file("a,b\n1,2\n"), {wish: value})
        assert wish in caught.value.fields

    def test_options_are_stored_and_read_back(self, text_file: WriteCsv) -> None:
        options = inspect_file(text_file("a;b\n1;2\n")).options
        assert ReadOptions.from_json({**options.as_json(), "unknown": 1}) == options

    def test_empty_rows_and_columns(self, text_file: WriteCsv) -> None:
        path = text_file("name,,x,\n\nAnna,,1,\n,,,\n  ,\nBoris,,2,\n")
        info = inspect_file(path)
        assert [(column.name, column.kind) for column in info.columns] == [
            ("name", "text"),
            ("B", "empty"),
            ("x", "integer"),
        ]
        assert [(row.number, row.cells) for row in rows(path)] == [
            (3, ["Anna", "", "1"]),
            (6, ["Boris", "", "2"]),
        ]

    def test_names_that_stand_twice(self, text_file: WriteCsv) -> None:
        info = inspect_file(text_file("mail,mail\na@b.de,c@d.de\n"))
        assert [column.name for column in info.columns] == ["mail", "mail (2)"]

    def test_a_header_shorter_than_its_rows_gets_letters(self, text_file: WriteCsv) -> None:
        info = inspect_file(text_file("name,city\nAnna,Paris,1\nBoris,Rome,2\n"))
        assert [column.name for column in info.columns] == ["name", "city", "C"]

    def test_guarded_cells_come_back_as_they_were(self, text_file: WriteCsv) -> None:
        assert cells(text_file("name,x\n'=1+1,1\n'hello,2\n")) == [["=1+1", "1"], ["'hello", "2"]]

    def test_a_file_of_blank_rows(self, text_file: WriteCsv) -> None:
        with pytest.raises(InvalidInput, match="has no rows"):
            inspect_file(text_file(",,\n,,\n"))

    def test_a_header_alone(self, text_file: WriteCsv) -> None:
        info = inspect_file(text_file("name,city\n"))
        assert [column.kind for column in info.columns] == ["empty", "empty"]
        assert info.preview == ()

    def test_wide_text(self, text_file: WriteCsv) -> None:
        assert cells(text_file("имя,город\nАнна,北京\n", "utf-16")) == [["Анна", "北京"]]


class TestDamage:
    def problems(self, path: Path) -> dict[int, str]:
        return {row.number: row.problem for row in rows(path) if row.problem}

    def test_rows_that_are_too_long_or_too_short(self, text_file: WriteCsv) -> None:
        path = text_file("a,b,c\n1,2,3\n4,5\n6,7,8,9\n1,2,3,,\n")
        found = rows(path)
        assert [row.cells for row in found] == [
            ["1", "2", "3"],
            ["4", "5", ""],
            ["6", "7", "8", "9"],
            ["1", "2", "3"],
        ]
        assert "4 cells, the file has 3 columns" in found[2].problem
        assert not found[0].problem
        assert not found[1].problem
        assert not found[3].problem

    def test_zero_characters(self, text_file: WriteCsv) -> None:
        path = text_file("a,b\n" + "1,2\n" * 20 + "x,y\x00z\n")
        found = rows(path)[-1]
        assert "column 2" in found.problem
        assert found.cells == ["x", "yz"]

    def test_bytes_outside_of_the_encoding(self, text_file: WriteCsv) -> None:
        good = "Имя,Город\n" + "Анна,Москва\n" * 40
        path = text_file(good.encode() + b"\xff\xfe,x\n" + "Пётр,Тверь\n".encode())
        found = rows(path)
        assert "column 1" in found[-2].problem
        assert found[-2].cells == ["??", "x"]
        assert found[-1].cells == ["Пётр", "Тверь"]

    def test_lone_surrogates(self, text_file: WriteCsv) -> None:
        good = "Имя,Город\n" + "Анна,Москва\n" * 40
        path = text_file(good.encode() + b"\xed\xa0\x80,x\n")
        assert "Choose another encoding" in rows(path)[-1].problem

    def test_a_very_long_cell_refuses_its_row_alone(self, text_file: WriteCsv) -> None:
        path = text_file("a,b\n1,2\n" + "x" * (MAX_CELL + 1) + ",2\n3,4\n")
        assert list(self.problems(path)) == [3]
        assert rows(path)[-1].cells == ["3", "4"]
        assert all(len(cell) <= 200 for cell in rows(path)[1].cells)

    @pytest.mark.parametrize("cell", ["x" * 20_000_000, "x," * 2_500_000, '"' + "x" * 3_000_000 + '"'])
    def test_a_monstrous_line_refuses_itself_alone(self, text_file: WriteCsv, cell: str) -> None:
        path = text_file(f"a,b\n1,2\n{cell},2\n3,4\n")
        assert list(self.problems(path)) == [3]
        assert rows(path)[-1] == Row(4, ["3", "4"])

    def test_a_monstrous_line_without_end(self, text_file: WriteCsv) -> None:
        path = text_file("a,b\n1,2\n" + "x" * 2_500_000)
        assert list(self.problems(path)) == [3]

    def test_a_field_just_over_the_parsers_bound(
        self, text_file: WriteCsv, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kehu.imports.csv_in._LONGEST_CELL", 1000)
        path = text_file("a,b\n1,2\n" + "x" * 1500 + ",2\n3,4\n")
        assert list(self.problems(path)) == [3]

    @pytest.mark.parametrize("tail", ["y,2\n" * 3, "y,2\n" * 10_000, ""])
    def test_a_quote_that_is_never_closed(self, text_file: WriteCsv, tail: str) -> None:
        path = text_file('a,b\n"1","2"\n"x,1\n' + tail)
        with pytest.raises(InvalidInput, match="row 3 a quote is opened and never closed"):
            rows(path, quote='"')
        assert len(rows(path, quote="")) == 2 + tail.count("\n")

    def test_too_many_columns(self, text_file: WriteCsv) -> None:
        with pytest.raises(InvalidInput, match=f"more than {MAX_COLUMNS} columns"):
            inspect_file(text_file(",".join(["x"] * 600) + "\n"))
        assert inspect_file(text_file("a,b" + "," * 600 + "\n1,2\n")).options.width == 2

    def test_every_error_has_a_code_and_a_status(self, text_file: WriteCsv) -> None:
        with pytest.raises(KehuError) as caught:
            inspect_file(text_file(b""))
        assert caught.value.status == 422


class TestReading:
    def test_progress_goes_from_nothing_to_all(self, text_file: WriteCsv) -> None:
        path = text_file("a,b\n" + "1,2\n" * 100_000)
        reader = RowReader(path, inspect_file(path).options)
        assert reader.fraction == 0
        for _row in islice(reader, 50_000):
            pass
        assert 0.3 < reader.fraction < 0.7
        assert sum(1 for _row in reader) == 100_000
        assert reader.fraction == 1

    def test_the_same_numbers_each_time(self, text_file: WriteCsv) -> None:
        path = text_file('a,b\n\n1,"x\ny"\n\n2,z\n')
        assert [row.number for row in rows(path)] == [row.number for row in rows(path)] == [3, 5]

    def test_a_large_file_takes_little_memory(self, text_file: WriteCsv) -> None:
        line = '{0};"ООО ""Ромашка {0}""";Москва;a{0}@example.ru;{0},50;"Первая строка\nвторая"\n'
        text = "ИНН;Название;Город;Почта;Сумма;Заметка\n" + "".join(line.format(n) for n in range(250_000))
        path = text_file(text, "cp1251")
        assert path.stat().st_size > 20_000_000
        script = (
            "import resource, sys\n"
            "from pathlib import Path\n"
            "from kehu.imports.reader import RowReader, inspect_file\n"
            "path = Path(sys.argv[1])\n"
            "base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "rows = sum(1 for row in RowReader(path, inspect_file(path).options) if not row.problem)\n"
            "print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) // 1024)\n"
        )
        result = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
        )
        found, grown = map(int, result.stdout.split())
        assert found == 250_000
        assert grown < 40


class TestRealFiles:
    @pytest.mark.parametrize(
        ("name", "count", "delimiter"),
        [
            ("names-places-cjk-cyrillic/china_areas.gb18030.csv", 2978, ","),
            ("names-places-cjk-cyrillic/china_areas.csv", 2978, ","),
            ("crm-opportunities-maven/accounts.csv", 85, ","),
            ("crm-opportunities-maven/sales_pipeline.csv", 8800, ","),
            ("crm-opportunities-maven/sales_teams.csv", 35, ","),
            ("crm-opportunities-maven/products.csv", 7, ","),
            ("online-retail-uci/online_retail_sample.csv", 15239, ","),
            ("org-dedup-chicago/providers.csv", 1660, ","),
            ("bank-telemarketing-uci/bank-additional.csv", 1990, ";"),
            ("telco-churn-ibm/Telco-Customer-Churn.csv", 7043, ","),
            ("person-dedup-febrl/febrl1.csv", 1000, ","),
        ],
    )
    def test_every_row_is_read(self, shared_data: Path, name: str, count: int, delimiter: str) -> None:
        info = inspect_file(shared_data / name)
        assert info.options.delimiter == delimiter
        assert info.options.header
        found = list(RowReader(shared_data / name, info.options))
        assert len(found) == count
        assert not [row for row in found if row.problem]

    def test_both_encodings_give_the_same_names(self, shared_data: Path) -> None:
        folder = shared_data / "names-places-cjk-cyrillic"
        assert cells(folder / "china_areas.gb18030.csv") == cells(folder / "china_areas.csv")

    def test_deals_have_their_kinds(self, shared_data: Path) -> None:
        info = inspect_file(shared_data / "crm-opportunities-maven" / "sales_pipeline.csv")
        assert {column.name: column.kind for column in info.columns} == {
            "opportunity_id": "text",
            "sales_agent": "text",
            "product": "text",
            "account": "text",
            "deal_stage": "text",
            "engage_date": "date",
            "close_date": "date",
            "close_value": "money",
        }

    def test_customer_numbers_from_a_data_frame_are_whole(self, shared_data: Path) -> None:
        info = inspect_file(shared_data / "online-retail-uci" / "online_retail_sample.csv")
        kinds = {column.name: column.kind for column in info.columns}
        assert kinds["CustomerID"] == "integer"
        assert kinds["InvoiceDate"] == "datetime"
