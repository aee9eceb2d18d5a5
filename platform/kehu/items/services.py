"""What can be done with owned items and their terms."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import inspect, select, update
from sqlalchemy.orm import Session

from kehu.core import bulk, clock, context
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.records import scope as scoping
from kehu.core.records.following import FollowingService
from kehu.core.text import fold
from kehu.items.calendar import add_months, earlier
from kehu.items.models import OwnedItem, OwnedItemTerm
from kehu.items.records import ITEMS

INHERITED = frozenset({"customer_id", "owner_id", "status"})
"""What terms take over from their item."""

DATES = frozenset({"starts_on", "months", "ends_on"})
"""What a term's end is reckoned from."""

Expectation = tuple[dt.date | None, str]
"""When a term is expected to end by use, and in words how that was reckoned."""


class ItemService(FollowingService[OwnedItem]):
    """Write owned items."""

    type_name = "owned_items"

    def defaults(self) -> dict[str, Any]:
        """A new item has no tags."""
        return {**super().defaults(), "tags": []}

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        super().__init__(session, actor)
        self._handed_down: set[uuid.UUID] = set()

    def prepare(self, record: OwnedItem, changed: set[str]) -> None:
        """Normalise name and serial; a new item is looked after by who looks after its customer."""
        record.name_norm = fold(record.name)
        record.serial_norm = fold(record.serial) if record.serial else None
        if inspect(record).transient:
            if "owner_id" not in changed:
                record.owner_id = self.owner_by_leader(record.customer_id) or record.owner_id
        elif changed & INHERITED:
            self._handed_down.add(record.id)

    def saved(self, records: Sequence[OwnedItem], action: str) -> None:
        """Hand down to terms whose they are and whether the item is in use."""
        for record in records:
            if record.id not in self._handed_down:
                continue
            self._handed_down.discard(record.id)
            self.session.execute(
                update(OwnedItemTerm)
                .where(OwnedItemTerm.tenant_id == self.tenant.id, OwnedItemTerm.item_id == record.id)
                .values(**inherited(record))
                .execution_options(synchronize_session="evaluate")
            )

    def search_texts(self, record: OwnedItem) -> Iterable[tuple[str, str]]:
        """Find an item by name, serial number and its end, number elsewhere and tag."""
        yield "name", record.name
        if record.serial:
            yield "serial", record.serial
        if record.external_id:
            yield "code", record.external_id
        yield from (("tag", tag) for tag in record.tags)


def inherited(item: OwnedItem) -> dict[str, Any]:
    """Return what terms hold of their item."""
    return {
        "customer_id": item.customer_id,
        "owner_id": item.owner_id,
        "item_in_use": item.status == "in_use",
    }


