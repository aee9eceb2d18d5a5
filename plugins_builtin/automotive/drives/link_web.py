"""The page for visitors, and the buttons with which a firm makes its address and takes it away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from kehu.api import (
    InvalidInput,
    PluginBlueprint,
    _,
    go_to,
    needs,
    public,
    redirect,
    render_page,
    request,
    session,
    tenant,
    toast,
    url_for,
)
from plugins_builtin.automotive.drives import link

blueprint = PluginBlueprint("automotive_drive_link", __name__, template_folder="../templates")
MANAGE = "automotive.demo_cars:write"


def known(secret: str) -> bool:
    """Tell whether the address is the firm's present one."""
    return link.is_known(session(), secret)


@blueprint.get("/drive/<secret>")
@public(rate="60 per minute", proof=known)
def choose(secret: str) -> Any:
    """Show cars, days and the times that are free."""
    return _page(secret, dict(request.args), {})


@blueprint.post("/drive/<secret>")
@public(rate="10 per hour", proof=known)
def take(secret: str) -> Any:
    """Book a time; what was typed is kept when it can't be had."""
    values = {key: value[:200] for key, value in request.form.items()}
    if values.get("website"):
        return redirect(url_for("automotive_drive_link.thanks", secret=secret), 303)  # Filled in by a robot.
    try:
        link.Visitor(session()).book(values)
    except InvalidInput as error:
        session().rollback()
        return _page(secret, values, error.fields)
    return redirect(url_for("automotive_drive_link.thanks", secret=secret), 303)


@blueprint.get("/drive/<secret>/thanks")
@public(rate="60 per minute", proof=known)
def thanks(secret: str) -> Any:
    """Say that the drive is booked."""
    return render_page("automotive/drives/thanks.html", firm=tenant().name)


def _page(secret: str, values: Mapping[str, str], errors: Mapping[str, Any]) -> Any:
    visitor = link.Visitor(session())
    cars, days = visitor.choices(), visitor.days()
    car = next((one for one in cars if str(one.id) == values.get("car")), cars[0] if cars else None)
    day = _day(values, days)
    zone = tenant().tz
    times = visitor.times(car, day) if car is not None else []
    return render_page(
        "automotive/drives/public.html",
        status=422 if errors else 200,
        firm=tenant().name,
        action=url_for("automotive_drive_link.choose", secret=secret),
        cars=[(str(one.id), one.model or one.name) for one in cars],
        car=str(car.id) if car is not None else "",
        days=days,
        day=day,
        times=[(one.isoformat(), f"{one.astimezone(zone):%H:%M}") for one in times],
        minutes=visitor.minutes,
        values=values,
        errors=errors,
    )


def _day(values: Mapping[str, str], days: list[dt.date]) -> dt.date:
    for key in ("day", "at"):
        try:
            asked = dt.date.fromisoformat(values.get(key, "")[:10])
        except ValueError:
            continue
        if asked in days:
            return asked
    return days[1]


@blueprint.post("/drives/link")
@needs(MANAGE)
def make() -> Any:
    """Make the address, or another one in its place."""
    link.renew(session())
    toast(_("The address is made. Put it on your website."))
    return go_to(url_for("automotive_drives.day"))


@blueprint.post("/drives/link/remove")
@needs(MANAGE)
def remove() -> Any:
    """Take the address away."""
    link.remove(session())
    toast(_("The address is taken away; nobody can book by it any more."))
    return go_to(url_for("automotive_drives.day"))
