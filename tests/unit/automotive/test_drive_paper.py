"""The agreement as a PDF: one file in each language, whatever stands in it."""

import re

import pytest

from kehu.core.paper import CHINESE, TEXT, marked
from plugins_builtin.automotive.drives.paper import Paper, draw
from tests.papers import fonts_of, words_of


@pytest.mark.parametrize(
    ("locale", "title"),
    [("en", "Test drive agreement"), ("ru", "Соглашение"), ("zh_Hans", "试驾协议"), ("zh_Hant", "試駕協議")],
)
def test_each_language(locale, title):
    paper = Paper(
        title=title,
        firm="Łódź & <Söhne>",
        facts=[("Driver", "Anna Lind"), (title, "王小明 " * 40)],
        terms=[title * 30, "a & b < c"] * 20,
        signatures=["Driver", "Firm"],
        foot="Printed",
        locale=locale,
    )
    found = draw(paper)
    assert found.startswith(b"%PDF-")
    assert found.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b", found)) >= 2
    start = int(re.findall(rb"startxref\s+(\d+)", found)[-1])
    assert found[start : start + 4] == b"xref"
    said = words_of(found)
    assert title in said
    assert "王小明" in said
    assert "Łódź & <Söhne>" in said
    assert fonts_of(found) == {"embedded"}


def test_letters_get_a_font_that_has_them():
    found = marked("Anna 王 <b>")
    assert f'<font name="{CHINESE}">王</font>' in found
    assert f'<font name="{TEXT}">Anna </font>' in found
    assert "&lt;b&gt;" in found
