"""Who sees a field and who may change it: what a firm may say of which field, and its rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.core import jobs, shape
from kehu.core.errors import Conflict, Forbidden, InvalidInput
from kehu.core.i18n import _
from kehu.core.records import formulas, rights
from kehu.core.records.fields import Field
from kehu.core.records.rights import FieldRight
from kehu.core.records.service import RecordService
from kehu.core.records.types import RecordType, added_fields, of_plugins, unrestricted
from kehu.rules.models import FieldRule
from kehu.web.records.pages import pages_of

HIDEABLE: Mapping[str, frozenset[str]] = {
    "customers": frozenset({"country", "description", "employees", "founded", "region", "revenue"}),
    "contacts": frozenset({"description"}),
    "deals": frozenset({"amount", "description", "source"}),
}
"""Fields that came with the product and that no page or statement shows by itself, beside what goes by the type."""


def load(session: Session) -> rights.Rights:
    """Return what the present firm says, as the core applies it."""
    found: dict[str, dict[str, FieldRight]] = {}
    for row in rows(session):
        right = FieldRight(seen_by=_roles(row.seen_by), edited_by=_roles(row.edited_by))
        found.setdefault(row.object, {})[row.field] = right
    for name, mine in found.items():
        _bind_formulas(name, mine)
    return found


def _bind_formulas(name: str, mine: dict[str, FieldRight]) -> None:
    """Let a formula be seen only by those who see all that it reads."""
    for spec in formulas.of_type(name):
        assert spec.own is not None
        for key in formulas.named(spec.own.formula):
            read, now = mine.get(key, FieldRight()).seen_by, mine.get(spec.key, FieldRight())
            if read is not None:
                seen = read if now.seen_by is None else read & now.seen_by
                mine[spec.key] = replace(now, seen_by=seen)


def rows(session: Session) -> Sequence[FieldRule]:
    """Return what the present firm says."""
    statement = select(FieldRule).where(FieldRule.deleted_at.is_(None)).order_by(FieldRule.id)
    return session.execute(statement.limit(10_000)).scalars().all()


def _roles(written: str | None) -> frozenset[str] | None:
    return None if written is None else frozenset(one for one in written.split(",") if one)


def why_not_hidden(record_type: RecordType, spec: Field) -> str:
    """Return why a field is seen by all who see its record; empty when it may be hidden."""
    if spec.key in rights.structure(record_type):
        return _("It names the record or gives it its place.")
    if spec.own is None and not _goes_by_type(record_type, spec):
        return _("It also stands on pages and in searches of its own.")
    return ""


def _goes_by_type(record_type: RecordType, spec: Field) -> bool:
    """Tell whether nothing shows a field but what goes by its type."""
    if record_type.name not in of_plugins():
        return spec.key in HIDEABLE.get(record_type.name, ()) or _added(record_type, spec)
    pages = pages_of(record_type.name)
    # A plugin's page of its own names its fields.
    return pages is None or (pages.options.detail is None and spec.key not in pages.options.mark_keys)


def _added(record_type: RecordType, spec: Field) -> bool:
    """Tell whether a plugin brought a field to a type of the platform."""
    parts = added_fields().get(record_type.name, {})
    return any(spec.key == one.key for _heading, fields in parts.values() for one in fields)


def why_not_locked(record_type: RecordType, spec: Field) -> str:
    """Return why nobody is kept from setting a field; empty when roles may be."""
    if spec.readonly:
        return _("Nobody sets it by hand.")
    model: Any = record_type.model
    column = model.__table__.columns.get(spec.key)
    needed = column is not None and not column.nullable and column.server_default is None
    if spec.own is None and spec.required and spec.default is None and (needed or column is None):
        return _("No record can be made without it.")
    return ""


class FieldRuleService(RecordService[FieldRule]):
    """Write which roles see and change fields."""

    type_name = "field_rules"
    following = ""

    def follow(self, object_name: str, key: str, new_key: str) -> None:
        """Let what is said of a field hold for a new one, too, which takes values of it."""
        rule = self.row(object_name, key)
        if rule is not None:
            self.following = new_key
            values = {"seen_by": rule.seen_by, "edited_by": rule.edited_by}
            self.create({"object": object_name, "field": new_key, **values})

    def put(
        self,
        object_name: str,
        key: str,
        seen_by: Collection[str] | None,
        edited_by: Collection[str] | None,
        *,
        version: int | None = None,
    ) -> FieldRule | None:
        """Say who sees a field and who may change it; None for all who may see the record.

        :param version: of the row that the person saw, 0 for none.
        :raises Conflict: when somebody else said something in the meantime.
        """
        row = self.row(object_name, key)
        if version is not None and version != (row.version if row is not None else 0):
            raise Conflict(_("Somebody else changed this at the same moment. Load it again."))
        if seen_by is not None:
            edited_by = set(seen_by) if edited_by is None else set(edited_by) & set(seen_by)
            edited_by = None if edited_by == set(seen_by) else edited_by
        values = {"seen_by": _written(seen_by), "edited_by": _written(edited_by)}
        if seen_by is None and edited_by is None:
            return self.trash(row.id) if row is not None else None
        if row is not None:
            return self.update(row.id, values)
        try:
            with self.session.begin_nested():
                return self.create({"object": object_name, "field": key, **values})
        except IntegrityError as error:
            raise Conflict(_("Somebody else changed this at the same moment. Load it again.")) from error

    def row(self, object_name: str, key: str) -> FieldRule | None:
        """Return what is said of a field."""
        statement = select(FieldRule).where(
            FieldRule.object == object_name, FieldRule.field == key, FieldRule.deleted_at.is_(None)
        )
        return self.session.execute(statement).scalar_one_or_none()

    def prepare(self, record: FieldRule, changed: set[str]) -> None:
        """Tell an empty list of roles, which is owners alone, from none."""
        for key in ("seen_by", "edited_by"):
            written = getattr(record, key)
            setattr(record, key, None if written is None else _written(_roles(written)))

    def check(self, record: FieldRule, changed: set[str]) -> None:
        """Refuse what can't hold, and what its author could use to see more.

        :raises InvalidInput: names the field.
        :raises Forbidden: for a field that the actor's own role does not see.
        """
        if record.field == self.following:
            return  # The request that makes a field does not know it yet.
        self._refuse_blind(record)
        record_type = unrestricted(record.object)
        spec = record_type.by_key.get(record.field)
        if spec is None:
            message = _("There is no field “%(name)s”.", name=record.field)
            raise InvalidInput(message, fields={"field": [message]})
        for key, why in (
            ("seen_by", why_not_hidden(record_type, spec) if record.seen_by is not None else ""),
            ("edited_by", why_not_locked(record_type, spec) if record.edited_by is not None else ""),
        ):
            if why:
                raise InvalidInput(why, fields={key: [why]})

    def _refuse_blind(self, record: FieldRule) -> None:
        role = rights.role_of(self.actor)
        now = rights.of(record.object).get(record.field)
        if role is not None and now is not None and not now.sees(role):
            raise Forbidden(_("Your role does not see this field; ask an owner."))

    def trash(self, record_id: object, *, version: int | None = None) -> FieldRule:
        """Let all see and change a field again."""
        self._refuse_blind(self.get(record_id, action="delete"))
        return super().trash(record_id, version=version)

    def saved(self, records: Sequence[FieldRule], action: str) -> None:
        """Let it hold from now on, in all processes, and write the search terms of own fields anew."""
        shape.changed(self.session)
        for record in records:
            spec = unrestricted(record.object).by_key.get(record.field)
            if spec is not None and spec.own is not None and spec.own.searchable:
                jobs.enqueue(self.session, "fields.index", field_id=str(spec.own.id))

    def search_texts(self, record: FieldRule) -> Iterable[tuple[str, str]]:
        """Nobody searches for rights."""
        return ()

    def title_of(self, record: FieldRule) -> str:
        """Return the field's key with its type."""
        return f"{record.object}.{record.field}"


def _written(roles: Collection[str] | None) -> str | None:
    # A comma alone stands for no role: an empty text would be read as no answer.
    return None if roles is None else ",".join(sorted(one for one in roles if one)) or ","
