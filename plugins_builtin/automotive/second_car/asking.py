"""What came of asking: an outcome in one tap, a deal, two who are no household."""

from __future__ import annotations

import datetime as dt
from typing import Any

from kehu.api import (
    Conflict,
    InvalidInput,
    Session,
    _,
    clock,
    part_household,
    plugin_settings,
    select,
    service_for,
    tenant,
)
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.second_car.keeping import SecondCarService
from plugins_builtin.automotive.second_car.models import SecondCar
from plugins_builtin.automotive.starting.stages import first_stage

TAPS = ("called", "later", "refused", "has_one")
"""Outcomes that are no more than a word."""


def say(session: Session, record_id: object, outcome: str) -> SecondCar:
    """Note what came of asking; after “called” and “not now” the household comes back by itself.

    :raises InvalidInput: for another word.
    """
    if outcome not in TAPS:
        message = _("Choose one from the list.")
        raise InvalidInput(message, fields={"outcome": [message]})
    service = SecondCarService(session)
    record = service.get(record_id, action="write", lock=True)
    service.change(record, {"outcome": outcome, "again_on": _again_on(session, outcome)})
    return record


def _again_on(session: Session, outcome: str) -> dt.date | None:
    settings = plugin_settings(session, SLUG)
    days = {"called": settings["second_car_called_days"], "later": settings["second_car_later_days"]}
    return clock.today(tenant().tz) + dt.timedelta(days=days[outcome]) if outcome in days else None


def make_deal(session: Session, record_id: object) -> Any:
    """Note a household as interested and make it a deal.

    :raises Conflict: when it became one already.
    """
    service, deals = SecondCarService(session), service_for("deals", session)
    record = service.get(record_id, action="write", lock=True)
    model: Any = deals.type.model
    there = select(model.id).where(model.id == record.deal_id, model.deleted_at.is_(None))
    if record.deal_id is not None and session.execute(there).first() is not None:
        raise Conflict(_("This household became a deal already."))
    values: dict[str, Any] = {
        "name": _("Second car for %(name)s", name=record.name),
        "customer_id": str(record.customer_id),
        **first_stage(session),
    }
    deal = deals.create(values)
    service.change(record, {"outcome": "interested", "again_on": None, "deal_id": deal.id})
    return deal


def split(session: Session, record_id: object) -> SecondCar:
    """Note that two who are kept as a household are none: one leaves it, and the two are suggested no more.

    :raises Conflict: when more or fewer than two live there.
    """
    service = SecondCarService(session)
    record = service.get(record_id, action="write", lock=True)
    others = [one for one in service.together(record.customer_id) if one != record.customer_id]
    if len(others) != 1:
        raise Conflict(_("More or fewer than two live there. Say on the page of the household who left."))
    part_household(session, record.customer_id, others[0])
    service.change(record, {"outcome": "split", "again_on": None})
    return record
