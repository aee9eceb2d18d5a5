"""The page part that builds a filter: groups of questions, each redrawn by the server after a change."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import request
from flask.typing import ResponseReturnValue

from kehu.core import context
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _, _l
from kehu.core.records import asking, periods
from kehu.core.records.fields import Field
from kehu.core.records.types import RecordType
from kehu.core.records.where import MOST_TESTS, Group, Test, Where, parse
from kehu.web.records import filtering, query
from kehu.web.records.answers import go_to
from kehu.web.records.where_text import Writer
from kehu.web.render import render_page

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages

_TEXTS: dict[str, Any] = {
    "word": _l("contains the word"),
    "eq": _l("is"),
    "ne": _l("is not"),
    "on": _l("is on the day"),
    "last": _l("is in the last … days"),
    "next": _l("is in the next … days"),
    "ago": _l("is more than … days ago"),
    "ahead": _l("is more than … days ahead"),
    "gte": _l("is from … on"),
    "lte": _l("is up to"),
    "starts": _l("begins with"),
    "empty": _l("is empty"),
    "filled": _l("is filled"),
}
"""How a question compares, as people read it, in the order in which it is offered."""
_SPANS = {
    "last": "last-{}-days",
    "next": "next-{}-days",
    "ago": "over-{}-days-ago",
    "ahead": "over-{}-days-ahead",
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One question as the form draws it; `control` names how its value is given."""

    name: str
    key: str
    field: Field | None
    fields: Any
    op: str
    ops: Sequence[tuple[str, str]]
    control: str
    values: Sequence[str]
    options: Sequence[tuple[str, str]]
    lookup: str = ""
    text: str = ""
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One group as the form draws it."""

    name: str
    subject: str
    join: str
    rows: Sequence[Row]


def show(pages: RecordPages) -> ResponseReturnValue:
    """Draw the form: of the list's filter when it opens, of what was chosen after each change."""
    args = query.of_request()
    if "act" not in args and "g0" not in args:
        return _draw(pages, _opened(pages, args), query.filters_only(args))
    where, act = _read(request.args), args.get("act", "")
    kept = query.parse(args.get("kept", ""))
    if act == "clear":
        return _leave(pages, kept, None)
    if act != "apply":
        changed, focus = _acted(where, act)
        return _draw(pages, changed, kept, focus=focus)
    empty = {
        f"g{at}.t{no}"
        for at, group in enumerate(where.groups)
        for no, one in enumerate(group.tests)
        if not one.value
    }
    if empty:
        errors = dict.fromkeys(empty, _("Say what to compare with."))
        return _draw(pages, where, kept, errors=errors, status=422)
    try:
        _check(pages.type, where)
    except InvalidInput as error:
        return _draw(pages, where, kept, problem=str(error.message), status=422)
    return _leave(pages, kept, where)


def _leave(pages: RecordPages, kept: Mapping[str, str], where: Where | None) -> ResponseReturnValue:
    written = str(where) if where is not None else ""
    return go_to(query.list_url(pages.name, kept, where=written or None))


def _check(record_type: RecordType, where: Where) -> None:
    written = str(where)
    parse(written)
    asking.conditions(record_type, record_type.model, written, context.actor(), context.tenant())


def _opened(pages: RecordPages, args: Mapping[str, str]) -> Where:
    try:
        found = parse(args.get("where", ""))
    except InvalidInput:
        found = Where()
    return found if found.groups else Where(groups=[Group(tests=[_first(pages.type)])])


def _first(record_type: RecordType) -> Test:
    return Test(key=next(iter(asking.askable(record_type)), asking.WORDS))


def _read(form: Any) -> Where:
    """Return the filter that the form holds, with questions that are not complete."""
    groups = []
    for at in range(MOST_TESTS):
        subject = form.get(f"g{at}")
        if subject is None:
            break
        tests = []
        for no in range(MOST_TESTS):
            name = f"g{at}.t{no}"
            if not form.get(name):
                break
            tests.append(_test(form[name], form.get(f"{name}.op", ""), form.getlist(f"{name}.v")))
        groups.append(
            Group(
                tests=tests,
                join="or" if form.get(f"g{at}.join") == "or" else "and",
                relation=subject.removeprefix("!"),
                none=subject.startswith("!"),
            )
        )
    return Where(groups=groups, join="or" if form.get("join") == "or" else "and")


def _test(key: str, op: str, values: Sequence[str]) -> Test:
    given = "|".join(text for one in values if (text := one.strip().replace("\x00", "")))
    if op in ("empty", "filled"):
        return Test(key=key, operator="empty", value="1" if op == "empty" else "0")
    if op in _SPANS:
        return Test(key=key, value=_SPANS[op].format(given) if given.isdecimal() else "")
    if op == "on":
        return Test(key=key, value=given if _DAY.fullmatch(given) else "")
    return Test(key=key, operator=op or "eq", value=given)


def _op_of(field: Field | None, test: Test) -> tuple[str, list[str]]:
    """Return how the form says a question's comparison, and its values."""
    if test.operator == "empty":
        return ("empty" if test.value in ("1", "true", "yes") else "filled"), []
    if field is not None and field.kind in asking.DAYS and test.operator == "eq":
        for op, form in _SPANS.items():
            if found := re.fullmatch(re.escape(form).replace(r"\{\}", r"(\d+)"), test.value):
                return op, [found[1]]
        if _DAY.fullmatch(test.value):
            return "on", [test.value]
    return test.operator, test.value.split("|") if test.value else []


