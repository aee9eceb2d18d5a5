"""Search with real names of ../shared/data: characters, pinyin, initials, transliteration (SAS-27)."""

import json
import unicodedata
from pathlib import Path

import pytest
from pypinyin import Style, pinyin

from kehu.core.records import listing
from kehu.core.records.listing import ListQuery
from kehu.core.records.service import service_for
from kehu.core.records.types import get
from kehu.core.search_terms import transliterate
from kehu.core.text import fold

DATA = Path(__file__).parents[4] / "shared" / "data" / "names-places-cjk-cyrillic"
SOME = 40


def names_of(language):
    """Return names of people as the language writes them: surname first in Chinese."""
    if not DATA.is_dir():
        pytest.skip("the folder ../shared/data/names-places-cjk-cyrillic is not on this machine")
    person = json.loads((DATA / f"{language}_person.json").read_text("utf-8"))
    first, last = _flat(person["names"]), _flat(person["surnames"])
    pairs = zip(first[:: max(len(first) // SOME, 1)], last[:: max(len(last) // SOME, 1)], strict=False)
    return [f"{b}{a}" if language == "zh" else f"{a} {b}" for a, b in pairs][:SOME]


def _flat(value):
    if isinstance(value, dict):
        return [one for part in value.values() for one in _flat(part)]
    return [one.strip() for one in value]


def found(session, typed):
    page = listing.page(session, get("customers"), ListQuery(args={"q": typed}, limit=200))
    return {row["name"] for row in page.rows}


def make(session, names):
    rows = [{"name": name, "kind": "person"} for name in dict.fromkeys(names)]
    assert all(one.record is not None for one in service_for("customers", session).create_many(rows))


def test_chinese_names_by_characters_pinyin_and_initials(session):
    names = names_of("zh")
    make(session, names)
    for name in names:
        sounds = [one[0] for one in pinyin(name, style=Style.NORMAL)]
        for typed in (name, name[-1], name[1:], "".join(sounds), "".join(one[0] for one in sounds)):
            assert name in found(session, typed), (name, typed)


def test_russian_names_by_cyrillic_and_transliteration(session):
    names = names_of("ru")
    make(session, names)
    for name in names:
        first, last = name.split()[0], name.split()[-1]
        for typed in (
            name,
            last[:4],
            f"{last} {first}",
            transliterate(fold(name)),
            transliterate(fold(last))[:5],
        ):
            assert name in found(session, typed), (name, typed)


@pytest.mark.parametrize(
    ("name", "typed"),
    [("Zoë Müller-Lüdenscheidt", "muller"), ("Łukasz Żółć", "zolc"), ("José Ñandú", "nandu")],
)
def test_latin_names_with_and_without_accents(session, name, typed):
    make(session, [name])
    for one in (typed, name, unicodedata.normalize("NFD", name), name.split()[0][:3]):
        assert found(session, one) == {name}


def test_phone_digits_and_mail_parts(session):
    values = {"name": "Probe", "phones": "+44 20 7946 4410", "emails": "o.tomasevic@Nordwind.example.com"}
    service_for("customers", session).create(values)
    for typed in (
        "4410",
        "020 7946",
        "+442079464410",
        "79464410",
        "tomasevic",
        "nordwind",
        "o.tomasevic@nord",
    ):
        assert found(session, typed) == {"Probe"}, typed
