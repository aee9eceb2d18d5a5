"""Formulas as definitions: what makes sense, what follows from a change, a trial, and the job that reckons all anew."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from kehu.core import bulk, context, db, jobs
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.money import is_currency
from kehu.core.records import formulas, own, rights, scope
from kehu.core.records.fields import Field
from kehu.core.records.formula_language import FormulaError, Unreckonable, understand
from kehu.core.records.formulas import KINDS
from kehu.core.records.own_tables import CustomField
from kehu.core.records.service import service_for
from kehu.core.records.types import get as get_type
from kehu.core.records.types import whole
from kehu.core.tables import OWN

CHUNK = 500
TRIED = 20
"""Records that a trial shows."""
_MARK = "formulas_to_reckon"
TOUCHING = frozenset({"formula", "state", "kind", "slot", "currency"})
"""What changes the values of formulas when it changes on a field."""


def lock(session: Session) -> None:
    """Let one person at a time change formulas of a firm, so that two don't close a circle together."""
    key = int.from_bytes(context.tenant().id.bytes[:8], "big", signed=True)
    session.execute(select(func.pg_advisory_xact_lock(key)))


def prepare(record: CustomField) -> None:
    """Take away from a formula what only people's values have."""
    record.formula = (record.formula or "").strip()
    if record.formula:
        record.required = record.only_one = record.at_create = False
        record.initial, record.minimum, record.maximum = "", None, None


def check(session: Session, record: CustomField, changed: set[str], errors: dict[str, list[str]]) -> None:
    """Add to the faults of a definition what is wrong with its formula, and remember what must be reckoned anew."""
    state: Any = inspect(record)
    if TOUCHING & changed and (record.formula or state.persistent):
        session.info.setdefault(_MARK, set()).add(record.object)
    if "formula" not in changed:
        return
    before = state.attrs.formula.history.deleted if state.persistent else ()
    if before and bool(before[0]) != bool(record.formula):
        errors["formula"] = [
            _("A field keeps being a formula or not. Make another field and retire this one.")
        ]
    elif record.formula and (message := fault(session, record)):
        errors["formula"] = [message]
    if record.formula and record.kind == "money" and record.currency and not is_currency(record.currency):
        errors["currency"] = [_("“%(code)s” is no currency; write it as EUR.", code=record.currency)]


def fault(session: Session, record: CustomField) -> str:
    """Return what is wrong with a formula, or nothing."""
    if record.kind not in KINDS:
        return _("A formula gives a text, a number, an amount, a date, or yes or no.")
    try:
        formula = understand(record.formula)
    except FormulaError as error:
        return str(error)
    record_type = whole(record.object)
    hidden = rights.hidden(record.object)
    readable = formulas.readable(record_type.fields, record_type.title)
    known = {key: one for key, one in readable.items() if key not in hidden}
    for name in formula.names:
        if name in known:
            continue
        if name in record_type.by_key and name not in hidden:
            label = record_type.by_key[name].label
            return _("“%(name)s” is set by Kehu itself; a formula would keep its old value.", name=label)
        near = [key for key in known if name.lower() in (key, f"{OWN}{key}", key.removeprefix(OWN))]
        if near:
            return _("There is no field “%(name)s”; do you mean “%(near)s”?", name=name, near=near[0])
        return _("There is no field “%(name)s”; the names stand below.", name=name)
    return _circle(session, record, {key: str(one.label) for key, one in record_type.by_key.items()})


def _circle(session: Session, record: CustomField, labels: dict[str, str]) -> str:
    if not record.key:
        return ""  # Nothing names a field that is not there yet.
    statement = select(CustomField.key, CustomField.formula).where(
        CustomField.object == record.object, CustomField.deleted_at.is_(None), CustomField.formula != ""
    )
    with session.no_autoflush:
        known = {row.key: row.formula for row in session.execute(statement)}
    way = formulas.circle({**known, record.key: record.formula}, record.key)
    if not way:
        return ""
    path = " → ".join(labels.get(key, key) for key in way)
    return _("It would need its own value: %(path)s.", path=path)


