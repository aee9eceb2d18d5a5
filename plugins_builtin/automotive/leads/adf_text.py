"""From the bytes of a message to an XML tree: strictly first, then with repairs, each of which is named.

ADF 1.0 (Auto-lead Data Format) is printed with typographic quotes and a DTD that no parser can load, so that hardly two
senders write it alike (AUTOMOTIVE.md 3). No DTD is read, no entity of a document is expanded, nothing is fetched.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

LARGEST = 256 * 1024
"""Bytes of a document that is read; a larger one is kept, and looked at by a person."""
DEEPEST = 60
"""Levels of elements; ADF needs eleven."""

_DECLARATION = re.compile(r"<\?.*?\?>", re.DOTALL)
_DOCTYPE = re.compile(r"<!DOCTYPE\b[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)")
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_PREFIX = re.compile(r"(</?)[A-Za-z][\w.-]*:(?=[A-Za-z])")
_TAG = re.compile(r"<[/A-Za-z][^<>]*>")
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ADF = re.compile(r"<(?:[\w.-]+:)?adf[\s>].*</(?:[\w.-]+:)?adf\s*>", re.DOTALL | re.IGNORECASE)
_PROSPECTS = re.compile(
    r"<(?:[\w.-]+:)?prospect[\s>].*</(?:[\w.-]+:)?prospect\s*>", re.DOTALL | re.IGNORECASE
)
_OPENED = re.compile(r"<(?:[\w.-]+:)?(?:adf|prospect)[\s>].*", re.DOTALL | re.IGNORECASE)
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
        except (LookupError, UnicodeDecodeError):
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
    parser = ET.XMLParser()  # noqa: S314 - expat fetches nothing, and a document with entities never comes here.
    try:
        parser.feed(text)
        root = parser.close()
    except (ET.ParseError, ValueError, RecursionError):
        return None
    return root if _depth(root) <= DEEPEST else None


def _depth(root: ET.Element) -> int:
    level, deep = [root], 0
    while level and deep <= DEEPEST:
        level, deep = [child for one in level for child in one], deep + 1
    return deep


def _mended(text: str) -> tuple[ET.Element, list[str]]:
    """Mend what is known to be broken by senders, the mildest first, until it can be parsed."""
    repairs: list[str] = []

    def step(code: str, before: str, after: str) -> str:
        if after != before:
            repairs.append(code)
        return after

    text = step("control", text, _CONTROL.sub("", text.lstrip("\ufeff")))
    text = step("doctype", text, _DOCTYPE.sub("", text))
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
    lenient = _Lenient()
    lenient.feed(_CDATA.sub(lambda part: html.escape(part[1], quote=False), text))
    lenient.close()
    if _depth(lenient.root) > DEEPEST:
        raise Unreadable("unreadable")
    return lenient.root, [*repairs, "tags"]


def _inside(text: str) -> str:
    """Return the ADF within a mail or a page; one that was written as text in HTML is taken out of it."""
    for candidate in (text, html.unescape(text) if "&lt;" in text else ""):
        found = _ADF.search(candidate) or _PROSPECTS.search(candidate) or _OPENED.search(candidate)
        if found:
            return re.sub(r"<br\s*/?>", "\n", found[0]) if candidate != text else found[0]
    raise Unreadable("not_adf")


def _escaped(text: str) -> str:
    """Write each ampersand that begins no reference of XML as one; named letters of HTML become themselves."""
    parts = re.split(r"(<!\[CDATA\[.*?\]\]>)", text, flags=re.DOTALL)
    for index in range(0, len(parts), 2):
        named = _NAMED.sub(
            lambda found: found[0] if found[1] in _XML_NAMES else html.unescape(found[0]), parts[index]
        )
        parts[index] = _BARE.sub("&amp;", named)
    return "".join(parts)


class _Lenient(HTMLParser):
    """Builds a tree from tags that do not match, as browsers do with pages."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = ET.Element("adf")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element, at most so deep."""
        name = tag.rpartition(":")[2]
        if name == "adf" and len(self.open) == 1:
            return
        if len(self.open) > DEEPEST:
            raise Unreadable("unreadable")
        given = {key: value or "" for key, value in attrs if re.fullmatch(r"[\w.-]+", key)}
        self.open.append(ET.SubElement(self.open[-1], name, given))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open and close an empty element."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element with all that stands open in it; one that was never opened is passed over."""
        name = tag.rpartition(":")[2]
        for index in range(len(self.open) - 1, 0, -1):
            if self.open[index].tag == name:
                del self.open[index:]
                return

    def handle_data(self, data: str) -> None:
        """Add text to the element that is open."""
        one = self.open[-1]
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
