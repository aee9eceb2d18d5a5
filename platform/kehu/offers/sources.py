"""Where dated things come from: terms of owned items, items in use for so long, and what plugins declare."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Text, and_, case, cast, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from kehu.addons.calls import call
from kehu.core import context, hooks
from kehu.core.i18n import _l
from kehu.items.calendar import add_months
from kehu.items.models import OwnedItem, OwnedItemTerm
from kehu.offers.models import Offer, OfferRule
from plugins.offering import DatedThing, OfferSource

MOST_OF_A_PLUGIN = 20_000
SAME = {"warranty": ("warranty", "extended_warranty"), "extended_warranty": ("warranty", "extended_warranty")}
"""Kinds of terms of which one follows on the other."""


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A dated thing for which an offer is made."""

    key: str
    customer_id: uuid.UUID
    name: str
    due_on: dt.date
    contact_id: uuid.UUID | None = None
    item_id: uuid.UUID | None = None
    term_id: uuid.UUID | None = None
    owner_id: uuid.UUID | None = None
    basis: str = ""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of an offer's thing: why nothing needs to be offered, or its new day."""

    offer_id: uuid.UUID
    ended: str = ""
    due_on: dt.date | None = None
    basis: str | None = None


class Source(Protocol):
    """A kind of dated thing."""

    @property
    def key(self) -> str:
        """Return the source as rules name it."""

    @property
    def label(self) -> Any:
        """Return what has its day."""

    def due(
        self, session: Session, rule: OfferRule, since: dt.date, until: dt.date, limit: int
    ) -> list[Thing]:
        """Return things whose day lies within, and for which the rule has no offer yet."""

    def fates(
        self, session: Session, rule: OfferRule, states: Sequence[str], since: dt.date
    ) -> Iterator[Fate]:
        """Give what has changed about the things of a rule's offers in these states, due since a day."""


@dataclass(frozen=True, kw_only=True)
class TermSource:
    """Terms of owned items of one kind: a warranty, a contract, a policy."""

    kind: str
    label: Any

    @property
    def key(self) -> str:
        """The source as rules name it."""
        return f"term.{self.kind}"

    def due(
        self, session: Session, rule: OfferRule, since: dt.date, until: dt.date, limit: int
    ) -> list[Thing]:
        """Return running terms that end within, unless a later one follows already."""
        term, item = OwnedItemTerm, OwnedItem
        statement = (
            select(term.id, term.customer_id, term.item_id, term.owner_id, term.name, term.effective_end)
            .add_columns(term.expectation, term.expected_ends_on, item.name.label("item"), item.contact_id)
            .join(item, and_(item.tenant_id == term.tenant_id, item.id == term.item_id))
            .where(
                term.state == "active",
                term.item_in_use,
                term.deleted_at.is_(None),
                term.effective_end >= since,
                term.effective_end <= until,
                term.kind == self.kind,
                ~_later(self.kind),
                ~_offered(rule, Offer.term_id == term.id, term.customer_id),
            )
            .order_by(term.effective_end, term.id)
            .limit(limit)
        )
        if rule.product_id is not None:
            statement = statement.where(item.product_id == rule.product_id)
        return [
            Thing(
                key=str(row.id),
                customer_id=row.customer_id,
                contact_id=row.contact_id,
                item_id=row.item_id,
                term_id=row.id,
                name=f"{row.name} – {row.item}",
                due_on=row.effective_end,
                owner_id=row.owner_id,
                basis=row.expectation or "" if row.expected_ends_on == row.effective_end else "",
            )
            for row in session.execute(statement)
        ]

    def fates(
        self, session: Session, rule: OfferRule, states: Sequence[str], since: dt.date
    ) -> Iterator[Fate]:
        """Give offers whose term was renewed, whose item is no longer the customer's, or whose day has moved."""
        term = OwnedItemTerm
        bought = or_(term.state == "renewed", _later(self.kind))
        sold = or_(~term.item_in_use, term.customer_id != Offer.customer_id)
        gone = or_(term.deleted_at.is_not(None), term.state == "cancelled", term.effective_end.is_(None))
        moved = Offer.due_on != term.effective_end
        statement = (
            select(
                Offer.id,
                term.effective_end,
                term.expected_ends_on,
                term.expectation,
                case((sold, "sold"), (bought, "bought"), (gone, "gone"), else_="").label("ended"),
            )
            .join(term, and_(term.tenant_id == Offer.tenant_id, term.id == Offer.term_id))
            .where(
                Offer.rule_id == rule.id,
                Offer.state.in_(states),
                Offer.due_on >= since,
                Offer.deleted_at.is_(None),
                or_(bought, sold, gone, moved),
            )
        )
        for row in session.execute(statement):
            by_use = row.expected_ends_on is not None and row.expected_ends_on == row.effective_end
            yield Fate(
                offer_id=row.id,
                ended=row.ended,
                due_on=row.effective_end,
                basis=(row.expectation or "") if by_use else "",
            )


