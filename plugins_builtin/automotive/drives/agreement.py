"""What stands in the agreement that a driver signs before the keys."""

from __future__ import annotations

from typing import Any

from kehu.api import Session, _, clock, day_text, member_names, plugin_settings, select, tenant
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.drives.models import DemoCar, TestDrive
from plugins_builtin.automotive.drives.paper import Paper, draw


def agreement(session: Session, drive: TestDrive, locale: str) -> bytes:
    """Return the agreement of a drive as a PDF, in the reader's language."""
    return draw(
        Paper(
            title=_("Test drive agreement"),
            firm=tenant().name,
            facts=[(str(label), value) for label, value in _facts(session, drive) if value],
            terms=_terms(session, drive),
            signatures=[_("Driver, place and date"), _("For %(firm)s", firm=tenant().name)],
            foot=_("Printed on %(when)s.", when=_moment(clock.now())),
            locale=locale,
        )
    )


def _facts(session: Session, drive: TestDrive) -> list[tuple[Any, str]]:
    statement = select(DemoCar.id, DemoCar.name).where(
        DemoCar.tenant_id == tenant().id, DemoCar.id.in_([drive.demo_car_id, drive.plates_id])
    )
    names = {row.id: row.name for row in session.execute(statement)}
    host = member_names(session, [drive.owner_id]).get(str(drive.owner_id), "")
    licence = [drive.licence_class or "", day_text(drive.licence_until) if drive.licence_until else ""]
    return [
        (_("Driver"), drive.driver),
        (_("Date of birth"), day_text(drive.born_on) if drive.born_on else "____-__-__"),
        (_("Licence classes"), licence[0] or "________"),
        (_("Licence valid until"), licence[1] or "____-__-__"),
        (_("Phone"), drive.phone or ""),
        (_("Car"), ", ".join(dict.fromkeys([drive.model, names.get(drive.demo_car_id, "")]))),
        (_("Plates"), names.get(drive.plates_id, "") if drive.plates_id else ""),
        (_("From"), _moment(drive.from_at)),
        (_("Back by"), _moment(drive.to_at)),
        (_("Host"), host),
        (_("Mileage out"), f"{drive.out_km:,} km" if drive.out_km is not None else "________ km"),
        (_("Damage that is there already"), drive.damage_out or "________________"),
    ]


def _moment(moment: Any) -> str:
    return f"{moment.astimezone(tenant().tz):%Y-%m-%d %H:%M}"


def _terms(session: Session, drive: TestDrive) -> list[str]:
    own = str(plugin_settings(session, SLUG)["drives_terms"] or "")
    return [
        _("I hold a valid driving licence for this car and am fit to drive."),
        _(
            "I drive the car myself, by the agreed route, and bring it back by %(when)s.",
            when=_moment(drive.to_at),
        ),
        _("I keep to the traffic rules; fines and tolls of this drive are mine."),
        _("I report each damage at once and answer for what I cause beyond the insurance of the car."),
        _("My data on this paper is kept for the drive and for claims that arise from it."),
        *(line.strip() for line in own.splitlines() if line.strip()),
    ]
