"""Example data: a handful of records to look around with, removed in one click."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import audit, clock, context
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, KehuError
from kehu.core.i18n import _
from kehu.core.ids import new_id, parse_id
from kehu.core.records.service import service_for
from kehu.core.records.types import registered
from kehu.deals.models import Stage
from tenants.services import TenantService

SETTING = "example"
"""Key of the tenant's settings: {"batch": id of the trail, "customers": [ids], "deals": [ids]}."""

_FIRMS = {
    "en": [
        ("Harbour Coffee Roasters", "Ella Novak"),
        ("Northwind Cycles", "Tom Baker"),
        ("Cedar Dental Practice", "Dr Amara Obi"),
        ("Bright Sparks Electric", "Lena Fox"),
        ("Green Lane Nursery", "Sam Reed"),
    ],
    "zh_Hans": [
        ("海港咖啡", "陈晓"),
        ("北风单车行", "李伟"),
        ("雪松口腔诊所", "王芳"),
        ("明光电气", "赵磊"),
        ("绿径园艺", "孙倩"),
    ],
    "zh_Hant": [
        ("海港咖啡", "陳曉"),
        ("北風單車行", "李偉"),
        ("雪松牙醫診所", "王芳"),
        ("明光電氣", "趙磊"),
        ("綠徑園藝", "孫倩"),
    ],
    "ru": [
        ("Кофейня «Гавань»", "Анна Белова"),
        ("Велосипеды «Север»", "Иван Орлов"),
        ("Стоматология «Кедр»", "Мария Котова"),
        ("Электрика «Искра»", "Олег Зуев"),
        ("Питомник «Зелёный»", "Ольга Лис"),
    ],
}


def loaded() -> dict[str, Any] | None:
    """Return what is kept of the example data, or None when there is none."""
    found: dict[str, Any] | None = context.tenant().settings.get(SETTING)
    return found


def record_ids(kind: str) -> list[uuid.UUID]:
    """Return the ids of the example customers or deals, which count for no first step."""
    known = loaded() or {}
    return [found for text in known.get(kind, ()) if (found := parse_id(text))]


class ExampleService:
    """Load and remove example data."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tenant = context.tenant()

    def load(self) -> None:
        """Write the example data, in the tenant's language, as one batch of the trail.

        :raises Conflict: when it is there already.
        """
        if loaded() is not None:
            raise Conflict(_("The example data is here already."))
        batch = new_id()
        audit.use_batch(self.session, batch)
        with force_locale(self.tenant.locale):
            customers = self._customers()
            deals = self._deals(customers)
            self._tickets(customers)
            self._activities(customers, deals)
        TenantService(self.session).note(
            **{
                SETTING: {
                    "batch": str(batch),
                    "customers": [str(record.id) for record in customers],
                    "deals": [str(record.id) for record in deals],
                }
            }
        )

    def remove(self) -> int:
        """Put all that the batch made into the trash; returns how many records that were."""
        batch = parse_id((loaded() or {}).get("batch"))
        statement = (
            select(AuditEntry.object, AuditEntry.record_id)
            .where(AuditEntry.batch_id == batch, AuditEntry.action == "created")
            .order_by(AuditEntry.id.desc())
            .limit(500)
        )
        gone = 0
        for kind, record_id in self.session.execute(statement).all():
            if kind not in registered():
                continue
            try:
                with self.session.begin_nested():
                    service_for(kind, self.session).trash(record_id)
                gone += 1
            except KehuError:
                # Somebody has put it into the trash already, or may not touch it: the rest goes all the same.
                continue
        TenantService(self.session).note(**{SETTING: None})
        return gone

    # --- parts --------------------------------------------------------------------------------------------

    def _add(self, kind: str, /, **values: Any) -> Any:
        return service_for(kind, self.session).create(values)

    def _customers(self) -> list[Any]:
        made = []
        for number, (firm, person) in enumerate(_FIRMS.get(self.tenant.locale, _FIRMS["en"])):
            customer = self._add("customers", name=firm, kind="company", tags=[_("Example")])
            mail = [{"address": f"hello{number + 1}@example.com"}]
            self._add("contacts", name=person, customer_id=str(customer.id), emails=mail)
            made.append(customer)
        return made

    def _deals(self, customers: list[Any]) -> list[Any]:
        stages = self.session.execute(
            select(Stage.id)
            .where(Stage.outcome == "open", Stage.deleted_at.is_(None))
            .order_by(Stage.position)
            .limit(4)
        ).scalars()
        today = clock.today(self.tenant.tz)
        wanted = list(zip(stages, (1200, 4800, 900, 15000), (30, 21, 14, 7), strict=False))
        return [
            self._add(
                "deals",
                name=_("First order of %(customer)s", customer=customer.name),
                customer_id=str(customer.id),
                stage_id=str(stage),
                amount=str(amount),
                expected_close=(today + dt.timedelta(days=days)).isoformat(),
            )
            for customer, (stage, amount, days) in zip(customers, wanted, strict=False)
        ]

    def _tickets(self, customers: list[Any]) -> None:
        subjects = (_("The delivery came without its papers"), _("How do I change my order?"))
        for customer, subject in zip(customers, subjects, strict=False):
            self._add(
                "tickets", subject=subject, customer_id=str(customer.id), status="new", priority="normal"
            )

    def _activities(self, customers: list[Any], deals: list[Any]) -> None:
        now = clock.now()
        plan = (
            ("call", _("Ask whether the offer has arrived"), 2),
            ("meeting", _("Show the product"), 26),
            ("task", _("Send the price list"), -20),
        )
        for index, (kind, subject, hours) in enumerate(plan):
            deal = {"deal_id": str(deals[index].id)} if index < len(deals) else {}
            due = (now + dt.timedelta(hours=hours)).isoformat()
            self._add(
                "activities",
                kind=kind,
                subject=subject,
                due_at=due,
                customer_id=str(customers[index].id),
                **deal,
            )
