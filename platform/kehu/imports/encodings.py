"""Which encoding a text file is in: certain where the bytes prove it, a ranked guess where they do not."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from charset_normalizer import from_bytes

ENCODINGS: Final[dict[str, str]] = {
    "utf-8": "Unicode (UTF-8)",
    "utf-16": "Unicode (UTF-16)",
    "gb18030": "简体中文 (GB18030, GBK)",
    "cp950": "繁體中文 (Big5)",
    "cp1251": "Кириллица (Windows 1251)",
    "koi8_r": "Кириллица (KOI8-R)",
    "cp866": "Кириллица (DOS 866)",
    "mac_cyrillic": "Кириллица (Mac)",
    "cp1252": "Western European (Windows 1252)",
    "mac_roman": "Western European (Mac)",
    "cp1250": "Central European (Windows 1250)",
    "cp1254": "Türkçe (Windows 1254)",
    "cp1253": "Ελληνικά (Windows 1253)",
    "cp932": "日本語 (Shift JIS)",
    "cp949": "한국어 (EUC-KR)",
}
"""The encodings a person may choose, with their names. The guess among them prefers the earlier on a tie."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_BLOCK: Final = 1 << 20
_SAMPLE: Final = 48_000
_SEARCHED: Final = 16 * _BLOCK
_NOT_GUESSED: Final = frozenset(("utf-8", "utf-16", "cp1253", "cp1254"))
_CLEAR_LEAD: Final = 0.15
_LEAST_SURE: Final = 0.6


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodingGuess:
    """An encoding; `sure` when the bytes prove it, else with what else it might be, likeliest first."""

    name: str
    sure: bool
    others: tuple[str, ...] = ()


def detect_encoding(path: Path) -> EncodingGuess:
    """Find out a file's encoding, reading it once in blocks."""
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return EncodingGuess(name=name, sure=True)
    if _is_wide(head):
        return EncodingGuess(name=_wide_name(head), sure=True)
    if _is_utf8(path):
        return EncodingGuess(name="utf-8", sure=True)
    sample = _telling_lines(path)
    ranked = _ranked(sample)
    if not ranked:
        return EncodingGuess(name="cp1252", sure=False, others=tuple(ENCODINGS)[:3])
    best, score = ranked[0]
    shown = sample.decode(best)
    rivals = [
        name for name, other in ranked[1:] if sample.decode(name) != shown and score - other < _CLEAR_LEAD
    ]
    return EncodingGuess(
        name=best, sure=not rivals and score > _LEAST_SURE, others=tuple(name for name, _ in ranked[1:4])
    )


def _is_wide(head: bytes) -> bool:
    """Tell UTF-16 without a mark by its zero bytes on one side."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    return len(head) >= 8 and max(even, odd) > len(head) // 5 and min(even, odd) <= len(head) // 50


def _wide_name(head: bytes) -> str:
    return "utf-16-be" if head[0::2].count(0) > head[1::2].count(0) else "utf-16-le"


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in _blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        # A damaged character in a long file does not make it something else: its row is refused later.
        return _mostly_utf8(path)
    return True


def _mostly_utf8(path: Path) -> bool:
    with path.open("rb") as file:
        text = file.read(4 * _BLOCK).decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    return len(text) - len(text.encode("ascii", "ignore")) > 50 * damaged


def _telling_lines(path: Path) -> bytes:
    """Return the lines with other than ASCII bytes, up to a sample: only they say something."""
    lines: list[bytes] = []
    size = searched = 0
    with path.open("rb") as file:
        while size < _SAMPLE:
            line = file.readline(_BLOCK)
            if not line:
                break
            if not line.isascii():
                lines.append(line[:_SAMPLE])
                size += len(lines[-1])
            searched += len(line)
            if searched > _SEARCHED and lines:
                break
    return b"".join(lines)


def _ranked(sample: bytes) -> list[tuple[str, float]]:
    """Return the encodings in which the sample is text, the likeliest first."""
    names = [name for name in ENCODINGS if name not in _NOT_GUESSED]
    found = {codecs.lookup(match.encoding).name for match in from_bytes(sample, cp_isolation=names)}
    scores = []
    for place, name in enumerate(names):
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            continue
        # A candidate of the library counts a little more; the order of the list decides between equals.
        bonus = 0.1 if codecs.lookup(name).name in found else 0.0
        scores.append((name, plausibility(text) + bonus - place / 1000))
    return sorted(scores, key=lambda one: -one[1])


_FREQUENT_RUSSIAN: Final = frozenset("оеаинтсрвлОЕАИНТСРВЛ")
_OTHER_RUSSIAN: Final = frozenset("кмдпуяыьгзбчйхжшюцщэфъёКМДПУЯЫЬГЗБЧЙХЖШЮЦЩЭФЪЁіїєґІЇЄҐ№")
_WESTERN: Final = frozenset("äöüßéèêëàâáãåæçíìîïñóòôõøœúùûÄÖÜÉÈÊÀÁÂÅÆÇÍÓÔØŒÚÑ€°§£«»’–—“”„…·´²³½®©")
_CENTRAL: Final = frozenset("łśżźćńąęŁŚŻŹĆĄĘčšžřěůťďňőűČŠŽŘŐŰşțăŞĂđĐ")


@lru_cache(maxsize=20_000)
def _weight(char: str) -> float:
    """Return how ordinary a character is, from 1 (in every text) to -1 (in none)."""
    if char in _FREQUENT_RUSSIAN:
        return 1.0
    if char in _WESTERN:
        return 0.9
    if char in _OTHER_RUSSIAN or char in _CENTRAL:
        return 0.8
    point = ord(char)
    if 0x4E00 <= point <= 0x9FFF:
        return 1.0 if _is_common_hanzi(char) else 0.0
    if 0x3040 <= point <= 0x30FF or 0xAC00 <= point <= 0xD7A3:
        return 0.9
    if 0x3000 <= point <= 0x303F or 0xFF01 <= point <= 0xFF5E:
        return 0.5
    return -1.0


def _is_common_hanzi(char: str) -> bool:
    """Tell whether a character stands in the first, frequent part of the old national tables."""
    for encoding, first, last in (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6)):
        try:
            if first <= char.encode(encoding)[0] <= last:
                return True
        except UnicodeEncodeError:
            continue
    return False


def plausibility(text: str) -> float:
    """Return how much a text looks like one that somebody wrote, from 1 down to -1."""
    total = count = 0.0
    before = " "
    for char in text:
        if char > "\x7f":
            count += 1
            total += _weight(char) - _oddity(before, char)
        elif char.isalpha() and before > "\u2e7f":
            total -= 1
        before = char
    return total / count if count else 0.0


def _oddity(before: str, char: str) -> float:
    """Return the penalty of a character after another: capitals within a word, hanzi within a Latin word."""
    if char > "\u2e7f":
        return 1.0 if before.isascii() and before.isalpha() else 0.0
    if before.islower() and char.isupper():
        return 1.0
    return 0.0
