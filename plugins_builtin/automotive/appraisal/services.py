"""Keep appraisals: sums, the questions that stop an offer, who approves what."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import inspect

from kehu.api import (
    Conflict,
    Forbidden,
    RecordService,
    _,
    clock,
    plugin_settings,
    select,
    service_for,
    whole,
)
from plugins_builtin.automotive.appraisal import rules
from plugins_builtin.automotive.appraisal.models import Appraisal, AppraisalLine
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.vehicles.models import Vehicle
from plugins_builtin.automotive.vehicles.writing import wrong

NAME = f"{SLUG}.appraisals"
LINES = f"{SLUG}.appraisal_lines"
APPROVE = f"{SLUG}.appraisal:approve"
FIGURES = frozenset(
    {"market", "transport", "margin", "allowance", "payoff", "repairs", "odometer", "currency"}
)
AFTER = frozenset({"fate", "sold_for", "description", "owner_id", "state", "handed_over_km"})
"""What may still be written on an accepted appraisal: what became of the car."""


class AppraisalService(RecordService[Appraisal]):
    """Write appraisals."""

    type_name = NAME
    by_lines = False
    """The figures come from the lines just now, and nobody wrote them."""

    # --- what the platform asks ---------------------------------------------------------------------------

    def prepare(self, record: Appraisal, changed: set[str]) -> None:
        """Take customer and car over from deal and register, and reckon the sums."""
        record.state, record.repairs = record.state or "draft", record.repairs or 0
        if "market" in changed and not self.by_lines:
            record.market_written = record.market is not None
        if "deal_id" in changed or record.customer_id is None:
            deal = service_for("deals", self.session, self.actor).get(record.deal_id)
            record.customer_id = deal.customer_id
            if "currency" not in changed and record not in self.session:
                record.currency = deal.currency
        for key in ("vin", "plate"):
            written = getattr(record, key)
            setattr(record, key, "".join(str(written).split()).upper().replace("-", "") if written else None)
        vehicle = self._vehicle(record) if changed & {"vehicle_id", "vin", "plate"} else None
        if vehicle is not None:
            record.vehicle_id = vehicle.id
            record.vin, record.plate = record.vin or vehicle.vin, record.plate or vehicle.plate
            record.name = record.name or vehicle.name
        if not record.name:
            record.name = record.plate or record.vin or _("Car to trade in")
        self.reckon(record)
        if changed & FIGURES:
            # What was approved is the figures that stood then.
            record.approved_by = record.approved_at = None
        if record.state == "offered" and "state" not in changed and changed & FIGURES:
            # Another figure is another offer.
            record.state, record.valid_until, record.offered_by = "draft", None, None
        elif record.state == "offered" and "state" in changed:
            record.valid_until = self.today() + dt.timedelta(days=rules.VALID_DAYS)
            record.offered_by = self.actor.member_id

    def check(self, record: Appraisal, changed: set[str]) -> None:
        """Stop and ask where the car's history speaks against what was written, or an offer may not be made.

        :raises InvalidInput: names the field and what to do.
        """
        before = self._state_before(record, changed)
        if before in ("accepted", "declined") and changed - AFTER:
            raise Conflict(_("This appraisal is closed. Make another one for another offer."))
        if changed & {
            "vehicle_id",
            "vin",
            "plate",
            "odometer",
            "owner_reason",
            "odometer_reason",
            "customer_id",
        }:
            self._stop_and_ask(record)
        if "state" not in changed or record.state == before:
            return
        if record.state == "offered":
            self._may_be_offered(record)
        elif record.state == "accepted":
            self._may_be_accepted(record, before)

    def undone(self, record: Appraisal, changes: Mapping[str, list[Any]]) -> None:
        """Take an approval back."""
        if "approved_by" in changes:
            record.approved_by = record.approved_at = None

    def search_texts(self, record: Appraisal) -> Iterable[tuple[str, str]]:
        """Find an appraisal by its car."""
        yield "name", record.name
        yield from (("serial", number) for number in (record.vin, record.plate) if number)

    # --- what people do -----------------------------------------------------------------------------------

    def approve(self, record_id: object) -> Appraisal:
        """Allow an over-allowance above the limit, as a second person.

        :raises Forbidden: for the one who looks after the appraisal himself.
        :raises Conflict: when there is nothing to approve.
        """
        self.actor.require(APPROVE)
        record = self.get(record_id, lock=True)
        if not self.needs_approval(record):
            raise Conflict(_("Nothing is to be approved here."))
        if self.actor.member_id in (record.owner_id, record.updated_by):
            raise Forbidden(_("Somebody else must approve what you have reckoned."))
        record.approved_by, record.approved_at = self.actor.member_id, clock.now()
        self._flush()
        self._trail(record, "approved", {"approved_by": [None, str(self.actor.member_id)]})
        return record

    def needs_approval(self, record: Appraisal) -> bool:
        """Tell whether a second person has to look at the over-allowance; the limit is one of the firm's currency."""
        limit = self.limit() if record.currency == self.tenant.currency else 0
        return (record.over or 0) > limit and record.approved_by is None

    def limit(self) -> int:
        """Return how much may be given beyond the car's worth without asking, in minor units."""
        return int(plugin_settings(self.session, SLUG).get("appraisal_limit") or 0)

    def today(self) -> dt.date:
        """Return the day in the firm's zone."""
        return clock.today(self.tenant.tz)

    def reckon(self, record: Appraisal) -> None:
        """Write the sums anew."""
        found = rules.sums(
            market=record.market,
            repairs=record.repairs,
            transport=record.transport or 0,
            margin=record.margin or 0,
            allowance=record.allowance,
            payoff=record.payoff or 0,
        )
        record.acv, record.equity, record.over = found.acv, found.equity, found.over

    # --- parts --------------------------------------------------------------------------------------------

    def _state_before(self, record: Appraisal, changed: set[str]) -> str:
        if "state" not in changed or record not in self.session:
            return record.state if record in self.session else ""
        gone: Sequence[str] = inspect(record).attrs.state.history.deleted
        return gone[0] if gone else record.state

    def _vehicle(self, record: Appraisal) -> Vehicle | None:
        """Return the register's record of the car."""
        found = select(Vehicle).where(Vehicle.deleted_at.is_(None)).limit(1)
        with self.session.no_autoflush:
            for key, value in (("id", record.vehicle_id), ("vin", record.vin), ("plate", record.plate)):
                if value:
                    vehicle = self.session.execute(
                        found.where(getattr(Vehicle, key) == value)
                    ).scalar_one_or_none()
                    if vehicle is not None:
                        return vehicle
        return None

    def _stop_and_ask(self, record: Appraisal) -> None:
        vehicle = self._vehicle(record)
        if vehicle is None:
            return
        theirs = vehicle.customer_id is not None and vehicle.customer_id != record.customer_id
        if theirs and not record.owner_reason:
            key = "vin" if record.vin and record.vin == vehicle.vin else "plate"
            raise wrong(
                key,
                _(
                    "This car belongs to another customer in the register. Look at the papers, and write under “Why it "
                    "is his” what you found.",
                ),
            )
        if (
            record.odometer is not None
            and vehicle.odometer is not None
            and record.odometer < vehicle.odometer
            and not record.odometer_reason
        ):
            raise wrong(
                "odometer",
                _(
                    "The register knows %(km)s km already. Read the clock again, or write under “Why the mileage is "
                    "lower” what happened.",
                    km=whole(vehicle.odometer),
                ),
            )

    def _may_be_offered(self, record: Appraisal) -> None:
        if record.allowance is None:
            raise wrong("allowance", _("Write what you give for the car."))
        if record.odometer is None:
            raise wrong("odometer", _("Read the clock first: the offer holds for 500 km."))
        if record.payoff and rules.payoff_stale(record.payoff_on, self.today()):
            raise wrong(
                "payoff_on",
                _("Ask the lender again what is to be paid off; that answer holds for 10 days."),
            )
        if self.needs_approval(record):
            raise wrong(
                "allowance",
                _(
                    "This gives more beyond the car's worth than your firm allows. Somebody else must approve it first."
                ),
            )

    def _may_be_accepted(self, record: Appraisal, before: str) -> None:
        if before != "offered":
            raise wrong("state", _("Offer it first; the offer then holds for 7 days or 500 km."))
        ran_out = rules.expired(record.valid_until, record.odometer, record.handed_over_km, self.today())
        if ran_out == "days":
            raise wrong("state", _("The offer has run out. Look at the car again and make it anew."))
        if ran_out == "km":
            raise wrong("handed_over_km", _("The car has run more than 500 km since. Make the offer anew."))