def _acted(where: Where, act: str) -> tuple[Where, str]:
    """Return the filter after a button was pressed, and the name of what has the focus then."""
    verb, _colon, place = act.partition(":")
    at, _colon, no = place.partition(":")
    groups = list(where.groups)
    here = int(at) if at.isdecimal() and int(at) < len(groups) else -1
    if verb == "group":
        groups.append(Group(tests=[Test(key="")], join="or" if where.join == "and" else "and"))
        return replace(where, groups=groups), f"g{len(groups) - 1}"
    if here < 0:
        return where, ""
    tests = list(groups[here].tests)
    if verb == "add":
        groups[here] = replace(groups[here], tests=[*tests, Test(key="")])
        return replace(where, groups=groups), f"g{here}.t{len(tests)}"
    if verb == "drop" and no.isdecimal() and int(no) < len(tests):
        del tests[int(no)]
        groups[here] = replace(groups[here], tests=tests)
        return replace(where, groups=groups), f"g{here}.add"
    if verb == "ungroup":
        del groups[here]
        return replace(where, groups=groups), "group"
    return where, ""


def _draw(
    pages: RecordPages,
    where: Where,
    kept: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    problem: str = "",
    focus: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    kept = {key: value for key, value in kept.items() if key != "where"}
    drawing = _Drawing(pages.type, where, errors or {})
    return render_page(
        "records/where.html",
        {"where": "form"},
        status=status,
        pages=pages,
        join=where.join,
        parts=[drawing.part(at, one) for at, one in enumerate(where.groups)],
        subjects=drawing.subjects,
        kept=query.write(kept),
        problem=problem,
        focus=focus,
        full=where.count >= MOST_TESTS,
    )


class _Drawing:
    """Turns a filter into what the form draws."""

    def __init__(self, record_type: RecordType, where: Where, errors: Mapping[str, str]) -> None:
        self.type, self.errors = record_type, errors
        self.writer = Writer(record_type, where)
        self.subjects = self._subjects()

    def _subjects(self) -> dict[str, list[tuple[str, str]]]:
        several = self.writer.relations.values()
        return {
            str(self.type.plural): [("", _("Of the %(thing)s itself", thing=self.type.label))],
            _("There is one of"): [(one.name, one.label) for one in several],
            _("There is none of"): [(f"!{one.name}", one.label) for one in several],
        }

    def part(self, at: int, group: Group) -> Part:
        """Return a group as it is drawn."""
        kind = self.writer.type_of(group) or self.type
        rows = [self._row(f"g{at}.t{no}", kind, one) for no, one in enumerate(group.tests)]
        subject = f"{'!' if group.none else ''}{group.relation}"
        return Part(name=f"g{at}", subject=subject, join=group.join, rows=rows)

    def _row(self, name: str, kind: RecordType, test: Test) -> Row:
        fields = asking.askable(kind)
        offered = {"q": _("Any text"), **{key: str(one.label) for key, one in fields.items()}}
        # A question of another type's field starts anew where the subject changed.
        key = test.key if test.key in offered else _first(kind).key
        test = test if key == test.key else Test(key=key)
        field = fields.get(key)
        ops = _ops(kind, field)
        op, values = _op_of(field, test)
        if op not in dict(ops):
            op, values = ops[0][0], []
        control, options, lookup = _control(kind, field, op, values)
        text = self.writer.value(field, values[0]) if control == "lookup" and field and values else ""
        return Row(
            name=name, key=key, field=field, fields=list(offered.items()), op=op, ops=ops, control=control,
            values=values, options=options, lookup=lookup, text=text, error=self.errors.get(name, ""),
        )  # fmt: skip


def _ops(kind: RecordType, field: Field | None) -> list[tuple[str, str]]:
    known = set(asking.operators(kind, field)) - {"in"} if field is not None else {"eq"}
    if field is None:
        return [("eq", str(_TEXTS["word"]))]
    if field.kind in asking.DAYS and "eq" in known:
        known |= {"on", *_SPANS}
    if "empty" in known:
        known.add("filled")
    return [(op, str(text)) for op, text in _TEXTS.items() if op in known]


def _control(
    kind: RecordType, field: Field | None, op: str, values: Sequence[str]
) -> tuple[str, Sequence[tuple[str, str]], str]:
    """Return how a value is given: its control, its choices, the address that finds them."""
    if op in ("empty", "filled"):
        return "", (), ""
    if field is None or op in ("word", "starts"):
        return "text", (), ""
    if field.kind in asking.DAYS:
        if op in _SPANS:
            return "days", (), ""
        if op == "on" or (op in ("gte", "lte") and all(_DAY.fullmatch(one) for one in values)):
            return "date", (), ""
        named = [*periods.NAMED, *(one for one in values if one not in periods.NAMED)]
        return "select", [(one, periods.text_of(one)) for one in named], ""
    menu = filtering.menu_kind(field)
    if menu == "choices":
        options = filtering.options(field)
        return ("select" if field.kind == "bool" else "several"), options, ""
    if menu == "lookup":
        of = {"tags": f"tags?of={kind.name}", "member": "members"}.get(field.kind, field.ref)
        return "lookup", (), f"/lookup/{of}"
    return ("number" if field.kind in ("number", "money") else "text"), (), ""
