"""Pages and panels of vehicles beside those that every record has."""

from __future__ import annotations

from typing import Any

from kehu.api import (
    InvalidInput,
    KehuError,
    PluginBlueprint,
    RecordPages,
    Tab,
    _,
    _l,
    actor,
    clock,
    done_toast,
    go_to,
    needs,
    new_key,
    once,
    parse_id,
    record_page_context,
    render_page,
    request,
    service_for,
    session,
    tenant,
)
from plugins_builtin.automotive.vehicles import cards
from plugins_builtin.automotive.vehicles.fields import PARTIES, READINGS, ROLES, SOURCES, UNITS, VEHICLES
from plugins_builtin.automotive.vehicles.models import Vehicle
from plugins_builtin.automotive.vehicles.numbers import findings
from plugins_builtin.automotive.vehicles.parties import PartyService
from plugins_builtin.automotive.vehicles.readings import ReadingService, usual_unit
from plugins_builtin.automotive.vehicles.services import VehicleService
from plugins_builtin.automotive.vehicles.vin import normalise

READ, WRITE = f"{VEHICLES}:read", f"{VEHICLES}:write"
blueprint = PluginBlueprint("automotive_vehicles", __name__, template_folder="../templates")


def show(vehicle: Vehicle) -> Any:
    """Show a vehicle: its facts, who has and had it, what its clock showed, what its number says."""
    return render_page(
        "automotive/vehicles/show.html",
        {},
        page=record_page_context(VEHICLES, vehicle),
        record=vehicle,
        people=cards.people_of(session(), vehicle.id),
        readings=cards.readings_of(session(), vehicle.id),
        number=_findings(vehicle.vin or "", vehicle.year, vehicle.make, vehicle.vin_reason),
        cards=cards.more_cards(vehicle.id),
        may_write=actor().may(WRITE),
    )


PAGES = RecordPages(
    VEHICLES,
    note="vin",
    picture=False,
    phone=("customer_id", "status"),
    chips=("status", "make", "customer_id"),
    tabs=(
        Tab("in_use", _l("In use"), "status=in_use"),
        Tab("stock", _l("In stock"), "status=stock"),
        Tab("demo", _l("Demonstration cars"), "status=demo"),
        Tab("mine", _l("Looked after by me"), "owner_id=me"),
    ),
    list_template="automotive/vehicles/list.html",
    detail=show,
)


@blueprint.get("/panel")
@needs(f"{PARTIES}:read")
def customer_panel() -> Any:
    """Show the vehicles of the customer whose page asks."""
    customer = service_for("customers", session()).get(request.args.get("customer_id", ""))
    return render_page(
        "automotive/vehicles/panel.html",
        rows=cards.vehicles_of(session(), customer.id),
        customer_id=customer.id,
        may_write=actor().may(WRITE),
    )


@blueprint.get("/item-panel")
@needs(READ)
def item_panel() -> Any:
    """Lead from the platform's record of a vehicle to the vehicle."""
    vehicle = cards.vehicle_of_item(session(), parse_id(request.args.get("owned_item_id")))
    return render_page("automotive/vehicles/item.html", vehicle=vehicle) if vehicle is not None else ""


@blueprint.get("/number")
@needs(WRITE)
def number_hint() -> Any:
    """Say what a VIN tells while it is typed: what is wrong, what was probably meant, maker and year, who has it."""
    number = normalise(request.args.get("vin", "")[:60])
    if not number:
        return ""
    year = request.args.get("year", "")
    return render_page(
        "automotive/vehicles/number.html",
        {},
        number=_findings(
            number,
            int(year) if year.isascii() and year.isdigit() and len(year) == 4 else None,
            request.args.get("make", "")[:60],
            request.args.get("vin_reason", "").strip() or None,
        ),
        known=_other("vin", number),
    )


@blueprint.get("/plate")
@needs(WRITE)
def plate_hint() -> Any:
    """Say whose a plate is while it is typed."""
    known = _other("plate", normalise(request.args.get("plate", "")[:40]))
    return render_page("automotive/vehicles/known.html", {}, known=known) if known is not None else ""


def _other(key: str, number: str) -> Any:
    """Return another vehicle with a number, if the actor may open it; the form may be that of the vehicle itself."""
    known = VehicleService(session()).other(key, number) if number else None
    own = request.headers.get("HX-Current-URL", "")
    return known if known is not None and known.seen and str(known.id) not in own else None