class LineService(RecordService[AppraisalLine]):
    """Write repairs and comparable prices; the appraisal follows."""

    type_name = LINES

    def defaults(self) -> dict[str, Any]:
        """A line is in the firm's currency."""
        return {**super().defaults(), "currency": self.tenant.currency}

    def prepare(self, record: AppraisalLine, changed: set[str]) -> None:
        """Stand in the currency of the appraisal, within the reach of who writes."""
        appraisals = AppraisalService(self.session, self.actor)
        appraisal = appraisals.get(record.appraisal_id, action="write")
        if appraisal.state in ("accepted", "declined"):
            raise Conflict(_("This appraisal is closed. Make another one for another offer."))
        record.currency = appraisal.currency

    def saved(self, records: Sequence[AppraisalLine], action: str) -> None:
        """Reckon the appraisals anew."""
        self._reckon_all({record.appraisal_id for record in records})

    def _trash(self, *records: AppraisalLine) -> None:
        super()._trash(*records)
        self._reckon_all({record.appraisal_id for record in records})

    def _restored(self, record: AppraisalLine) -> None:
        super()._restored(record)
        self._reckon_all({record.appraisal_id})

    def _reckon_all(self, ids: set[uuid.UUID]) -> None:
        """Sum up the repairs, and take the mean of comparable prices where nobody wrote a market price."""
        self.session.flush()  # The sums are those of the lines that are written.
        appraisals = AppraisalService(self.session, self.actor)
        appraisals.by_lines = True
        for appraisal_id in sorted(ids):
            lines = lines_of(self.session, appraisal_id)
            repairs = sum(one.amount for one in lines if one.kind == "repair")
            values: dict[str, Any] = {"repairs": repairs}
            appraisal = appraisals.get(appraisal_id, action="write", lock=True)
            if appraisal.state in ("accepted", "declined"):
                continue
            if not appraisal.market_written:
                values["market"] = rules.middle(one.amount for one in lines if one.kind == "comparable")
            appraisals._change(appraisal, values)

    def search_texts(self, record: AppraisalLine) -> Iterable[tuple[str, str]]:
        """Lines are found at their appraisal."""
        return ()


def lines_of(session: Any, appraisal_id: uuid.UUID) -> list[AppraisalLine]:
    """Return the live lines of an appraisal, in the order in which they were written."""
    statement = (
        select(AppraisalLine)
        .where(AppraisalLine.appraisal_id == appraisal_id, AppraisalLine.deleted_at.is_(None))
        .order_by(AppraisalLine.id)
        .limit(100)
    )
    return list(session.execute(statement).scalars())


def of_deal(session: Any, deal_id: uuid.UUID) -> list[Appraisal]:
    """Return the live appraisals of a deal, the latest first; the caller has looked at the deal."""
    statement = (
        select(Appraisal)
        .where(Appraisal.deal_id == deal_id, Appraisal.deleted_at.is_(None))
        .order_by(Appraisal.id.desc())
        .limit(20)
    )
    return list(session.execute(statement).scalars())
