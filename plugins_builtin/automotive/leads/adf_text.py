"""From the bytes of a message to an XML tree: strictly first, then with repairs, each of which is named.

Each step takes time in proportion to the length of a document, whatever it holds.

ADF 1.0 (Auto-lead Data Format) is printed with typographic quotes and a DTD that no parser can load, so that hardly two
senders write it alike (AUTOMOTIVE.md 3). No DTD is read, no entity of a document is expanded, nothing is fetched.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

LARGEST = 256 * 1024
"""Bytes of a document that is read; a larger one is kept, and looked at by a person."""
DEEPEST = 60
"""Levels of elements; ADF needs eleven."""

_DECLARATION = re.compile(r"<\?[^<]*?\?>")
_DOCTYPE = re.compile(r"<!DOCTYPE\b", re.IGNORECASE)
_BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)")
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_PREFIX = re.compile(r"(</?)[A-Za-z][\w.-]*:(?=[A-Za-z])")
_TAG = re.compile(r"<[/A-Za-z][^<>]*>")
_ELEMENT = re.compile(r"<(/?)([A-Za-z][\w.:-]{0,60})([^<>]{0,2000})>")
_ATTRIBUTE = re.compile(r"([A-Za-z][\w.-]{0,60})\s{0,20}=\s{0,20}(\"[^\"]*\"|'[^']*'|[^\s\"'>/]+)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_BEGIN = re.compile(r"<(?:[\w.-]{1,60}:)?(adf|prospect)[\s>]", re.IGNORECASE)
_END = re.compile(r"</(?:[\w.-]{1,60}:)?(adf|prospect)\s{0,20}>", re.IGNORECASE)
_ENCODING = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{2,40})["']""", re.IGNORECASE
)
_QUOTES = str.maketrans(
    {"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2033": '"', "\u2018": "'", "\u2019": "'"}
)
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Unreadable(ValueError):
    """Raised when a message holds nothing that could be ADF; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def decode(raw: bytes, charset: str = "") -> tuple[str, list[str]]:
    """Return the text of a message and what was mended to read it.

    :param charset: what the sender's headers say; the document's own word comes first.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, "replace"), []
    said = _ENCODING.search(raw[:2048])
    for name in (said[1].decode("ascii") if said else "", charset, "utf-8"):
        try:
            if name:
                return raw.decode(name), []
        except (LookupError, UnicodeError):
            # Not only UnicodeDecodeError: some of Python's codecs raise its parent.
            continue
    return raw.decode("cp1252", "replace"), ["encoding"]


def read_tree(text: str) -> tuple[ET.Element, list[str]]:
    """Return the tree of a document, names in lower case and without prefix, and the repairs it took.

    :raises Unreadable: when no prospect can be found in it.
    """
    begins = text.lstrip("\ufeff \r\n\t")
    strict = _parse(_DECLARATION.sub("", begins, count=1) if begins.startswith("<?xml") else begins)
    repairs: list[str] = []
    if strict is None or not _prospects(strict):
        strict, repairs = _mended(text)
    root, renamed = _plain_names(strict)
    repairs += renamed
    if not _prospects(root):
        raise Unreadable("no_prospect")
    if root.tag != "adf":
        repairs.append("wrapper")
    return root, list(dict.fromkeys(repairs))


def _prospects(root: ET.Element) -> bool:
    return any(re.fullmatch(r"(?:\{.*\})?prospect", str(one.tag), re.IGNORECASE) for one in root.iter())


