"""From texts to search terms, without a database."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Iterator

from kehu.core.text import fold

LONGEST = 40
MOST = 200
READINGS = 4

# Phrases would choose one sound, cost 45 MB in each process, and be wrong for names. Said before anybody imports the
# library, for it reads this once: else a name's letters would depend on who was first.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "1")

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_DIGITS = re.compile(r"\D+")
_CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch  y  e iu ia".split(" "),
        strict=True,
    )
)
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
)
"""Latin letters that are no letter with a mark, as people type them without their keyboard."""
_HAS_CYRILLIC = re.compile(r"[а-яё]")


def transliterate(word: str) -> str:
    """Return a Cyrillic word in Latin letters (ICAO Doc 9303, part 3, section 6)."""
    return "".join(_CYRILLIC.get(letter, letter) for letter in word)


def _words(text: str) -> Iterable[str]:
    # Cyrillic й and ё lose their marks in `fold`, as they do in what people type.
    for match in _WORD.finditer(fold(text)):
        word = match.group().replace("'", "").replace("’", "")
        start = 0
        for run in _HAN.finditer(word):
            if run.start() > start:
                yield word[start : run.start()]
            yield run.group()
            start = run.end()
        if start < len(word):
            yield word[start:]


def latin(text: str) -> str:
    """Return a folded text in Latin letters: Cyrillic by transliteration, Chinese by its first reading."""
    return _HAN.sub(lambda run: "".join(next(_readings(run.group()))), transliterate(fold(text)))


def _readings(word: str) -> Iterator[list[str]]:
    """Yield the ways to read a Chinese word, syllable by syllable: characters with several sounds are found by each."""
    from pypinyin import Style, pinyin

    sounds = pinyin(word, style=Style.NORMAL, heteronym=True)
    for reading in itertools.islice(itertools.product(*(dict.fromkeys(one[:2]) for one in sounds)), READINGS):
        yield list(reading)


def _name_terms(text: str) -> Iterable[str]:
    for word in _words(text):
        if _HAN.fullmatch(word):
            # A prefix of each suffix finds any part: single characters, pairs and longer runs.
            yield from (word[start : start + LONGEST] for start in range(len(word)))
            for sounds in _readings(word):
                yield from ("".join(sounds[start:]) for start in range(len(sounds)))
                yield "".join(sound[0] for sound in sounds if sound)
        else:
            yield word
            if (plain := word.translate(_PLAIN)) != word:
                yield plain
            if _HAS_CYRILLIC.search(word):
                yield transliterate(word)


def _phone_terms(text: str) -> Iterable[str]:
    digits = _DIGITS.sub("", text)
    if len(digits) >= 3:
        yield digits
        # From the right: people know the last digits, or the number without country and area code.
        yield from (digits[-count:] for count in range(4, len(digits)))


def _serial_terms(text: str) -> Iterable[str]:
    written = fold(text)
    plain = re.sub(r"[\W_]", "", written)
    yield from (written, plain, *_words(text))
    # People read the last characters of a plate on a machine.
    yield from (plain[-count:] for count in range(4, min(len(plain), 11)))


def _email_terms(text: str) -> Iterable[str]:
    address = fold(text)
    yield address
    local, _, domain = address.partition("@")
    yield from (part for part in re.split(r"[^\w]+", local) if part)
    if domain:
        yield domain
        yield from (part for part in domain.split(".")[:-1] if part)


def terms(parts: Iterable[tuple[str, str]]) -> set[str]:
    """Return the terms of a record.

    :param parts: (how, text); how is name, text, email, phone, code, serial or tag.
    """
    found: dict[str, None] = {}
    for how, text in parts:
        if not text:
            continue
        if how == "phone":
            new = _phone_terms(text)
        elif how == "email":
            new = _email_terms(text)
        elif how == "tag":
            new = (f"#{fold(text)}",)
        elif how == "serial":
            new = _serial_terms(text)
        elif how == "code":
            new = (fold(text), *(_words(text)))
        else:
            new = _name_terms(text)
        for term in new:
            if term and len(found) < MOST:
                found[term[:LONGEST]] = None
    return set(found)


def query_terms(query: str) -> list[str]:
    """Return the prefixes that a hit must all have, at most six."""
    query = query[:200].strip()
    if query.startswith("#") and len(query) > 1:
        return [fold(query)[:LONGEST]]
    if "@" in query:
        return [fold(query)[:LONGEST]]
    digits = _DIGITS.sub("", query)
    if len(digits) >= 3 and re.fullmatch(r"[\d\s()+./-]+", query):
        # Phones are kept with the country's code, where the zeros before an area have no place; codes keep theirs.
        # `030 12` is a phone being typed; 01067 may be a postcode.
        dialled = digits.lstrip("0") if len(digits) > 6 or re.match(r"\(?0\d+[ )/]", query) else digits
        return [(dialled if len(dialled) >= 3 else digits)[:LONGEST]]
    return [word[:LONGEST] for word in dict.fromkeys(_words(query))][:6]
