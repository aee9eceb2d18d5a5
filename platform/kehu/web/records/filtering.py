"""Filters of a list: the chips that say what is filtered, and the small menus that change it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import abort
from flask.typing import ResponseReturnValue
from flask_babel import format_date

from kehu.core import context, db
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records import criteria
from kehu.core.records.fields import Field
from kehu.core.records.filters import RESERVED, relative_day
from kehu.core.records.kinds import KINDS
from kehu.web.records import query
from kehu.web.records.members import member_options
from kehu.web.records.titles import target_of, titles
from kehu.web.render import render_page

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages

MANY_MEMBERS = 50
RANGES = frozenset({"date", "datetime", "number", "decimal", "percent", "money"})


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One filter: shown while it is on, or always for the main ones."""

    key: str
    label: str
    kind: str
    text: str
    on: bool
    shown: bool
    inputs: Sequence[tuple[str, str]]
    menu_url: str


def operators(field: Field) -> tuple[str, ...]:
    """Return the query keys under which a field is filtered, the one that its menu writes first."""
    known = KINDS[field.kind].filters if field.filterable else criteria.KINDS[field.kind]
    order = ("starts", "gte", "lte", "eq", "ne", "in", "empty")
    return tuple(field.key if one == "eq" else f"{field.key}.{one}" for one in order if one in known)


def fields(pages: RecordPages) -> list[Field]:
    """Return the fields that a list can be filtered by."""
    own = [one for one in pages.type.fields if one.filterable and one.key not in pages.options.hidden]
    return own + criteria.fields(pages.name)


def is_filtered(pages: RecordPages, args: Mapping[str, str]) -> bool:
    """Tell whether anything narrows the list."""
    known = {key for one in fields(pages) for key in operators(one)}
    return any(key in ("q", "where") or (key in known and key not in RESERVED) for key in args)


def chips(pages: RecordPages, args: Mapping[str, str]) -> list[Chip]:
    """Return the filters of a list; reads the names of members and records that they mention."""
    names = _names(pages, args)
    always = pages.options.chips or [one.key for one in fields(pages) if one.kind in ("choice", "member")][:2]
    base = pages.url("filter", key="KEY")
    text = query.write(query.filters_only(args))
    found = []
    for one in fields(pages):
        given = [(key, args[key]) for key in operators(one) if args.get(key)]
        if not given and not one.filterable:
            continue  # A criterion shows while it is on; the rest wait in a dialog.
        found.append(
            Chip(
                key=one.key,
                label=str(one.label),
                kind=one.kind,
                text=_text(one, dict(given), names) if given else _("any"),
                on=bool(given),
                shown=bool(given) or one.key in always,
                inputs=given,
                menu_url=base.replace("KEY", one.key) + (f"?{text}" if text else ""),
            )
        )
    order = {key: at for at, key in enumerate(always)}
    return sorted(found, key=lambda chip: order.get(chip.key, len(order)))


def _names(pages: RecordPages, args: Mapping[str, str]) -> dict[uuid.UUID, str]:
    wanted: dict[str, list[uuid.UUID]] = {}
    for one in fields(pages):
        if one.kind in ("member", "ref"):
            ids = [
                found
                for key in operators(one)
                for part in args.get(key, "").split(",")
                if (found := parse_id(part))
            ]
            if ids:
                wanted.setdefault(target_of(one), []).extend(ids)
    return titles(db.session(), wanted) if wanted else {}


def _text(field: Field, given: Mapping[str, str], names: Mapping[uuid.UUID, str]) -> str:
    if given.get(f"{field.key}.empty"):
        return _("none") if given[f"{field.key}.empty"] in ("1", "true", "yes") else _("some")
    if field.kind in RANGES:
        low, high = (_bound(field, given.get(f"{field.key}.{end}", "")) for end in ("gte", "lte"))
        if low and high:
            return _("%(low)s to %(high)s", low=low, high=high)
        if low:
            return _("from %(low)s", low=low)
        return _("up to %(high)s", high=high) if high else _bound(field, given.get(field.key, ""))
    return ", ".join(_part(field, part, names) for value in given.values() for part in value.split(","))


def _bound(field: Field, raw: str) -> str:
    """Return one end of a range as people read it: a day in their way of writing, today+30 as the day it means."""
    if field.kind not in ("date", "datetime") or not raw:
        return raw
    try:
        day = relative_day(raw, context.tenant()) or dt.date.fromisoformat(raw)
    except ValueError:
        # The list's own message says what is wrong with it.
        return raw
    return str(format_date(day, "medium"))


def _part(field: Field, part: str, names: Mapping[uuid.UUID, str]) -> str:
    if part == "none":
        return _("nobody") if field.kind == "member" else _("none")
    if part == "me":
        return _("me")
    if field.kind in ("choice", "choices"):
        option = field.option(part)
        return str(option.label) if option else part
    if field.kind == "bool":
        return _("yes") if part in ("1", "true", "yes") else _("no")
    found = parse_id(part)
    return names.get(found, _("unknown")) if found and field.kind in ("member", "ref") else part


def menu(pages: RecordPages, key: str) -> ResponseReturnValue:
    """Answer the inside of one filter's menu."""
    field = next((one for one in fields(pages) if one.key == key), None)
    if field is None:
        abort(404)
    args = query.of_request()
    keys = operators(field)
    values: dict[str, Any] = {"field": field, "kind": menu_kind(field), "args": args, "pages": pages}
    values.update(name=keys[0], may_be_empty=f"{field.key}.empty" in keys)
    chosen = {part for name in keys[:1] for part in args.get(name, "").split(",") if part}
    values["chosen"] = chosen
    values["options"] = options(field) if values["kind"] == "choices" else []
    ids = [found for part in chosen if (found := parse_id(part))]
    values["names"] = (
        titles(db.session(), {target_of(field): ids}) if values["kind"] == "lookup" and ids else {}
    )
    values["value"] = next(iter(chosen), "")
    return render_page("records/filter_menu.html", {}, **values)


def more(pages: RecordPages) -> ResponseReturnValue:
    """Answer the dialog with the filters that stand behind no field."""
    found, args = criteria.fields(pages.name), query.of_request()
    keys = {key for one in found for key in operators(one)}
    kept = {key: value for key, value in query.filters_only(args).items() if key not in keys}
    return render_page(
        "records/criteria.html",
        {},
        pages=pages,
        fields=[(one, options(one) if one.kind in ("bool", "choice") else []) for one in found],
        args=args,
        kept=kept,
    )


def menu_kind(field: Field) -> str:
    """Return how the values of a field's filter are given: choices, lookup, range or text."""
    if field.kind in ("choice", "choices", "bool"):
        return "choices"
    if field.kind == "member":
        return "choices" if len(member_options(MANY_MEMBERS + 1)) <= MANY_MEMBERS else "lookup"
    if field.kind in ("ref", "tags"):
        return "lookup"
    return "range" if field.kind in RANGES else "text"


def options(field: Field) -> list[tuple[str, str]]:
    """Return the values that a filter by a few known ones offers."""
    if field.kind == "bool":
        return [("1", _("Yes")), ("0", _("No"))]
    if field.kind in ("choice", "choices"):
        return [(one.value, str(one.label)) for one in field.choices()]
    actor = context.actor()
    people = [(str(one), name) for one, name in member_options(MANY_MEMBERS + 1) if one != actor.member_id]
    return [("me", _("Me")), ("none", _("Nobody")), *people]
