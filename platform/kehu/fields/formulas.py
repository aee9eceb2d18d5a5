"""Formulas as definitions: what makes sense, what follows from a change, a trial, and the job that reckons all anew."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from kehu.core import bulk, context, db, jobs
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.money import is_currency
from kehu.core.records import formula_links, formulas, own, own_index, rights, scope
from kehu.core.records.fields import Field
from kehu.core.records.formula_functions import Unreckonable
from kehu.core.records.formula_language import Far, FormulaError, understand
from kehu.core.records.formulas import KINDS
from kehu.core.records.own_tables import CustomField
from kehu.core.records.service import service_for
from kehu.core.records.types import RecordType, registered, whole
from kehu.core.records.types import get as get_type
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
    wrong = next((found for far in formula.far if (found := _far_fault(record_type, far))), "")
    return wrong or _circle(session, record)


def _far_fault(record_type: RecordType, far: Far) -> str:
    """Return what is wrong with a look-up or roll-up, or nothing."""
    known = formula_links.ways(record_type.name)
    way = known.get(far.link)
    if way is None or way.back != (far.how != "look"):
        return _(
            "“%(name)s” leads nowhere from here; there are %(known)s.",
            name=far.link,
            known=", ".join(name for name, one in known.items() if one.back == (far.how != "look")) or "–",
        )
    target = whole(way.target)
    hidden = rights.hidden(target.name)
    spec = target.by_key.get(far.key) if far.key not in hidden else None
    if far.key and (
        spec is None
        or not _followed(target, spec)
        or not (far.how == "look" or formula_links.has_column(target, spec))
    ):
        return _(
            "%(things)s have no field “%(name)s” that can be read here.", things=target.plural, name=far.key
        )
    summed = formula_links.ADDED if far.how == "sum" else formula_links.ORDERED
    if spec is not None and far.how != "look" and spec.kind not in summed:
        return _("“%(name)s” is no number.", name=spec.label)
    if far.only and (
        far.only.partition("=")[0] in hidden or formula_links.condition(target, far.only) is None
    ):
        return _("“%(part)s” is no choice; write it as status=open.", part=far.only)
    return ""


def _followed(target: RecordType, spec: Field) -> bool:
    """Tell whether a value of another record changes by writes of that record, so that what reads it stays true."""
    return spec.key in formulas.readable(target.fields, target.title) or spec.kind in ("choice", "number")


def _circle(session: Session, record: CustomField) -> str:
    if not record.key:
        return ""  # Nothing names a field that is not there yet.
    statement = select(CustomField.object, CustomField.key, CustomField.formula).where(
        CustomField.deleted_at.is_(None), CustomField.formula != ""
    )
    with session.no_autoflush:
        rows = [(row.object, row.key, row.formula) for row in session.execute(statement)]
    rows.append((record.object, record.key, record.formula))
    reads = {
        f"{name}:{key}": list(_read_by(name, source)) for name, key, source in rows if name in registered()
    }
    way = formulas.circle(reads, f"{record.object}:{record.key}")
    if not way:
        return ""
    path = " → ".join(_named(node, record.object) for node in way)
    return _("It would need its own value: %(path)s.", path=path)


def _read_by(object_name: str, source: str) -> Iterator[str]:
    yield from (f"{object_name}:{name}" for name in formulas.named(source))
    known = formula_links.ways(object_name)
    for far in formulas.far_of(source):
        if far.link in known:
            for key in (far.key, far.only.partition("=")[0]):
                yield f"{known[far.link].target}:{key}"


def _named(node: str, here: str) -> str:
    object_name, _sign, key = node.partition(":")
    record_type = whole(object_name)
    spec = record_type.by_key.get(key)
    label = str(spec.label) if spec is not None else key
    return label if object_name == here else f"{record_type.label}: {label}"


def touched(session: Session, object_name: str) -> None:
    """Remember that formulas of a type read something else now; `follow` lets them be reckoned."""
    session.info.setdefault(_MARK, set()).add(object_name)


def follow(session: Session, records: Sequence[CustomField], action: str) -> None:
    """Let a job reckon the formulas of types whose fields changed in what formulas read."""
    asked = session.info.pop(_MARK, set())
    if action in ("trashed", "restored"):
        asked |= {one.object for one in records}
    for name in sorted(asked | {one for here in asked for one in formula_links.readers_of(here)}):
        if formulas.of_type(name):
            waiting = f"fields.reckon:{context.tenant().id}:{name}"
            jobs.enqueue(session, "fields.reckon", queueing_lock=waiting, object_name=name)


@jobs.tenant_task("fields.reckon")
def reckon(_tenant_id: uuid.UUID, object_name: str, after: str = "") -> None:
    """Reckon the formulas of all records of a type, a part at a time; versions and the trail stay as they are."""
    session = db.session()
    if not formulas.of_type(object_name):
        return
    model: Any = get_type(object_name).model
    statement = select(model).order_by(model.id).limit(CHUNK)
    if after:
        statement = statement.where(model.id > uuid.UUID(after))
    records = _reckon(session, object_name, statement)
    if len(records) == CHUNK:
        jobs.enqueue(session, "fields.reckon", object_name=object_name, after=str(records[-1].id))


@jobs.tenant_task("fields.reckon_some")
def reckon_some(
    _tenant_id: uuid.UUID, object_name: str, ids: list[str], pointer: str = "", after: str = ""
) -> None:
    """Reckon the formulas of records that read others which changed.

    :param ids: of the records themselves, or of those that their field `pointer` points at.
    """
    session = db.session()
    if object_name not in registered() or not formulas.of_type(object_name):
        return
    model: Any = get_type(object_name).model
    wanted = [uuid.UUID(one) for one in ids]
    statement = select(model).order_by(model.id).limit(CHUNK)
    if not pointer:
        statement = statement.where(bulk.among(model.id, wanted))
    elif own.is_own(pointer):
        spec = whole(object_name).by_key.get(pointer)
        if spec is None:
            return
        statement = statement.where(own_index.condition(model, spec, "in", wanted))
    else:
        statement = statement.where(bulk.among(getattr(model, pointer), wanted))
    if after:
        statement = statement.where(model.id > uuid.UUID(after))
    records = _reckon(session, object_name, statement)
    if len(records) == CHUNK:
        last = str(records[-1].id)
        jobs.enqueue(
            session, "fields.reckon_some", object_name=object_name, pointer=pointer, ids=ids, after=last
        )


def _reckon(session: Session, object_name: str, statement: Any) -> list[Any]:
    """Reckon the formulas of records that a statement finds, past the versions that people saw; return them."""
    service = service_for(object_name, session)
    model: Any = service.type.model
    statement = statement.where(model.deleted_at.is_(None)).with_for_update()
    records = list(session.execute(statement.execution_options(populate_existing=True)).scalars())
    with session.no_autoflush:
        kept = {one.id: one.custom for one in records}
        service.own.reckon(*records)
        changed = [one for one in records if one.custom is not kept[one.id]]
        rows = [{"id": one.id, "custom": one.custom} for one in changed]
        for one in changed:
            set_committed_value(one, "custom", one.custom)  # Written below.
    bulk.update_rows(session, model.__table__, rows)
    service._index(changed)
    return records


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
    records = list(session.execute(statement).scalars())
    far = formula_links.values(session, draft.object, [spec], records)
    for record in records:
        value, reason = None, ""
        try:
            value = formulas.value_for(draft.object, spec, record, far[record.id])
        except Unreckonable as error:
            reason = str(error)
        title, url = service.title_of(record), record_type.url(record.id)
        found.append(Tried(title=title, url=url, value=value, reason=reason))
    return spec, found


def users_of(field: CustomField) -> list[str]:
    """Return the names of the formulas that read a field, of records of its own type and of others."""
    node, here = f"{field.object}:{field.key}", field.object
    return [
        _named(f"{name}:{one.key}", here)
        for name in registered()
        for one in formulas.of_type(name)
        if one.own is not None and f"{name}:{one.key}" != node and node in _read_by(name, one.own.formula)
    ]


def names_of(object_name: str, but: str = "") -> list[tuple[str, str]]:
    """Return what formulas of a type may name: (key, label)."""
    record_type = whole(object_name)
    known = formulas.readable(record_type.fields, record_type.title)
    return [(key, str(one.label)) for key, one in known.items() if key != but]


def links_of(object_name: str) -> list[tuple[str, str, bool]]:
    """Return what formulas of a type may read of other records: (name, label, whether many point here)."""
    return [
        (name, str(whole(one.target).plural if one.back else one.pointer.label), one.back)
        for name, one in formula_links.ways(object_name).items()
    ]
