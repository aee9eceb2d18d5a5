"""The language of filters in an address: `where=status:open,or(amount.gte:1000,owner_id:me),deals(status:won)`.

A filter is a list of tests and groups. A group joins its tests by and (as they stand) or by `or(…)`. A group behind
the name of a relation asks of related records: `deals(…)` for those that have one like this, `!deals(…)` for those
that have none. `or(…)` around groups joins them by or. Values with `,` `(` `)` or `"` stand in quotes; `|` separates
values of which one is enough.

This module reads and writes the language; `asking` turns it into conditions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kehu.core.errors import InvalidInput
from kehu.core.i18n import _

KEY = "where"
"""The word of the query that holds such a filter."""
LONGEST = 3000
MOST_TESTS = 40
_NAME = re.compile(r"[a-z][a-z0-9_.~]*", re.IGNORECASE)
_BARE = re.compile(r'[^,()"]*')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, kw_only=True)
class Test:
    """One question: a field, how it is compared (`eq` when nothing is written), and with what."""

    __test__ = False

    key: str
    operator: str = "eq"
    value: str = ""

    def __str__(self) -> str:
        """Write the test."""
        value = self.value
        if re.search(r'[,()"]', value):
            value = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{self.key}{'' if self.operator == 'eq' else '.' + self.operator}:{value}"


@dataclass(frozen=True, kw_only=True)
class Group:
    """Tests that are joined by `and` or `or`; with a relation they are asked of related records.

    :param relation: the relation's name; empty for the record itself.
    :param none: there may be no such related record.
    """

    tests: Sequence[Test] = ()
    join: str = "and"
    relation: str = ""
    none: bool = False

    def __str__(self) -> str:
        """Write the group."""
        inside = ",".join(str(one) for one in self.tests)
        if self.relation:
            inside = f"or({inside})" if self.join == "or" and len(self.tests) > 1 else inside
            return f"{'!' if self.none else ''}{self.relation}({inside})"
        return inside if len(self.tests) == 1 else f"{self.join}({inside})"


@dataclass(frozen=True, kw_only=True)
class Where:
    """Groups that are joined by `and` or `or`."""

    groups: Sequence[Group] = ()
    join: str = "and"

    def __str__(self) -> str:
        """Write the filter in its shortest form."""
        parts = []
        for group in self.groups:
            plain = not group.relation and group.join == self.join
            parts += [str(one) for one in group.tests] if plain else [str(group)]
        text = ",".join(parts)
        return f"or({text})" if self.join == "or" and len(parts) > 1 else text

    @property
    def count(self) -> int:
        """How many tests there are; a relation without tests counts as one."""
        return sum(len(group.tests) or 1 for group in self.groups)


def refuse(part: str, message: str) -> InvalidInput:
    """Return the refusal of a part of a filter; the message names the part."""
    said = _("In the filter “%(part)s”: %(why)s", part=part[:80], why=message)
    return InvalidInput(said, fields={KEY: [said]})


@dataclass(frozen=True)
class _Node:
    """What stands in the text: a test, or a name with a list in brackets."""

    name: str
    test: Test | None
    items: tuple[_Node, ...] = ()
    text: str = ""


def parse(text: str) -> Where:
    """Read a filter.

    :raises InvalidInput: names the part that can't be read.
    """
    if len(text) > LONGEST:
        raise refuse(text, _("This filter is too long; take a part of it away."))
    reader = _Reader(text)
    nodes = reader.items(0)
    if reader.at < len(text):
        raise refuse(text[reader.at :], _("A bracket is closed here that was not opened."))
    join = "and"
    if len(nodes) == 1 and nodes[0].name == "or" and any(one.test is None for one in nodes[0].items):
        join, nodes = "or", list(nodes[0].items)
    where = Where(groups=tuple(_groups(nodes, join)), join=join)
    if where.count > MOST_TESTS:
        raise refuse(text, _("A filter may ask %(most)s questions.", most=MOST_TESTS))
    return where


def _groups(nodes: Sequence[_Node], join: str) -> list[Group]:
    """Return the groups; tests that stand without one make a group where the first of them is."""
    loose = [one.test for one in nodes if one.test is not None]
    found: list[Group] = []
    seen = False
    for node in nodes:
        if node.test is None:
            found.append(_group(node))
        elif not seen:
            found.append(Group(tests=tuple(loose), join=join))
            seen = True
    return found


def _group(node: _Node) -> Group:
    name, items, join = node.name, node.items, "and"
    if name in ("and", "or"):
        if not items:
            raise refuse(node.text, _("Write at least one question into the brackets."))
        return Group(tests=_tests(items), join=name)
    if len(items) == 1 and items[0].name in ("and", "or") and items[0].test is None:
        join, items = items[0].name, items[0].items
    return Group(tests=_tests(items), join=join, relation=name.removeprefix("!"), none=name.startswith("!"))


def _tests(items: Sequence[_Node]) -> tuple[Test, ...]:
    for one in items:
        if one.test is None:
            raise refuse(one.text, _("Groups go two levels deep; write questions here."))
    return tuple(one.test for one in items if one.test is not None)


class _Reader:
    """Reads the text from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def items(self, depth: int) -> list[_Node]:
        """Read a list up to a closing bracket or the end."""
        found: list[_Node] = []
        if depth > 4:
            raise refuse(self.text[self.at :], _("Groups go two levels deep; write questions here."))
        while self.at < len(self.text) and self.text[self.at] != ")":
            found.append(self._item(depth))
            if self.text[self.at : self.at + 1] != ",":
                break
            self.at += 1
        return found

    def _item(self, depth: int) -> _Node:
        start = self.at
        while self.text[self.at : self.at + 1] == " ":
            self.at += 1
        none = self.text[self.at : self.at + 1] == "!"
        self.at += none
        match = _NAME.match(self.text, self.at)
        name = match[0] if match else ""
        self.at += len(name)
        sign = self.text[self.at : self.at + 1]
        if name and sign == "(":
            self.at += 1
            items = self.items(depth + 1)
            if self.text[self.at : self.at + 1] != ")":
                raise refuse(self.text[start:], _("A bracket is not closed."))
            self.at += 1
            if none and name in ("and", "or"):
                raise refuse(self.text[start : self.at], _("Only related records can be asked for with “!”."))
            return _Node(f"{'!' if none else ''}{name}", None, tuple(items), self.text[start : self.at])
        if not name or none or sign != ":":
            raise refuse(self.text[start:], _("Write field:value, as in status:open."))
        self.at += 1
        key, _dot, operator = name.partition(".")
        test = Test(key=key, operator=operator or "eq", value=self._value(start))
        return _Node("", test, (), self.text[start : self.at])

    def _value(self, start: int) -> str:
        quoted = _QUOTED.match(self.text, self.at)
        if quoted:
            self.at = quoted.end()
            return re.sub(r"\\(.)", r"\1", quoted[1])
        match = _BARE.match(self.text, self.at)
        value = match[0] if match else ""
        self.at += len(value)
        if self.text[self.at : self.at + 1] in ('"', "("):
            raise refuse(self.text[start:], _("Put a value with such signs in quotes."))
        return value.strip()
