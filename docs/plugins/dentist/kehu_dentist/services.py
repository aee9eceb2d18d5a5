"""What can be done with recalls. Pages and jobs come through here; nothing else writes."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from kehu.api import (
    InvalidInput,
    Session,
    _,
    actor,
    and_,
    audit,
    clock,
    new_id,
    parse_id,
    readable,
    select,
    service_for,
    tenant,
)

from kehu_dentist import permissions
from kehu_dentist.models import Recall

PAGE = 50
LONGEST = 36


def after_months(day: dt.date, months: int) -> dt.date:
    """Return the same day so many months later; the last of the month where there is none."""
    year, month = divmod(day.month - 1 + months, 12)
    last = calendar.monthrange(day.year + year, month + 1)[1]
    return dt.date(day.year + year, month + 1, min(day.day, last))


class RecallService:
    """Know when each patient was seen, and when he is due again.

    :param session: the unit of work.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.actor = actor()

    def due(self, after: object = None) -> Sequence[Any]:
        """Return (recall, patient's name) of those whom the front desk calls, the newest entry first.

        :param after: the last recall of the page before.
        """
        self.actor.require(permissions.READ)
        customers: Any = service_for("customers", self.session).type.model
        same = and_(customers.tenant_id == Recall.tenant_id, customers.id == Recall.customer_id)
        statement = (
            select(Recall, customers.name)
            .join(customers, same)
            .where(Recall.state == "due", readable("customers"))
            .order_by(Recall.id.desc())
            .limit(PAGE + 1)
        )
        last = parse_id(after)
        if last is not None:
            statement = statement.where(Recall.id < last)
        return self.session.execute(statement).all()

    def of_customer(self, customer_id: object) -> Recall | None:
        """Return what is known of a patient, or None.

        :raises NotFound: when the actor may not see the customer.
        """
        self.actor.require(permissions.READ)
        customer = service_for("customers", self.session).get(customer_id)
        return self.session.execute(
            select(Recall).where(Recall.customer_id == customer.id)
        ).scalar_one_or_none()

    def record(self, customer_id: object, values: Mapping[str, str]) -> Recall:
        """Note that a patient was seen, and when he comes again.

        :raises InvalidInput: names each field that is wrong.
        """
        self.actor.require(permissions.WRITE)
        customer = service_for("customers", self.session).get(customer_id)
        seen_on, months = _read(values)
        found = self.of_customer(customer.id)
        before = [found.seen_on.isoformat(), found.months] if found else [None, None]
        recall = found or Recall(id=new_id(), tenant_id=tenant().id, customer_id=customer.id)
        recall.seen_on, recall.months, recall.state = seen_on, months, "waiting"
        recall.due_on = after_months(seen_on, months)
        self.session.add(recall)
        audit(
            self.session,
            object="dentist.recalls",
            record_id=recall.id,
            action="updated" if found else "created",
            title=customer.name,
            changes={"seen_on": [before[0], seen_on.isoformat()], "months": [before[1], months]},
            customer_id=customer.id,
        )
        return recall


def _read(values: Mapping[str, str]) -> tuple[dt.date, int]:
    errors: dict[str, list[str]] = {}
    seen_on, today = dt.date.min, clock.today(tenant().tz)
    try:
        seen_on = dt.date.fromisoformat(values.get("seen_on", ""))
    except ValueError:
        errors["seen_on"] = [_("Choose the day on which the patient was here.")]
    if seen_on > today:
        errors["seen_on"] = [_("This day is still to come. Choose today or an earlier day.")]
    written = values.get("months", "").strip()
    if not re.fullmatch(r"\d{1,2}", written) or not 1 <= int(written) <= LONGEST:
        errors["months"] = [_("Write a whole number from 1 to %(most)s.", most=LONGEST)]
    if errors:
        raise InvalidInput(_("Some fields need another value."), fields=errors)
    return seen_on, int(written)
