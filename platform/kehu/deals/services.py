"""What can be done with deals."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, inspect, select, update

from kehu.core import clock, context, counters
from kehu.core.errors import InvalidInput, StaleVersion
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.money import is_currency
from kehu.core.records import stale
from kehu.core.records.service import RecordService
from kehu.core.tables import metadata
from kehu.core.text import fold
from kehu.customers.models import Contact
from kehu.deals import ranks
from kehu.deals.models import Deal, Pipeline, Product, Stage

PLACE = "_place"
"""Key in the trail under which a move keeps the card's place, so that undo puts it back exactly."""


def refused(field: str, message: str) -> InvalidInput:
    """Return a refusal that names one field."""
    return InvalidInput(message, fields={field: [message]})


class DealService(RecordService[Deal]):
    """Write deals; each way to change a stage (drag, form, import, API) runs the same rules."""

    type_name = "deals"

    def __init__(self, session: Any, actor: context.Actor | None = None) -> None:
        super().__init__(session, actor)
        self._stages: dict[uuid.UUID, Stage] | None = None
        self._rank: str | None = None
        self._before: dict[uuid.UUID, dict[str, Any]] = {}
        self._prices: dict[tuple[Any, str], int] = {}
        self._now = clock.now()
        self._made = 0

    # Stages ----------------------------------------------------------------------------

    def stages(self) -> dict[uuid.UUID, Stage]:
        """Return the live stages of all pipelines by id, the default pipeline's first."""
        if self._stages is None:
            statement = (
                select(Stage)
                .join(Pipeline, (Pipeline.tenant_id == Stage.tenant_id) & (Pipeline.id == Stage.pipeline_id))
                .where(Stage.deleted_at.is_(None), Pipeline.deleted_at.is_(None))
                .order_by(Pipeline.is_default.desc(), Pipeline.position, Stage.position, Stage.id)
            )
            self._stages = {stage.id: stage for stage in self.session.execute(statement).scalars()}
        return self._stages

    def stage(self, stage_id: object) -> Stage:
        """Return a live stage.

        :raises InvalidInput: when there is none with this id.
        """
        found_id = parse_id(stage_id)
        found = self.stages().get(found_id) if found_id else None
        if found is None:
            raise refused("stage_id", _("Choose a stage from the list."))
        return found

    def first_stage(self, outcome: str = "open", pipeline_id: uuid.UUID | None = None) -> Stage:
        """Return the first stage of a pipeline (the default one) that means open, won or lost.

        :raises InvalidInput: when the pipeline has none.
        """
        for stage in self.stages().values():
            if stage.outcome == outcome and pipeline_id in (None, stage.pipeline_id):
                return stage
        raise refused("stage_id", _("This pipeline has no such stage; add one in the settings of pipelines."))

    # Moving ----------------------------------------------------------------------------

    def move(
        self,
        deal_id: object,
        stage_id: object,
        *,
        after: object = None,
        before: object = None,
        version: int | None = None,
        lost_reason: str | None = None,
    ) -> Deal:
        """Put a deal into a stage, at a place among its cards (the top by default).

        :param after: the deal that shall stand above it; `before`: the one below.
        :param version: what the person saw; a move by somebody else since then refuses this one.
        :raises StaleVersion: when the deal stands in another stage by now.
        :raises InvalidInput: names `lost_reason` when a lost stage needs it.
        """
        record = self.get(deal_id, action="write", lock=True)
        stage = self.stage(stage_id)
        if version is not None and version != record.version:
            self._refuse_moved(record, version)
        self._rank = self._rank_at(stage.id, record.id, parse_id(after), parse_id(before))
        if stage.id == record.stage_id:
            self._reorder(record, self._rank)
            return record
        values: dict[str, Any] = {"stage_id": stage.id}
        if lost_reason is not None:
            values["lost_reason"] = lost_reason
        loaded, errors = self.load(values, new=False, record=record)
        if errors:
            raise InvalidInput(_("Some fields need another value."), fields=errors)
        self._change(record, loaded)
        return record

    def win(self, deal_id: object, *, version: int | None = None) -> Deal:
        """Move a deal to the won stage of its pipeline."""
        record = self.get(deal_id, action="write")
        return self.move(deal_id, self.first_stage("won", record.pipeline_id).id, version=version)

    def lose(self, deal_id: object, lost_reason: str, *, version: int | None = None) -> Deal:
        """Move a deal to the lost stage of its pipeline, saying why."""
        record = self.get(deal_id, action="write")
        stage = self.first_stage("lost", record.pipeline_id)
        return self.move(deal_id, stage.id, version=version, lost_reason=lost_reason)

    def _refuse_moved(self, record: Deal, version: int) -> None:
        error = stale.stale_error(self.session, self.type, record, {"stage_id": record.stage_id}, version)
        if "stage_id" not in error.details["changed"]:
            return  # Another field was changed; a move does not overwrite it.
        now = self.stages().get(record.stage_id)
        raise StaleVersion(
            _(
                "%(who)s moved “%(deal)s” to %(stage)s meanwhile. It stays there; move it again if you want.",
                who=error.details["changed_by"] or _("Somebody else"),
                deal=record.name,
                stage=now.name if now else "",
            ),
            **error.details,
            stage=str(record.stage_id),
        )

    def _rank_at(
        self,
        stage_id: uuid.UUID,
        deal_id: uuid.UUID,
        after: uuid.UUID | None,
        before: uuid.UUID | None,
        again: bool = True,
    ) -> str:
        above = self._rank_of(stage_id, after)
        below = self._rank_of(stage_id, before)
        near = (
            select(Deal.rank)
            .where(Deal.stage_id == stage_id, Deal.deleted_at.is_(None), Deal.id != deal_id)
            .limit(1)
        )
        if above is not None:
            beyond = (Deal.rank > above) | ((Deal.rank == above) & (Deal.id > after))
            near = near.where(Deal.rank >= above, beyond, Deal.id != after).order_by(Deal.rank, Deal.id)
            below = self.session.execute(near).scalar()
        elif below is not None:
            beyond = (Deal.rank < below) | ((Deal.rank == below) & (Deal.id < before))
            near = near.where(Deal.rank <= below, beyond).order_by(Deal.rank.desc(), Deal.id.desc())
            above = self.session.execute(near).scalar()
        else:
            below = self.session.execute(near.order_by(Deal.rank, Deal.id)).scalar()
        found = ranks.between(above, below, self._now)
        if found is not None:
            return found
        if not again:
            return ranks.top(self._now)
        self._rank_anew(stage_id)
        return self._rank_at(stage_id, deal_id, after, before, again=False)

    def _rank_of(self, stage_id: uuid.UUID, deal_id: uuid.UUID | None) -> str | None:
        if deal_id is None:
            return None
        statement = select(Deal.rank).where(
            Deal.id == deal_id, Deal.stage_id == stage_id, Deal.deleted_at.is_(None)
        )
        return self.session.execute(statement).scalar()

    def _rank_anew(self, stage_id: uuid.UUID) -> None:
        """Give every card of a column a fresh rank, in its present order (rows that came without one)."""
        statement = (
            select(Deal.id)
            .where(Deal.stage_id == stage_id, Deal.deleted_at.is_(None))
            .order_by(Deal.rank, Deal.id)
        )
        fresh = [
            {"deal": deal_id, "fresh": ranks.top(self._now, place * 1000)}
            for place, deal_id in enumerate(self.session.execute(statement).scalars())
        ]
        deals = metadata.tables["deals"]
        # In one go, and past the unit of work: the order of cards is no change of the record.
        self.session.connection().execute(
            update(deals)
            .where(deals.c.tenant_id == self.tenant.id, deals.c.id == bindparam("deal"))
            .values(rank=bindparam("fresh")),
            fresh,
        )

    def _reorder(self, record: Deal, rank: str) -> None:
        self._rank = None
        self._set_rank(record.id, rank)
        self.session.refresh(record, ["rank"])

    def _set_rank(self, deal_id: uuid.UUID, rank: str) -> None:
        # Past the unit of work: the order of cards is no change of the record, so its version stays.
        self.session.execute(
            update(Deal)
            .where(Deal.tenant_id == self.tenant.id, Deal.id == deal_id)
            .values(rank=rank, version=Deal.version),
            execution_options={"synchronize_session": False},
        )

    # The rules of the record service ---------------------------------------------------

    def defaults(self) -> dict[str, Any]:
        """A new deal is the actor's, opened today, in the tenant's currency and the first stage."""
        return {
            **super().defaults(),
            "currency": self.tenant.currency,
            "opened_on": clock.today(self.tenant.tz),
            "tags": [],
        }

    def prepare_new(self, records: Sequence[Deal]) -> None:
        """Give each its number and a place at the top of its column, the first row first."""
        first = counters.take(self.session, "deals", len(records))
        for offset, record in enumerate(records):
            record.number = first + offset
            record.rank = ranks.top(self._now, self._made + offset)
        self._made += len(records)

    def prepare(self, record: Deal, changed: set[str]) -> None:
        """Derive name, currency, customer and what follows from the stage."""
        record.name_norm = fold(record.name)
        record.currency = (record.currency or self.tenant.currency).upper()
        record.amount = record.amount or 0
        new = bool(inspect(record).transient)
        if record.contact_id is not None and record.customer_id is None:
            record.customer_id = self._customer_of(record.contact_id)
        if new and record.product_id is not None and "amount" not in changed:
            self._price(record)
        given: Any = record.stage_id
        if given is None:
            record.stage_id = self.first_stage().id
            changed.add("stage_id")
        if new or "stage_id" in changed:
            self._enter(record, changed)
        elif record.status == "open":
            record.closed_at = None
        elif record.closed_at is None:
            record.closed_at = self._now

    def _enter(self, record: Deal, changed: set[str]) -> None:
        stage = self.stage(record.stage_id)
        record.pipeline_id, record.status, record.stage_since = stage.pipeline_id, stage.outcome, self._now
        if stage.outcome == "open":
            record.closed_at = None
        elif record.closed_at is None or "closed_at" not in changed:
            record.closed_at = self._now
        if inspect(record).transient and self._importing():
            record.stage_since = self._known_since(record)
        record.rank, self._rank = self._rank or ranks.top(self._now), None

    def _known_since(self, record: Deal) -> dt.datetime:
        """History that comes in stands in its stage since it was closed or, as far as is known, opened."""
        if record.closed_at is not None:
            return record.closed_at
        if record.opened_on is None:
            return self._now
        return min(dt.datetime.combine(record.opened_on, dt.time(9), self.tenant.tz), self._now)

    def _price(self, record: Deal) -> None:
        # Many deals of an import name few products: each is looked up once.
        key = (record.product_id, record.currency)
        if key not in self._prices:
            statement = select(Product.price).where(
                Product.id == record.product_id, Product.currency == record.currency
            )
            self._prices[key] = self.session.execute(statement).scalar() or 0
        record.amount = self._prices[key]

    def _customer_of(self, contact_id: uuid.UUID) -> uuid.UUID | None:
        return self.session.execute(select(Contact.customer_id).where(Contact.id == contact_id)).scalar()

    def check(self, record: Deal, changed: set[str]) -> None:
        """Refuse a lost deal without reason, a contact of another customer, an unknown currency."""
        if not is_currency(record.currency):
            raise refused("currency", _("“%(code)s” is no currency; write it as EUR.", code=record.currency))
        if record.status == "lost" and not record.lost_reason and not self._importing():
            raise refused("lost_reason", _("Say why the deal was lost; it helps to win the next one."))
        if changed & {"contact_id", "customer_id"} and not self._contact_fits(record):
            raise refused(
                "contact_id",
                _("This contact belongs to another customer; choose one of the deal's customer."),
            )

    def _contact_fits(self, record: Deal) -> bool:
        return record.contact_id is None or self._customer_of(record.contact_id) == record.customer_id

    def _importing(self) -> bool:
        """Tell whether history of another system comes in: its lost deals often have no reason."""
        return self.actor.kind == "import" or context.current().source == "import"

    def _change(self, record: Deal, loaded: Mapping[str, Any], *, flush: bool = True) -> bool:
        values = dict(loaded)
        stage_id = values.get("stage_id")
        moves = "stage_id" in values and stage_id != record.stage_id
        if moves and stage_id is not None and self.stage(stage_id).outcome != "lost" and record.lost_reason:
            values.setdefault("lost_reason", None)
        if moves and record.closed_at is not None:
            values.setdefault("closed_at", None)
        if (
            values.get("customer_id", record.customer_id) != record.customer_id
            and record.contact_id is not None
        ):
            values.setdefault("contact_id", None)
        if moves:
            self._before[record.id] = place_of(record)
        return super()._change(record, values, flush=flush)

    def _trail(
        self, record: Deal, action: str, changes: dict[str, list[Any]], *, version: int | None = None
    ) -> None:
        if action == "updated" and "stage_id" in changes:
            action = {"open": "moved"}.get(record.status, record.status)
            changes = {**changes, PLACE: [self._before.pop(record.id, None), place_of(record)]}
        super()._trail(record, action, changes, version=version)

    def undone(self, record: Deal, changes: Mapping[str, list[Any]]) -> None:
        """Put the card back to the place, and the day, that it had before a move."""
        before = changes.get(PLACE, [None])[0]
        if before:
            record.rank = before["rank"]
            record.stage_since = _instant(before["since"])
            self._flush()

    def restore(self, record_id: object) -> Deal:
        """Take a deal out of the trash; when its stage was retired, into the first that means the same."""
        record = super().restore(record_id)
        if record.stage_id not in self.stages():
            stage = self.first_stage(record.status)
            self._change(record, {"stage_id": stage.id, "closed_at": record.closed_at})
        return record

    def search_texts(self, record: Deal) -> Iterable[tuple[str, str]]:
        """Find a deal by title, number and tag."""
        yield "name", record.name
        yield "code", str(record.number)
        yield from (("tag", tag) for tag in record.tags)

    def count_in_stage(self, stage_id: uuid.UUID) -> int:
        """Return how many live deals stand in a stage, whoever owns them."""
        statement = (
            select(func.count()).select_from(Deal).where(Deal.stage_id == stage_id, Deal.deleted_at.is_(None))
        )
        return int(self.session.execute(statement).scalar_one())


def place_of(record: Deal) -> dict[str, Any]:
    """Return where a card stands, as JSON."""
    return {"rank": record.rank, "since": record.stage_since.isoformat()}


def _instant(written: str) -> dt.datetime:
    return dt.datetime.fromisoformat(written)