def touched(session: Session, object_name: str) -> None:
    """Remember that formulas of a type read something else now; `follow` lets them be reckoned."""
    session.info.setdefault(_MARK, set()).add(object_name)


def follow(session: Session, records: Sequence[CustomField], action: str) -> None:
    """Let a job reckon the formulas of types whose fields changed in what formulas read."""
    asked = session.info.pop(_MARK, set())
    if action in ("trashed", "restored"):
        asked |= {one.object for one in records}
    for name in sorted(asked):
        if formulas.of_type(name):
            waiting = f"fields.reckon:{context.tenant().id}:{name}"
            jobs.enqueue(session, "fields.reckon", queueing_lock=waiting, object_name=name)


@jobs.tenant_task("fields.reckon")
def reckon(_tenant_id: uuid.UUID, object_name: str, after: str = "") -> None:
    """Reckon the formulas of all records of a type, a part at a time; versions and the trail stay as they are."""
    session = db.session()
    if not formulas.of_type(object_name):
        return
    service = service_for(object_name, session)
    model: Any = service.type.model
    statement = select(model).where(model.deleted_at.is_(None)).order_by(model.id).limit(CHUNK)
    if after:
        statement = statement.where(model.id > uuid.UUID(after))
    records = list(session.execute(statement.with_for_update()).scalars())
    if not records:
        return
    with session.no_autoflush:
        kept = {one.id: one.custom for one in records}
        service.own.reckon(*records)
        changed = [one for one in records if one.custom is not kept[one.id]]
        rows = [{"id": one.id, "custom": one.custom} for one in changed]
        for one in changed:
            set_committed_value(one, "custom", one.custom)  # Written below, past the version that people saw.
    bulk.update_rows(session, model.__table__, rows)
    service._index(changed)
    if len(records) == CHUNK:
        jobs.enqueue(session, "fields.reckon", object_name=object_name, after=str(records[-1].id))


# Trial and impact -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What a formula gives for one record: a value of the draft field, or why none."""

    title: str
    url: str
    value: Any
    reason: str


def draft_of(object_name: str, values: dict[str, Any], key: str = "") -> CustomField:
    """Return a definition that is not kept, from what a form holds."""
    draft = CustomField(id=new_id(), object=object_name, key=key, slot=key or "x", position=0)
    draft.label, draft.kind = str(values.get("label") or ""), str(values.get("kind") or "")
    draft.currency = str(values.get("currency") or "").upper() or context.tenant().currency
    draft.formula = str(values.get("formula") or "").strip()
    draft.help = draft.section = draft.target = draft.initial = ""
    draft.options = []
    draft.required = draft.only_one = draft.in_list = draft.at_create = draft.searchable = False
    return draft


def try_out(session: Session, draft: CustomField) -> tuple[Field, list[Tried]]:
    """Return what a formula gives for the latest records that the present actor sees."""
    record_type, actor = get_type(draft.object), context.actor()
    model: Any = record_type.model
    statement = (
        select(model)
        .where(
            model.deleted_at.is_(None),
            scope.condition(record_type, model, actor, actor.scope(f"{draft.object}:read")),
        )
        .order_by(model.created_at.desc(), model.id.desc())
        .limit(TRIED)
    )
    spec, service = own.field_from(draft), service_for(draft.object, session)
    found = []
    for record in session.execute(statement).scalars():
        value, reason = None, ""
        try:
            value = formulas.value_for(draft.object, spec, record)
        except Unreckonable as error:
            reason = str(error)
        title, url = service.title_of(record), record_type.url(record.id)
        found.append(Tried(title=title, url=url, value=value, reason=reason))
    return spec, found


def users_of(field: CustomField) -> list[str]:
    """Return the names of the formulas that read a field."""
    return [
        str(one.label)
        for one in formulas.of_type(field.object)
        if one.own is not None and one.key != field.key and field.key in formulas.named(one.own.formula)
    ]


def names_of(object_name: str, but: str = "") -> list[tuple[str, str]]:
    """Return what formulas of a type may name: (key, label)."""
    record_type = whole(object_name)
    known = formulas.readable(record_type.fields, record_type.title)
    return [(key, str(one.label)) for key, one in known.items() if key != but]