def _later(kind: str) -> ColumnElement[bool]:
    """Tell whether a term of the kind follows on one: begun later, ends later."""
    follow = aliased(OwnedItemTerm)
    return exists(
        select(literal(1)).where(
            follow.tenant_id == OwnedItemTerm.tenant_id,
            follow.item_id == OwnedItemTerm.item_id,
            follow.kind.in_(SAME.get(kind, (kind,))),
            follow.state.in_(("active", "renewed", "ended")),
            follow.deleted_at.is_(None),
            follow.starts_on > OwnedItemTerm.starts_on,
            or_(follow.effective_end.is_(None), follow.effective_end > OwnedItemTerm.effective_end),
        )
    )


def _offered(rule: OfferRule, same: ColumnElement[bool], customer: Any) -> ColumnElement[bool]:
    return exists(
        select(literal(1)).where(
            Offer.tenant_id == context.tenant().id,
            Offer.rule_id == rule.id,
            same,
            Offer.customer_id == customer,
        )
    )


@dataclass(frozen=True, kw_only=True)
class AgeSource:
    """Items that have been in use for so many months, as a part that wears."""

    key: str
    label: Any

    def due(
        self, session: Session, rule: OfferRule, since: dt.date, until: dt.date, limit: int
    ) -> list[Thing]:
        """Return items in use whose month comes within."""
        item, months = OwnedItem, rule.months_after or 0
        day = cast(item.in_service_on + func.make_interval(0, months), type_=item.in_service_on.type)
        statement = (
            select(item.id, item.customer_id, item.contact_id, item.owner_id, item.name, day.label("day"))
            .where(
                item.status == "in_use",
                item.deleted_at.is_(None),
                # The index knows the day of first use; a month more on each side covers shorter months.
                item.in_service_on >= add_months(since, -months - 1),
                item.in_service_on <= add_months(until, -months + 1),
                day >= since,
                day <= until,
                ~_offered(rule, Offer.thing == _age_key(months), item.customer_id),
            )
            .order_by(day, item.id)
            .limit(limit)
        )
        if rule.product_id is not None:
            statement = statement.where(item.product_id == rule.product_id)
        return [
            Thing(
                key=f"{row.id} {months}",
                customer_id=row.customer_id,
                contact_id=row.contact_id,
                item_id=row.id,
                name=row.name,
                due_on=row.day,
                owner_id=row.owner_id,
            )
            for row in session.execute(statement)
        ]

    def fates(
        self, session: Session, rule: OfferRule, states: Sequence[str], since: dt.date
    ) -> Iterator[Fate]:
        """Give offers whose item is no longer in use, or no longer the customer's."""
        item = OwnedItem
        sold = or_(item.status != "in_use", item.customer_id != Offer.customer_id)
        statement = (
            select(Offer.id, sold.label("sold"))
            .join(item, and_(item.tenant_id == Offer.tenant_id, item.id == Offer.item_id))
            .where(
                Offer.rule_id == rule.id,
                Offer.state.in_(states),
                Offer.due_on >= since,
                Offer.deleted_at.is_(None),
                or_(sold, item.deleted_at.is_not(None)),
            )
        )
        for row in session.execute(statement):
            yield Fate(offer_id=row.id, ended="sold" if row.sold else "gone")


