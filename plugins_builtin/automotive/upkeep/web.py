"""The card of services on a car, and the list of what is due."""

from __future__ import annotations

from typing import Any

from kehu.api import (
    InvalidInput,
    PluginBlueprint,
    RecordPages,
    Tab,
    _,
    _l,
    actor,
    done_toast,
    go_to,
    needs,
    render_page,
    request,
    service_for,
    session,
    toast,
)
from plugins_builtin.automotive.upkeep.services import NAME, VEHICLES, ItemService, of_vehicle, tone

READ, WRITE = f"{NAME}:read", f"{NAME}:write"
blueprint = PluginBlueprint("automotive_upkeep", __name__, template_folder="../templates")

PAGES = RecordPages(
    NAME,
    note="vehicle_id",
    picture=False,
    phone=("due_on", "vehicle_id"),
    chips=("kind", "owner_id"),
    tabs=(
        Tab("soon", _l("Due in 30 days"), "due_on.lte=today%2B30&due_on.gte=today&paused=0&sort=due_on"),
        Tab("late", _l("Overdue"), "due_on.lte=today-1&paused=0&sort=due_on"),
    ),
    nav=False,
)


@blueprint.get("/services/card")
@needs(READ)
def card() -> Any:
    """Show what is due at a car next."""
    if "vehicle_id" not in request.args:
        return ""
    vehicle = service_for(VEHICLES, session()).get(request.args["vehicle_id"])
    today = ItemService(session()).today()
    return render_page(
        "automotive/upkeep/card.html",
        rows=[(one, tone(one.due_on, today)) for one in of_vehicle(session(), vehicle.id)],
        vehicle=vehicle,
        today=today,
        may_write=actor().may(WRITE),
    )


@blueprint.post("/services/usual")
@needs(WRITE)
def usual() -> Any:
    """Add the usual services to a car."""
    vehicle_id = request.form.get("vehicle_id", "")
    ItemService(session()).usual(vehicle_id)
    done_toast(session(), _("The usual services were added."))
    return _back(vehicle_id)


@blueprint.post("/services/<record_id>/done")
@needs(WRITE)
def done(record_id: str) -> Any:
    """Note that a service was done."""
    service, form = ItemService(session()), request.form
    vehicle_id = service.get(record_id).vehicle_id
    try:
        with session().begin_nested():
            record = service.done(record_id, form.get("done_on", ""), form.get("done_km", "").strip()[:9])
    except InvalidInput as error:
        toast(" ".join(text for texts in error.fields.values() for text in texts), "bad")
        return _back(vehicle_id)
    done_toast(session(), _("“%(name)s” is done; the next time is reckoned from here.", name=record.name))
    return _back(vehicle_id)


def _back(vehicle_id: Any) -> Any:
    return go_to(f"/x/automotive/vehicles/{service_for(VEHICLES, session()).get(vehicle_id).id}")
