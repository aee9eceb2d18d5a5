"""Texts in old encodings: read rightly, or the person is asked beside the first rows."""

import pytest

from kehu.imports.encodings import detect_encoding
from kehu.imports.reader import RowReader, inspect_file

SHARED = {
    "sample-chinese.txt": "cp950",
    "sample-english.bom.txt": "utf-8",
    "sample-french-1.txt": "cp1252",
    "sample-polish.txt": "utf-8",
    "sample-russian-3.txt": "utf-8",
    "sample-russian.txt": "mac_cyrillic",
}
WORDS = {
    "sample-chinese.txt": "維基大典",
    "sample-english.bom.txt": "the comment section",
    "sample-french-1.txt": "MOLIÈRE",
    "sample-polish.txt": "URZĄDZENIE",
    "sample-russian-3.txt": "Москва",
    "sample-russian.txt": "В гимназии он не был",
}
OWN = {
    "mac_cyrillic": "Имя;Заметка\nПётр Иванов;Звонил вчера, просил счёт\nАнна Смирнова;Ждёт ответа до пятницы\n",
    "koi8_r": "Имя;Заметка\nПётр Иванов;Звонил вчера, просил счёт\nАнна Смирнова;Ждёт ответа до пятницы\n",
    "cp1251": "Имя;Заметка\nПётр Иванов;Звонил вчера, просил счёт\nАнна Смирнова;Ждёт ответа до пятницы\n",
    "cp950": "姓名,備註\n陳大文,重要客戶，請於星期五前回覆\n黃美麗,已聯絡\n",
    "gb18030": "姓名,备注\n李小龙,重要客户，请于星期五前回复\n王芳,已联系\n",
    "cp1252": "Nom;Note\nLefèvre;Déjà contacté\nGérard;À rappeler\n",
    "utf-8-sig": "Name;Notiz\nMüller;Zurückrufen\nWeiß;Später\n",
}


def _read_or_asked(path, text):
    """Tell whether a text is read as it was written, or else offered beside other readings."""
    guess = detect_encoding(path)
    raw = path.read_bytes()
    if raw.decode(guess.name).lstrip("\ufeff") == text:
        return True
    return not guess.sure and any(raw.decode(name, "replace") == text for name in guess.others)


@pytest.mark.parametrize("encoding", OWN)
def test_own_texts(importer, shop, tmp_path, encoding):
    path = tmp_path / "list.csv"
    path.write_bytes(OWN[encoding].encode(encoding))
    assert _read_or_asked(path, OWN[encoding])
    job = importer.take("contacts", path, "list.csv")
    page = shop.client().get(f"/imports/{job}").text
    first = OWN[encoding].splitlines()[1].replace(";", ",").split(",")[0]
    assert first in page  # The first rows stand there before anything is written.
    if not importer.read(job).format["encoding_sure"]:
        assert "Other encodings would give readable text too" in page
    assert importer.live("contacts") == 0


def test_a_wrong_guess_is_put_right_on_the_page(importer, shop):
    job = importer.take("contacts", "Name\nŁoś\n".encode("cp1250"), "list.csv")
    client = shop.client()
    assert importer.read(job).format["encoding_sure"] is False
    client.post(
        f"/imports/{job}/read", data={"encoding": "cp1250", "delimiter": ",", "header": "1", "top": "1"}
    )
    assert importer.read(job).format["preview"][0][1] == ["Łoś"]
    assert importer.run(job).created_count == 1


def test_a_mark_of_the_byte_order_within_a_file_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "joined.csv"
    path.write_bytes("\ufeffName;Ort\nMüller;Köln\n\ufeffWeiß;Bonn\n".encode())
    info = inspect_file(path)
    assert [row.cells for row in RowReader(path, info.options)] == [["Müller", "Köln"], ["Weiß", "Bonn"]]
    assert info.columns[0].name == "Name"


@pytest.mark.parametrize("name", SHARED)
def test_samples_of_other_people(importer, shop, shared_data, name):
    path = shared_data / "text-encodings" / name
    assert _read_or_asked(path, path.read_bytes().decode(SHARED[name]).lstrip("\ufeff"))
    job = importer.take("contacts", path, name)
    read = importer.read(job).format
    shown = " ".join(
        [*(column["name"] for column in read["columns"]), *(str(row) for row in read["preview"])]
    )
    page = shop.client().get(f"/imports/{job}").text
    assert WORDS[name] in shown
    assert read["encoding_sure"] or "Other encodings would give readable text too" in page
    assert importer.live("contacts") == 0
