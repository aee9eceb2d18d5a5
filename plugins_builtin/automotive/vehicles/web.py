"""The module's pages and panels."""

from __future__ import annotations

from typing import Any

from kehu.api import (
    InvalidInput,
    KehuError,
    PluginBlueprint,
    _,
    actor,
    go_to,
    needs,
    render_page,
    request,
    select,
    service_for,
    session,
    tenant,
    toast,
    url_for,
)
from plugins_builtin.automotive.vehicles.permissions import READ, WRITE
from plugins_builtin.automotive.vehicles.services import PAGE, VehicleService

blueprint = PluginBlueprint("automotive_vehicles", __name__, template_folder="../templates")

FIELDS = ("make", "model", "vin", "plate", "year", "odometer")


@blueprint.get("/vehicles")
@needs(READ)
def vehicles() -> Any:
    """Show all vehicles, to be found by plate or VIN."""
    query = request.args.get("q", "")
    rows = VehicleService(session()).page(query, request.args.get("after"))
    owners = _customer_names({row.customer_id for row in rows})
    more = (
        url_for("automotive_vehicles.vehicles", q=query or None, after=rows[PAGE - 1].id)
        if len(rows) > PAGE
        else None
    )
    return render_page(
        "automotive/vehicles/list.html",
        {"list": "list"},
        rows=rows[:PAGE],
        owners=owners,
        query=query,
        next_url=more,
    )


def _customer_names(ids: set[Any]) -> dict[Any, str]:
    if not ids:
        return {}
    customers: Any = service_for("customers", session()).type.model
    statement = select(customers.id, customers.name).where(
        customers.tenant_id == tenant().id, customers.id.in_(ids)
    )
    return {row.id: row.name for row in session().execute(statement)}


@blueprint.get("/customers/<customer_id>/panel")
@needs(READ)
def customer_panel_of(customer_id: str) -> Any:
    """Show the vehicles of one customer."""
    return _panel(customer_id)


@blueprint.get("/panel")
@needs(READ)
def customer_panel() -> Any:
    """Show the vehicles of the customer whose page asks."""
    return _panel(request.args.get("customer_id", ""))


def _panel(customer_id: str) -> Any:
    rows = VehicleService(session()).of_customer(customer_id)
    return render_page(
        "automotive/vehicles/panel.html", rows=rows, customer_id=customer_id, may_write=actor().may(WRITE)
    )


@blueprint.get("/customers/<customer_id>/new")
@needs(WRITE)
def new_vehicle(customer_id: str) -> Any:
    """Ask for a vehicle's facts."""
    service_for("customers", session()).get(customer_id)
    return render_page("automotive/vehicles/new.html", customer_id=customer_id, values={}, errors={})


@blueprint.post("/customers/<customer_id>/new")
@needs(WRITE)
def add_vehicle(customer_id: str) -> Any:
    """Add a vehicle."""
    values = {key: request.form.get(key, "") for key in FIELDS}
    try:
        vehicle = VehicleService(session()).add(customer_id, values)
    except (InvalidInput, KehuError) as error:
        if not error.fields:
            raise
        return render_page(
            "automotive/vehicles/new.html",
            status=422,
            customer_id=customer_id,
            values=values,
            errors=error.fields,
        )
    toast(
        _("Added %(make)s %(model)s.", make=vehicle.make, model=vehicle.model),
        undo_url=url_for("automotive_vehicles.remove_vehicle", vehicle_id=vehicle.id),
    )
    return _back(vehicle.customer_id)


@blueprint.post("/vehicles/<vehicle_id>/remove")
@needs(WRITE)
def remove_vehicle(vehicle_id: str) -> Any:
    """Put a vehicle away."""
    vehicle = VehicleService(session()).remove(vehicle_id)
    toast(
        _("Removed %(make)s %(model)s.", make=vehicle.make, model=vehicle.model),
        undo_url=url_for("automotive_vehicles.restore_vehicle", vehicle_id=vehicle.id),
    )
    return _back(vehicle.customer_id)


@blueprint.post("/vehicles/<vehicle_id>/restore")
@needs(WRITE)
def restore_vehicle(vehicle_id: str) -> Any:
    """Bring a vehicle back."""
    vehicle = VehicleService(session()).restore(vehicle_id)
    toast(_("%(make)s %(model)s is back.", make=vehicle.make, model=vehicle.model))
    return _back(vehicle.customer_id)


def _back(customer_id: Any) -> Any:
    return go_to(service_for("customers", session()).type.url(customer_id))