def _findings(number: str, year: int | None, make: str, reason: str | None) -> Any:
    return findings(number, clock.today(tenant().tz).year, year=year, make=make, reason=reason)


@blueprint.post("/vehicles/<vehicle_id>/take-over")
@needs(WRITE)
def take_over(vehicle_id: str) -> Any:
    """Take over what the VIN says of year or make."""
    vehicle = VehicleService(session()).take_over(vehicle_id, request.form.get("field", ""))
    done_toast(session(), _("Taken over from the VIN: %(name)s", name=vehicle.name))
    return go_to(_url(vehicle.id))


@blueprint.route("/vehicles/<vehicle_id>/people", methods=["GET", "POST"])
@needs(f"{PARTIES}:write")
def people(vehicle_id: str) -> Any:
    """Ask who owns, drives or pays for a vehicle from when on, or keep it."""
    vehicle = VehicleService(session()).get(vehicle_id, action="write")
    values = {key: request.form.get(key, "") for key in ("role", "customer_id", "contact_id", "from_on")}
    if request.method == "GET":
        return _people(vehicle, {"role": request.args.get("role", "owner")}, {}, new_key())
    key = request.form.get("idempotency_key", "")
    try:
        with once(session(), key) as sending:
            if not sending.again:
                given = {name: value for name, value in values.items() if value}
                PartyService(session()).begin({**given, "vehicle_id": vehicle.id})
    except InvalidInput as error:
        session().rollback()
        return _people(VehicleService(session()).get(vehicle_id), values, error.fields, key)
    done_toast(session(), _("Kept who has “%(name)s”", name=vehicle.name))
    return go_to(_url(vehicle.id))


def _people(vehicle: Vehicle, values: dict[str, Any], errors: dict[str, Any], key: str) -> Any:
    return render_page(
        "automotive/vehicles/people.html",
        {},
        status=422 if errors else 200,
        vehicle=vehicle,
        values=values,
        names=cards.names(session(), values),
        errors=errors,
        key=key,
        roles=[(one.value, one.label) for one in ROLES],
        today=clock.today(tenant().tz),
    )


@blueprint.route("/vehicles/<vehicle_id>/readings", methods=["GET", "POST"])
@needs(f"{READINGS}:write")
def readings(vehicle_id: str) -> Any:
    """Ask what the clock shows, and how that goes with earlier readings when it does not."""
    vehicle = VehicleService(session()).get(vehicle_id, action="write")
    if request.method == "GET":
        return _readings(vehicle, {"unit": usual_unit()}, new_key())
    values = {one: request.form.get(one, "") for one in ("read_on", "shown", "unit", "source", "note")}
    key = request.form.get("idempotency_key", "")
    try:
        with once(session(), key) as sending:
            if not sending.again:
                given = {name: value for name, value in values.items() if value}
                ReadingService(session()).add(
                    {**given, "vehicle_id": vehicle.id}, request.form.get("answer", "")
                )
    except InvalidInput as error:
        session().rollback()
        return _readings(VehicleService(session()).get(vehicle_id), values, key, error)
    done_toast(session(), _("Kept what the clock of “%(name)s” shows", name=vehicle.name))
    return go_to(_url(vehicle.id))


def _readings(vehicle: Vehicle, values: dict[str, Any], key: str, error: KehuError | None = None) -> Any:
    ways = {
        "replaced": _("The clock was replaced; this is the new one"),
        "mistyped": _("This one is right; the other reading was mistyped"),
        "right": _("This is right"),
        "suspect": _("Keep this one as doubtful; it counts nowhere"),
    }
    return render_page(
        "automotive/vehicles/reading.html",
        {},
        status=422 if error else 200,
        vehicle=vehicle,
        values=values,
        errors=error.fields if error else {},
        ways=[(one, ways[one]) for one in (error.details.get("ways", ()) if error else ())],
        key=key,
        units=[(one.value, one.label) for one in UNITS],
        sources=[(one.value, one.label) for one in SOURCES],
        today=clock.today(tenant().tz),
    )


def _url(vehicle_id: Any) -> str:
    return PAGES.url("show", record_id=vehicle_id)