class TermService(FollowingService[OwnedItemTerm]):
    """Write the terms of items; who may change an item may change its terms."""

    type_name = "owned_item_terms"

    def defaults(self) -> dict[str, Any]:
        """A new term is in the tenant's currency."""
        return {**super().defaults(), "currency": self.tenant.currency}

    def prepare(self, record: OwnedItemTerm, changed: set[str]) -> None:
        """Reckon the end, take over what is the item's, name it."""
        if inspect(record).transient or "item_id" in changed:
            item = self._item(record.item_id)
            for key, value in inherited(item).items():
                setattr(record, key, value)
        self._reckon(record, changed)
        if record.state != "renewed":
            record.renewed_by_id = None
        record.effective_end = earlier(record.ends_on, record.expected_ends_on)
        if not record.name:
            kind = self.type.by_key["kind"].option(record.kind)
            record.name = " – ".join(
                part for part in (str(kind.label) if kind else record.kind, record.provider) if part
            )
        record.name_norm = fold(record.name)

    def _reckon(self, record: OwnedItemTerm, changed: set[str]) -> None:
        """Derive the end from start and months, unless a person gave an end alone."""
        given = "ends_on" in changed and record.ends_on is not None
        if given and "months" not in changed:
            record.months = None if inspect(record).persistent else record.months
        if record.months is not None and not given:
            record.ends_on = self._end(record)
        reckoned = self._end(record) if record.months is not None else record.ends_on
        if reckoned != record.ends_on:
            message = _(
                "%(months)s months from %(start)s end on %(end)s. Leave one of the two empty.",
                months=record.months,
                start=record.starts_on.isoformat(),
                end=reckoned.isoformat() if reckoned else "",
            )
            raise InvalidInput(message, fields={"ends_on": [message]})
        if "state" not in changed and (inspect(record).transient or changed & DATES):
            self._follow_end(record)

    def _follow_end(self, record: OwnedItemTerm) -> None:
        """End a running term whose day has passed, and let one run again that was prolonged."""
        if record.ends_on is None or record.state not in ("active", "ended"):
            return
        record.state = "ended" if record.ends_on <= self._today() else "active"

    def _end(self, record: OwnedItemTerm) -> dt.date:
        try:
            return add_months(record.starts_on, record.months or 0)
        except OverflowError as error:
            message = _("This date is out of range.")
            raise InvalidInput(message, fields={"months": [message]}) from error

    def check(self, record: OwnedItemTerm, changed: set[str]) -> None:
        """Refuse terms of items that the actor may not change, and ends before the beginning."""
        item, reach = self._item(record.item_id), self.actor.scope("owned_items:write")
        if not scoping.within(ITEMS, item, self.actor, reach, self.session):
            message = _("This owned item belongs to somebody else; your role allows only your own.")
            raise InvalidInput(message, fields={"item_id": [message]})
        if record.ends_on is not None and record.ends_on <= record.starts_on:
            message = _("This must be after the start.")
            raise InvalidInput(message, fields={"ends_on": [message]})
        if record.usage_limit is not None and not record.usage_unit:
            message = _("Say in which unit, for example hours.")
            raise InvalidInput(message, fields={"usage_unit": [message]})

    def renew(self, term_id: object, values: Mapping[str, Any]) -> OwnedItemTerm:
        """Let a new term follow on a running one, with the same length and terms unless values say otherwise.

        :raises Conflict: when it was renewed already or does not end.
        """
        old = self.get(term_id, action="write", lock=True)
        if old.state == "renewed":
            raise Conflict(_("“%(name)s” was renewed already.", name=old.name))
        if old.effective_end is None:
            raise Conflict(_("“%(name)s” has no end, so nothing can follow on it.", name=old.name))
        made = self.create({**self.renewal(old), **values})
        self._change(old, {"state": "renewed", "renewed_by_id": made.id})
        return made

    def renewal(self, old: OwnedItemTerm) -> dict[str, Any]:
        """Return what a following term starts with."""
        same = ("item_id", "kind", "name", "months", "provider", "usage_limit", "usage_unit")
        values = {key: str(value) for key in same if (value := getattr(old, key)) is not None}
        if old.effective_end is not None:
            values["starts_on"] = old.effective_end.isoformat()
        return values

    def expect(self, expectations: Mapping[uuid.UUID, Expectation]) -> int:
        """Keep when terms are expected to end by use; forecasts are no changes by people and leave no trail.

        :returns: how many terms got another expected end.
        """
        self.actor.require("owned_item_terms:write")
        found = self.session.execute(
            select(OwnedItemTerm.id, OwnedItemTerm.ends_on).where(OwnedItemTerm.id.in_(list(expectations)))
        ).all()
        rows = [
            {
                "id": row.id,
                "expected_ends_on": expectations[row.id][0],
                "expectation": expectations[row.id][1] or None,
                "effective_end": earlier(row.ends_on, expectations[row.id][0]),
            }
            for row in found
        ]
        bulk.update_rows(self.session, OwnedItemTerm.__table__, rows)  # type: ignore[arg-type]
        return len(rows)

    def end_passed(self, limit: int = 1000) -> int:
        """Mark running terms whose last day has passed as ended, and return how many; a forecast ends nothing."""
        statement = (
            select(OwnedItemTerm.id)
            .where(
                OwnedItemTerm.state == "active",
                OwnedItemTerm.ends_on <= self._today(),
                OwnedItemTerm.effective_end <= self._today(),  # Follows from the line above; has the index.
                OwnedItemTerm.deleted_at.is_(None),
            )
            .order_by(OwnedItemTerm.effective_end, OwnedItemTerm.id)
            .limit(limit)
        )
        ids = list(self.session.execute(statement).scalars())
        self.update_many({key: {"state": "ended"} for key in ids})
        return len(ids)

    def _item(self, item_id: uuid.UUID) -> OwnedItem:
        # Imports write many terms for few items: each is looked up once in a unit of work.
        cache: dict[uuid.UUID, OwnedItem] = self.session.info.setdefault("term_items", {})
        if item_id not in cache:
            # Asked for while a term is being changed: half of a change must not be written.
            with self.session.no_autoflush:
                cache[item_id] = self.session.execute(
                    select(OwnedItem).where(OwnedItem.id == item_id)
                ).scalar_one()
        return cache[item_id]

    def _today(self) -> dt.date:
        return clock.today(self.tenant.tz)

    def search_texts(self, record: OwnedItemTerm) -> Iterable[tuple[str, str]]:
        """Find a term by name, provider and contract number."""
        yield "name", record.name
        if record.provider:
            yield "name", record.provider
        if record.contract_number:
            yield "code", record.contract_number