def _age_key(months: int) -> ColumnElement[str]:
    return cast(OwnedItem.id, Text) + f" {months}"


@dataclass(frozen=True, kw_only=True)
class PluginSource:
    """What a plugin declares; its functions run in a savepoint, and a fault of theirs is the plugin's."""

    slug: str
    declared: OfferSource

    @property
    def key(self) -> str:
        """The source as rules name it."""
        return self.declared.key

    @property
    def label(self) -> Any:
        """What has its day."""
        return self.declared.label

    def due(
        self, session: Session, rule: OfferRule, since: dt.date, until: dt.date, limit: int
    ) -> list[Thing]:
        """Return the plugin's things that the rule has not offered for yet."""
        found = [one for one in self._ask(since, until) if since <= one.due_on <= until]
        statement = select(Offer.thing, Offer.customer_id).where(
            Offer.rule_id == rule.id, Offer.thing.in_([one.key for one in found])
        )
        known = {(row.thing, row.customer_id) for row in session.execute(statement)}
        fresh = [one for one in found if (one.key, one.customer_id) not in known]
        return [_thing(one) for one in fresh[:limit]]

    def _ask(self, since: dt.date, until: dt.date) -> list[DatedThing]:
        def ask() -> list[DatedThing]:
            found = list(self.declared.due(call(self.slug), since, until))[:MOST_OF_A_PLUGIN]
            if not all(isinstance(one, DatedThing) for one in found):
                raise TypeError(f"The source {self.key!r} has to return a list of DatedThing.")
            return found

        name = f"offer source {self.key}"
        answer: list[DatedThing] = hooks.host().relay.run_declared(
            name, self.slug, ask, tenant=context.tenant().id
        )
        return answer

    def fates(
        self, session: Session, rule: OfferRule, states: Sequence[str], since: dt.date
    ) -> Iterator[Fate]:
        """Give what the plugin says of the things of a rule's offers."""
        if self.declared.fates is None:
            return
        statement = select(Offer.id, Offer.thing).where(
            Offer.rule_id == rule.id,
            Offer.state.in_(states),
            Offer.due_on >= since,
            Offer.deleted_at.is_(None),
        )
        by_key: dict[str, list[uuid.UUID]] = {}
        for row in session.execute(statement):
            by_key.setdefault(row.thing, []).append(row.id)
        name = f"offer source {self.key}"
        said: Mapping[str, str] = hooks.host().relay.run_declared(
            name, self.slug, self.declared.fates, call(self.slug), list(by_key), tenant=context.tenant().id
        )
        for key, ended in said.items():
            for offer_id in by_key.get(key, ()):
                yield Fate(offer_id=offer_id, ended=ended if ended in ("bought", "sold") else "gone")


def _thing(one: DatedThing) -> Thing:
    return Thing(
        key=one.key,
        customer_id=one.customer_id,
        contact_id=one.contact_id,
        item_id=one.item_id,
        name=one.name[:200],
        due_on=one.due_on,
        owner_id=one.owner_id,
        basis=one.basis[:500],
    )


_OWN: tuple[Source, ...] = (
    TermSource(kind="warranty", label=_l("A warranty ends")),
    TermSource(kind="extended_warranty", label=_l("An extended warranty ends")),
    TermSource(kind="contract", label=_l("A service contract ends")),
    TermSource(kind="insurance", label=_l("An insurance ends")),
    TermSource(kind="finance", label=_l("A loan or lease ends")),
    TermSource(kind="inspection", label=_l("An inspection is due")),
    TermSource(kind="other", label=_l("Another term ends")),
    AgeSource(key="item.age", label=_l("So long after the first use")),
)


def available() -> list[Source]:
    """Return the sources of the present firm: the platform's, then those of its plugins."""
    enabled = hooks.enabled()
    declared = hooks.host().declarations.offer_sources
    return [*_OWN, *(PluginSource(slug=slug, declared=one) for slug, one in declared if slug in enabled)]


def source_of(key: str) -> Source | None:
    """Return a source by its key, or None when its plugin is off."""
    return next((one for one in available() if one.key == key), None)