def _parse(text: str) -> ET.Element | None:
    """Parse strictly; a document type is refused before anything of it is used."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    parser = ET.XMLParser(target=_Bounded())  # noqa: S314 - expat fetches nothing; entities never come here.
    try:
        parser.feed(text)
        return parser.close()
    except (ET.ParseError, ValueError):
        return None


class _Bounded(ET.TreeBuilder):
    """Builds a tree that is at most so deep."""

    def __init__(self) -> None:
        super().__init__()
        self.level = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> ET.Element:
        """Open an element."""
        self.level += 1
        if self.level > DEEPEST:
            raise Unreadable("unreadable")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ET.Element:
        """Close one."""
        self.level -= 1
        return super().end(tag)


def _mended(text: str) -> tuple[ET.Element, list[str]]:
    """Mend what is known to be broken by senders, the mildest first, until it can be parsed."""
    repairs: list[str] = []

    def step(code: str, before: str, after: str) -> str:
        if after != before:
            repairs.append(code)
        return after

    text = step("control", text, _CONTROL.sub("", text.lstrip("\ufeff")))
    text = step("doctype", text, _without_doctype(text))
    bare = _DECLARATION.sub("", text)
    text = (
        step("declaration", text.strip(), bare.strip()) if _parse(bare.strip()) is not None else bare.strip()
    )
    found = _parse(text)
    if found is not None and _prospects(found):
        return found, repairs
    text = step("found_inside", text, _inside(text))
    text = step("quotes", text, _TAG.sub(lambda tag: tag[0].translate(_QUOTES), text))
    text = step("namespace", text, _PREFIX.sub(r"\1", text)) if "xmlns" not in text else text
    text = step("ampersand", text, _escaped(text))
    found = _parse(text) or _parse(f"<adf>{text}</adf>")
    if found is not None:
        return found, repairs
    return _lenient("".join(html.escape(part, quote=False) if raw else part for part, raw in _cdata(text))), [
        *repairs, "tags",
    ]  # fmt: skip


def _without_doctype(text: str) -> str:
    """Leave out document types, with what they declare."""
    for _time in range(3):
        found = _DOCTYPE.search(text)
        if found is None:
            return text
        inner, end = text.find("[", found.end()), text.find(">", found.end())
        if -1 < inner < end:
            end = text.find(">", max(text.find("]", inner), inner))
        text = text[: found.start()] + (text[end + 1 :] if end >= 0 else "")
    return text.replace("<!", "&lt;!")


def _inside(text: str) -> str:
    """Return the ADF within a mail or a page; one that was written as text in HTML is taken out of it."""
    for candidate in (text, html.unescape(text) if "&lt;" in text else ""):
        begin = _BEGIN.search(candidate)
        if begin is None:
            continue
        ends = [
            found.end()
            for found in _END.finditer(candidate, begin.end())
            if found[1].lower() == begin[1].lower()
        ]
        found = candidate[begin.start() : ends[-1] if ends else len(candidate)]
        return re.sub(r"<br\s*/?>", "\n", found) if candidate != text else found
    raise Unreadable("not_adf")


def _cdata(text: str) -> Iterator[tuple[str, bool]]:
    """Give the parts of a text in turn, and whether each is the inside of a CDATA section."""
    at = 0
    while (begin := text.find("<![CDATA[", at)) >= 0 and (end := text.find("]]>", begin)) >= 0:
        yield text[at:begin], False
        yield text[begin + 9 : end], True
        at = end + 3
    yield text[at:], False


def _escaped(text: str) -> str:
    """Write each ampersand that begins no reference of XML as one; named letters of HTML become themselves."""
    parts = []
    for part, raw in _cdata(text):
        if raw:
            parts.append(f"<![CDATA[{part}]]>")
            continue
        named = _NAMED.sub(
            lambda found: found[0] if found[1] in _XML_NAMES else html.unescape(found[0]), part
        )
        parts.append(_BARE.sub("&amp;", named))
    return "".join(parts)


def _lenient(text: str) -> ET.Element:
    """Build a tree from tags that do not match, as browsers do with pages.

    An end tag closes all that stands open in its element; one that was never opened is passed over.
    """
    root = ET.Element("adf")
    opened, at = [root], 0
    for found in _ELEMENT.finditer(text):
        _add_text(opened[-1], text[at : found.start()])
        at = found.end()
        name = found[2].rpartition(":")[2].lower()
        if found[1]:
            place = next((index for index in range(len(opened) - 1, 0, -1) if opened[index].tag == name), 0)
            if place:
                del opened[place:]
        elif name != "adf" or len(opened) > 1:
            if len(opened) > DEEPEST:
                raise Unreadable("unreadable")
            given = {
                key.lower(): html.unescape(value.strip("\"'")) for key, value in _ATTRIBUTE.findall(found[3])
            }
            made = ET.SubElement(opened[-1], name, given)
            if not found[3].endswith("/"):
                opened.append(made)
    _add_text(opened[-1], text[at:])
    return root


def _add_text(one: ET.Element, written: str) -> None:
    data = html.unescape(written)
    if len(one):
        one[-1].tail = (one[-1].tail or "") + data
    else:
        one.text = (one.text or "") + data


def _plain_names(root: ET.Element) -> tuple[ET.Element, list[str]]:
    repairs: list[str] = []
    for one in root.iter():
        name = str(one.tag).rpartition("}")[2]
        if name != one.tag:
            repairs.append("namespace")
        if name != name.lower():
            repairs.append("case")
        one.tag = name.lower()
        for key in list(one.attrib):
            plain = key.rpartition("}")[2].lower()
            if plain != key:
                one.attrib[plain] = one.attrib.pop(key)
    return root, repairs
