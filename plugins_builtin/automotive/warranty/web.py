"""The card on a vehicle's page and the list of coverages that end."""

from __future__ import annotations

import datetime as dt
from typing import Any

from kehu.api import (
    PluginBlueprint,
    RecordPages,
    _,
    actor,
    done_toast,
    go_to,
    needs,
    parse_id,
    render_page,
    request,
    session,
    url_for,
)
from plugins_builtin.automotive.vehicles.services import VehicleService
from plugins_builtin.automotive.warranty import cards, covering, offers
from plugins_builtin.automotive.warranty.plans import PLANS, PlanService

READ = "owned_item_terms:read"
blueprint = PluginBlueprint("automotive_warranty", __name__, template_folder="../templates")

PAGES = RecordPages(
    PLANS, note="make", picture=False, phone=("months", "distance"), chips=("make", "kind"), nav=False
)


@blueprint.get("/warranty/card")
@needs(READ)
def card() -> Any:
    """Show what covers a vehicle, with a bar for time and one for distance."""
    if not request.args.get("vehicle_id"):
        return ""
    vehicle = VehicleService(session()).get(request.args.get("vehicle_id", ""))
    return render_page(
        "automotive/warranty/card.html",
        vehicle=vehicle,
        lines=cards.of_vehicle(session(), vehicle),
        plans=PlanService(session()).fitting(vehicle) if actor().may("owned_item_terms:write") else (),
        may_add=actor().may("owned_item_terms:write"),
        may_read_clock=actor().may("automotive.odometer_readings:write"),
    )


@blueprint.post("/warranty/<vehicle_id>/apply")
@needs("owned_item_terms:write")
def apply_plan(vehicle_id: str) -> Any:
    """Make a coverage of a car by a plan."""
    vehicle = VehicleService(session()).get(vehicle_id)
    term = PlanService(session()).apply(vehicle, request.form.get("plan_id", ""))
    done_toast(session(), _("Added “%(name)s”", name=term.name))
    return go_to(f"/x/automotive/vehicles/{vehicle.id}")


@blueprint.post("/warranty/plans/<plan_id>/cover")
@needs("owned_item_terms:write")
def cover(plan_id: str) -> Any:
    """Cover the cars that come with a plan and have none of it yet."""
    plan, count = covering.cover(session(), plan_id)
    done_toast(session(), covering.told(plan, count))
    return go_to(url_for("automotive_warranty.ending"))


@blueprint.get("/warranty")
@needs(READ)
def ending() -> Any:
    """Show the coverages that end in the next 90 days, by date or by distance."""
    lines = cards.ending(session(), _cursor(request.args.get("after", "")))
    last = lines[cards.PAGE - 1].term if len(lines) > cards.PAGE else None
    return render_page(
        "automotive/warranty/ending.html",
        {"list": "list"},
        lines=lines[: cards.PAGE],
        waiting=() if "after" in request.args else covering.waiting(session()),
        offers=offers.waiting(session(), [one.term.id for one in lines]) if lines else {},
        next_url=url_for("automotive_warranty.ending", after=f"{last.effective_end}_{last.id}")
        if last
        else "",
        may_read_clock=actor().may("automotive.odometer_readings:write"),
    )


def _cursor(text: str) -> Any:
    """Return day and id of the last coverage of the page before; nothing for what nobody made."""
    day, _line, record_id = text.partition("_")
    try:
        found = dt.date.fromisoformat(day), parse_id(record_id)
    except ValueError:
        return None
    return found if found[1] is not None else None
