"""From the form of an import's page to a plan, and what the page needs to draw the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from kehu.core import context
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records import scope as scoping
from kehu.core.records.types import RecordType, get
from kehu.imports import doubles
from kehu.imports.columns import Column
from kehu.imports.detect import DELIMITERS
from kehu.imports.encodings import ENCODINGS
from kehu.imports.keys import MatchKey, match_keys
from kehu.imports.leaving import may_leave
from kehu.imports.linked import parts_for
from kehu.imports.mapping import (
    MISSING,
    MODES,
    NEW,
    SKIP,
    ColumnUse,
    Plan,
    complete,
    may_add,
    options_for,
    propose_part,
    propose_value,
    value_targets,
)
from kehu.imports.models import Import
from kehu.imports.services import columns_of
from kehu.imports.targets import Target, all_targets, is_reference

DATE_ORDERS = ("ymd", "dmy", "mdy")


def wishes_of(form: Mapping[str, str]) -> dict[str, Any]:
    """Return how a person wants the file to be read."""
    wishes: dict[str, Any] = {name: form[name] for name in ("encoding", "sheet") if form.get(name)}
    if form.get("delimiter"):
        wishes["delimiter"] = {"tab": "\t"}.get(form["delimiter"], form["delimiter"])
    wishes["header"] = form.get("header") == "1"
    top = form.get("top", "").strip()
    wishes["top"] = int(top) if top.isascii() and top.isdigit() and len(top) < 6 else 1
    return wishes


def plan_of(form: MultiDict[str, str], job: Import, record_type: RecordType, session: Session) -> Plan:
    """Return the plan that a form says.

    :raises InvalidInput: names the column, or what else is wrong.
    """
    actor = context.actor()
    old = Plan.from_json(job.mapping, job.options)
    parts = _parts(form, record_type) if "has_parts" in form else old.parts
    columns = columns_of(job)
    plan = Plan(
        columns=_columns(form, columns, all_targets(record_type, parts)),
        parts=parts,
        lost_reason=old.lost_reason,
    )
    for name in parts:
        if name not in old.parts:
            propose_part(plan, name, columns)
    complete(record_type, plan, actor, columns)
    if "has_keys" in form:
        possible = [key.name for key in possible_keys(record_type, plan)]
        plan.keys = [name for name in possible if name in form.getlist("key")]
        fresh = [name for name in possible if f"had_key-{name}" not in form]
        plan.keys += [
            name for name in fresh if name in _default_keys(record_type, plan) and name not in plan.keys
        ]
        plan.keys.sort(key=possible.index)
    plan.mode = form.get("mode", "both") if form.get("mode") in MODES else "both"
    if plan.mode == "update" and not plan.keys:
        raise InvalidInput(
            _("Say by which column records are recognised; else none can be changed."),
            fields={"key": [_("Choose one or more.")]},
        )
    plan.empty = "clear" if form.get("empty") == "clear" else "leave"
    plan.doubles = form.get("doubles", "make") if form.get("doubles") in doubles.WISHES else "make"
    plan.bad = "leave" if form.get("bad") == "leave" else "refuse"
    plan.close_names = form.get("close_names") == "1" or "has_close_names" not in form
    plan.lost_reason = form.get("lost_reason", plan.lost_reason).strip()[:200]
    plan.owner = _owner(form.get("owner", "me"), session)
    for key in plan.missing:
        if form.get(f"missing-{key}") in MISSING:
            plan.missing[key] = form[f"missing-{key}"]
    plan.values = _values(form, record_type, plan, session)
    return plan


def _parts(form: MultiDict[str, str], record_type: RecordType) -> list[str]:
    possible = [other.name for other in parts_for(record_type, context.actor())]
    return [name for name in form.getlist("part") if name in possible]


def _columns(
    form: Mapping[str, str], columns: Sequence[Column], known: Mapping[str, Target]
) -> dict[int, ColumnUse]:
    found: dict[int, ColumnUse] = {}
    taken: dict[str, str] = {}
    for column in columns:
        key = form.get(f"col-{column.index}", "")
        target = known.get(key)
        if target is None:
            continue
        if key in taken and not target.repeatable:
            message = _(
                "“%(one)s” and “%(other)s” both go to %(field)s. Choose one of them.",
                one=taken[key],
                other=column.name,
                field=target.label,
            )
            raise InvalidInput(message, fields={f"col-{column.index}": [message]})
        taken[key] = column.name
        order, mark = form.get(f"order-{column.index}", ""), form.get(f"mark-{column.index}", "")
        found[column.index] = ColumnUse(
            target=key,
            order=order if order in DATE_ORDERS else column.date_order or "ymd",
            mark=mark if mark in (".", ",") else column.decimal_mark or ".",
        )
    if not found:
        raise InvalidInput(
            _("No column is used. Say what at least one column becomes."),
            fields={"col-0": [_("Choose a field.")]},
        )
    return found


def _owner(raw: str, session: Session) -> str:
    if raw in ("me", ""):
        return raw
    member_id = parse_id(raw)
    if member_id is None or not scoping.member_exists(session, member_id):
        message = _("Choose a member from the list.")
        raise InvalidInput(message, fields={"owner": [message]})
    return str(member_id)


def _default_keys(record_type: RecordType, plan: Plan) -> list[str]:
    bare = Plan(columns=plan.columns, parts=plan.parts)
    complete(record_type, bare, context.actor())
    return bare.keys


def _values(
    form: Mapping[str, str], record_type: RecordType, plan: Plan, session: Session
) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for target in value_targets(record_type, plan):
        allowed = {option.value for option in options_for(target, session)} | {SKIP}
        if may_add(target, context.actor()):
            allowed.add(NEW)
        chosen: dict[str, str] = {}
        for number in range(200):
            text = form.get(f"text-{target.key}-{number}")
            if text is None:
                break
            value = form.get(f"value-{target.key}-{number}", "")
            if not value and target.field.own is not None and form.get(f"new-{target.key}") == "1":
                value = NEW
            if value in allowed:
                chosen[text] = value
        found[target.key] = chosen
    return found


def possible_keys(record_type: RecordType, plan: Plan) -> list[MatchKey]:
    """Return the keys whose leading column is mapped."""
    used, found = plan.fields(), []
    for prefix, one in plan.prefixes(record_type):
        for key in match_keys(one):
            if f"{prefix}{key.fields[0]}" in used:
                label = f"{str(one.label).capitalize()}: {key.label}" if prefix else key.label
                found.append(replace(key, name=f"{prefix}{key.name}", label=label))
    return found


# What the page draws -----------------------------------------------------------------------


@dataclass
class ColumnRow:
    """One column as the page shows it."""

    column: Column
    target: str = ""
    order: str = ""
    mark: str = ""


@dataclass
class ValueMap:
    """The values of a column, and what each becomes."""

    target: Target
    options: list[tuple[str, str]]
    values: list[tuple[str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    extends: bool = False
    """Whether what is missing may become new options of the field."""


@dataclass
class Setup:
    """The form on which a person says what the columns become."""

    rows: list[ColumnRow]
    groups: dict[str, list[tuple[str, str]]]
    keys: list[tuple[str, str, bool]]
    maps: list[ValueMap]
    missing: list[tuple[str, str, str, list[tuple[str, str]]]]
    modes: list[tuple[str, str]]
    plan: Plan
    members: list[tuple[str, str]]
    has_owner: bool
    has_lost_reason: bool
    has_names: bool
    parts: list[tuple[str, str, bool]]
    may_leave: bool
    finds_doubles: bool
    encodings: list[tuple[str, str]]
    delimiters: list[tuple[str, str]]
    sheets: list[tuple[str, str]]


def setup_of(
    job: Import, record_type: RecordType, session: Session, members: Sequence[tuple[Any, str]]
) -> Setup:
    """Return what the form of an import shows."""
    plan = Plan.from_json(job.mapping, job.options)
    known, columns = all_targets(record_type, plan.parts), columns_of(job)
    rows = [_row(column, plan.columns.get(column.index), known) for column in columns]
    chosen = set(plan.keys)
    return Setup(
        rows=rows,
        groups=_groups(record_type, known),
        keys=[(key.name, key.label, key.name in chosen) for key in possible_keys(record_type, plan)],
        maps=[_map(target, job, plan, columns, session) for target in value_targets(record_type, plan)],
        missing=[_missing(record_type, key, value) for key, value in sorted(plan.missing.items())],
        modes=_modes(record_type),
        plan=plan,
        members=[
            ("me", _("Me")),
            ("", _("Nobody")),
            *((str(one), name) for one, name in members if one != context.actor().member_id),
        ],
        has_owner=bool(record_type.owner),
        has_lost_reason=any(key.endswith("lost_reason") for key in known),
        has_names=any(is_reference(known[key].field) for key in plan.targets() if key in known),
        parts=[
            (other.name, str(other.plural), other.name in plan.parts)
            for other in parts_for(record_type, context.actor())
        ],
        may_leave=may_leave(record_type),
        finds_doubles=doubles.finder(record_type.name) is not None,
        encodings=[(name, ENCODINGS.get(name, name)) for name in _encodings(job)],
        delimiters=[("tab" if mark == "\t" else mark, _delimiter(mark)) for mark in DELIMITERS],
        sheets=[(name, name) for name in job.format["sheets"]],
    )


def _row(column: Column, use: ColumnUse | None, known: Mapping[str, Target]) -> ColumnRow:
    row = ColumnRow(column=column, target=use.target if use else "")
    target = known.get(row.target)
    if use is not None and target is not None:
        if target.field.kind in ("date", "datetime"):
            row.order = use.order
        elif target.field.kind in ("number", "money"):
            row.mark = use.mark
    return row


def _groups(record_type: RecordType, known: Mapping[str, Target]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for key, target in known.items():
        name, _colon, _rest = key.rpartition(":")
        owner = get(name) if name else record_type
        section = str(owner.sections.get(target.field.section, "")) or _("Details")
        if name:
            section = f"{str(owner.label).capitalize()}: {section}"
        found.setdefault(section, []).append((key, target.label))
    return found


def _map(target: Target, job: Import, plan: Plan, columns: Sequence[Column], session: Session) -> ValueMap:
    options = options_for(target, session)
    choices = [(option.value, str(option.label)) for option in options]
    extends = target.field.own is not None and may_add(target, context.actor())
    if extends:
        choices.append((NEW, _("Add as a new option")))
    elif may_add(target, context.actor()):
        choices.append((NEW, _("Add as new %(thing)s", thing=get(target.field.ref).label)))
    choices.append((SKIP, _("Leave empty")))
    chosen = plan.values.get(target.key, {})
    texts = dict.fromkeys(text for index in plan.used(target.key) for text in columns[index].values)
    texts.update(
        dict.fromkeys(text for key, text, _count in job.report.get("unmapped", []) if key == target.key)
    )
    texts.update(dict.fromkeys(chosen))
    found = ValueMap(target=target, options=choices, extends=extends)
    for index in plan.used(target.key):
        for text, count in zip(columns[index].values, columns[index].counts, strict=False):
            found.counts[text] = found.counts.get(text, 0) + count
    for text in list(texts)[:200]:
        found.values.append((text, chosen.get(text) or propose_value(target, options, text, context.actor())))
    return found


def _missing(record_type: RecordType, key: str, value: str) -> tuple[str, str, str, list[tuple[str, str]]]:
    name, _colon, bare_key = key.rpartition(":")
    spec, actor = (get(name) if name else record_type).by_key[bare_key], context.actor()
    options = [("error", _("Refuse the row")), ("empty", _("Leave the field empty"))]
    if spec.kind == "member":
        label = _("%(field)s: when no member is called so", field=spec.label)
        if actor.may("members:manage"):
            options.append(("create", _("Make a placeholder member, to be invited later")))
    else:
        thing = get(spec.ref).label
        label = _("%(field)s: when no %(thing)s is called so", field=spec.label, thing=thing)
        if actor.may(f"{spec.ref}:write"):
            options.append(("create", _("Make a new %(thing)s with this name", thing=thing)))
    if name:
        label = f"{str(get(name).label).capitalize()}: {label}"
    return key, label, value, options


def _modes(record_type: RecordType) -> list[tuple[str, str]]:
    return [
        (
            "both",
            _("Add new %(things)s and change those that are there", things=str(record_type.plural).lower()),
        ),
        ("create", _("Only add new ones; leave those that are there as they are")),
        ("update", _("Only change those that are there")),
    ]


def _encodings(job: Import) -> list[str]:
    now = job.format["read"]["encoding"]
    return list(dict.fromkeys([now, *job.format["encoding_others"], *ENCODINGS]))


def _delimiter(mark: str) -> str:
    return {",": _("Comma"), ";": _("Semicolon"), "\t": _("Tab"), "|": _("Vertical bar")}.get(mark, mark)


def with_proposed_values(job: Import, record_type: RecordType, session: Session) -> None:
    """Keep what is proposed for the values of choices, so that an unchanged form means what it shows."""
    plan = Plan.from_json(job.mapping, job.options)
    columns = columns_of(job)
    for target in value_targets(record_type, plan):
        shown = _map(target, job, plan, columns, session)
        plan.values[target.key] = {text: value for text, value in shown.values if value}
    job.mapping, job.options = plan.as_json()
