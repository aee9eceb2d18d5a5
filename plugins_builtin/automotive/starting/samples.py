"""Sample cars and customers, with deals on their way: enough to see every page of the module with something on it.

All is invented: addresses end in `.example`, numbers belong to nobody, and nobody of them is ever written to.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from kehu.api import Call, SampleStarter, Session, _, _l, service_for, starter_id
from plugins_builtin.automotive.base import SLUG

NAMES = {
    "en": ("Anna Berg", "Hugo Martin", "Priya Shah", "Marcus Lind", "Nadia Rossi", "Felix Moor"),
    "zh_Hans": ("王芳", "李强", "张敏", "刘洋", "陈静", "赵磊"),
    "zh_Hant": ("王芳", "李強", "張敏", "劉洋", "陳靜", "趙磊"),
    "ru": ("Анна Соколова", "Олег Смирнов", "Мария Котова", "Илья Орлов", "Нина Белова", "Пётр Лебедев"),
}
CARS = (
    ("Volkswagen", "Golf", 2024, 61_300, 1_040),
    ("Volkswagen", "Passat", 2019, 118_400, 2_400),
    ("Toyota", "Corolla", 2022, 38_900, 1_000),
    ("BMW", "320i", 2020, 74_200, 1_700),
    ("Skoda", "Octavia", 2023, 21_500, 640),
    ("Hyundai", "Tucson", 2021, 55_800, 1_120),
)
"""Make, model, year, mileage, days in service: one for each customer."""
STOCK = (("Volkswagen", "ID.3", 2026, 12, "stock"), ("Toyota", "Yaris", 2026, 2_150, "demo"))
DEALS = (("lead", 0, 24_900), ("contacted", 1, 31_500), ("test_drive", 2, 27_800), ("offer", 3, 42_300))
"""Stage, whose, for how much."""


class Filler:
    """Makes the records through their services."""

    def __init__(self, ctx: Call) -> None:
        self.ctx = ctx
        self.session: Session = ctx.session

    def make(self, kind: str, /, **values: Any) -> Any:
        """Make one record."""
        return service_for(kind, self.session).create(values)

    def run(self) -> None:
        """Make everything."""
        people = [self._person(number, name) for number, name in enumerate(self._names(), 1)]
        for person, (make, model, year, km, days) in zip(people, CARS, strict=True):
            since = self.ctx.today - dt.timedelta(days=days)
            vehicle = self.make(
                f"{SLUG}.vehicles",
                make=make,
                model=model,
                year=year,
                customer_id=str(person.id),
                odometer=km,
                in_service_on=since.isoformat(),
                sold_by="us",
            )
            self._warranty(vehicle, since)
        for make, model, year, km, status in STOCK:
            self.make(f"{SLUG}.vehicles", make=make, model=model, year=year, odometer=km, status=status)
        self._deals(people)
        self._visits(people)

    def _names(self) -> tuple[str, ...]:
        return NAMES.get(self.ctx.tenant.locale, NAMES["en"])

    def _person(self, number: int, name: str) -> Any:
        return self.make(
            "customers",
            name=name,
            kind="person",
            type_class="existing",
            emails=[{"address": f"sample{number}@dealer.example"}],
            phones=[{"number": f"+44207946{480 + number:04}"}],
            do_not_contact="all",
            tags=[_("Sample")],
        )

    def _warranty(self, vehicle: Any, since: dt.date) -> None:
        if vehicle.owned_item_id is None:
            return
        self.make(
            "owned_item_terms",
            item_id=str(vehicle.owned_item_id),
            name=_("Warranty of the maker"),
            kind="warranty",
            starts_on=since.isoformat(),
            months=36,
            usage_limit=100_000,
            usage_unit="km",
        )

    def _deals(self, people: list[Any]) -> None:
        for stage, whose, amount in DEALS:
            person = people[whose]
            values: dict[str, Any] = {
                "name": f"{STOCK[whose % 2][0]} {STOCK[whose % 2][1]}",
                "amount": amount,
            }
            stage_id = starter_id(self.session, SLUG, f"sale.{stage}")
            if stage_id is not None:
                values["stage_id"] = str(stage_id)
            deal = self.make("deals", customer_id=str(person.id), **values)
            self.make(
                "activities",
                kind="call",
                subject=_("Call back about the offer"),
                due_at=(self.ctx.now + dt.timedelta(days=whose - 1)).isoformat(),
                customer_id=str(person.id),
                deal_id=str(deal.id),
            )

    def _visits(self, people: list[Any]) -> None:
        for hours, whose, step in ((2, 2, "drive"), (4, 4, "interview")):
            self.make(
                f"{SLUG}.visits",
                customer_id=str(people[whose].id),
                name=people[whose].name,
                arrived_at=(self.ctx.now - dt.timedelta(hours=hours)).isoformat(),
                step=step,
                wanted="Yaris",
                source="passing",
            )


def fill(ctx: Call) -> None:
    """Make the sample data of a firm."""
    Filler(ctx).run()


SAMPLES = SampleStarter(
    key="samples",
    name=_l("Fill with sample cars and customers"),
    description=_l(
        "Six customers with cars and warranties, two cars of yours, four deals on their way, two visits. "
        "They are marked with a tag, and nobody writes to them."
    ),
    fill=fill,
)
