from pathlib import Path

import pytest

from kehu.imports.encodings import ENCODINGS, detect_encoding, plausibility
from tests.unit.imports.conftest import WriteCsv

RUSSIAN = "Фамилия;Имя;Город\nИванов;Пётр;Москва\nСмирнова;Елена;Нижний Новгород\nОрлов;Иван;Тверь\n"
CHINESE = "姓名,城市,备注\n李小龙,北京市,重要客户\n王芳,上海市,已联系\n"
TAIWAN = "姓名,城市,備註\n陳大文,臺北市,重要客戶\n黃美麗,高雄市,已聯絡\n"
GERMAN = "Name,Ort\nMüller,Köln\nSchäfer,Düsseldorf\nWeiß,Saarbrücken\nSmith,London\n"
FRENCH = "Nom,Ville\nLefèvre,Besançon\nGérard,Orléans\nNoël,Angoulême\nDupont,Paris\n"
POLISH = "Nazwisko,Miasto\nWiśniewski,Łódź\nDąbrowski,Kraków\nWoźniak,Gdańsk\n"
JAPANESE = "氏名,住所\n佐藤さくら,東京都\n鈴木ユウキ,大阪府\n"


@pytest.mark.parametrize("times", [1, 300])
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "cp1251"),
        (RUSSIAN.upper(), "cp1251"),
        (RUSSIAN, "koi8_r"),
        (RUSSIAN.upper(), "koi8_r"),
        (RUSSIAN, "cp866"),
        (RUSSIAN, "mac_cyrillic"),
        (CHINESE, "gb18030"),
        (TAIWAN, "gb18030"),
        (TAIWAN, "cp950"),
        (GERMAN, "cp1252"),
        (GERMAN, "mac_roman"),
        (FRENCH, "cp1252"),
        (FRENCH, "mac_roman"),
        (POLISH, "cp1250"),
        (JAPANESE, "cp932"),
        (RUSSIAN, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "utf-16"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        (GERMAN, "utf-32"),
    ],
)
def test_text_is_read_as_it_was_written(text_file: WriteCsv, text: str, encoding: str, times: int) -> None:
    path = text_file(text * times, encoding)
    guess = detect_encoding(path)
    assert path.read_bytes().decode(guess.name).lstrip("\ufeff") == text * times


def test_plain_ascii_is_unicode(text_file: WriteCsv) -> None:
    guess = detect_encoding(text_file("a,b\n1,2\n"))
    assert (guess.name, guess.sure) == ("utf-8", True)


def test_a_mark_decides(text_file: WriteCsv) -> None:
    assert detect_encoding(text_file(b"\x84\x31\x95\x33" + CHINESE.encode("gb18030"))).name == "gb18030"


def test_one_telling_line_late_in_a_long_file_is_found(text_file: WriteCsv) -> None:
    guess = detect_encoding(text_file(b"a;b\n" * 300_000 + RUSSIAN.encode("cp1251") + b"a;b\n" * 10))
    assert guess.name == "cp1251"


def test_a_very_long_file_is_not_searched_to_its_end(
    text_file: WriteCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kehu.imports.encodings._SEARCHED", 1000)
    assert detect_encoding(text_file(RUSSIAN.encode("cp1251") + b"a;b\n" * 1000)).name == "cp1251"


def test_a_damaged_character_does_not_change_the_encoding(text_file: WriteCsv) -> None:
    guess = detect_encoding(text_file(RUSSIAN.encode() * 20 + b"\xff\xfe;x;y\n" + RUSSIAN.encode() * 20))
    assert (guess.name, guess.sure) == ("utf-8", True)


def test_a_guess_among_likely_ones_says_so(text_file: WriteCsv) -> None:
    guess = detect_encoding(text_file("Имя\nЪЩЭ\n", "cp1251"))
    assert guess.others
    assert set(guess.others) <= set(ENCODINGS)


def test_bytes_that_are_no_text_get_a_guess_that_is_unsure(text_file: WriteCsv) -> None:
    guess = detect_encoding(text_file(bytes(range(128, 256)) * 3))
    assert guess.name in ENCODINGS
    assert not guess.sure


def test_real_text_is_more_plausible_than_its_misreading() -> None:
    assert plausibility(RUSSIAN) > plausibility(RUSSIAN.encode("cp1251").decode("cp1252")) + 0.3
    assert plausibility("plain") == 0.0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("names-places-cjk-cyrillic/china_areas.gb18030.csv", "gb18030"),
        ("text-encodings/sample-chinese.txt", "cp950"),
        ("text-encodings/sample-russian.txt", "mac_cyrillic"),
        ("text-encodings/sample-russian-3.txt", "utf-8"),
        ("text-encodings/sample-french-1.txt", "cp1252"),
        ("text-encodings/sample-polish.txt", "utf-8"),
        ("text-encodings/sample-english.bom.txt", "utf-8"),
    ],
)
def test_real_files(shared_data: Path, name: str, expected: str) -> None:
    assert detect_encoding(shared_data / name).name == expected
