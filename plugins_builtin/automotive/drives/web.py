"""Pages of test drives: the day, booking from a deal, out and back, results."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from kehu.api import (
    InvalidInput,
    KehuError,
    NotFound,
    PluginBlueprint,
    RecordPages,
    Tab,
    _,
    _l,
    actor,
    business_hours,
    clock,
    done_toast,
    go_to,
    member_names,
    member_options,
    needs,
    new_key,
    once,
    plugin_settings,
    public_url,
    readable,
    record_page_context,
    redirect,
    render_page,
    request,
    select,
    service_for,
    session,
    tenant,
    url_for,
)
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.drives import figures, link
from plugins_builtin.automotive.drives.agreement import agreement
from plugins_builtin.automotive.drives.cars import CARS, DemoCarService
from plugins_builtin.automotive.drives.models import TestDrive
from plugins_builtin.automotive.drives.permissions import OVERRIDE
from plugins_builtin.automotive.drives.records import RATED, STATES
from plugins_builtin.automotive.drives.services import NAME, DriveService

READ, WRITE = f"{NAME}:read", f"{NAME}:write"
blueprint = PluginBlueprint("automotive_drives", __name__, template_folder="../templates")
PERIODS = (30, 90, 365)
ROWS = 100
ASKED = (
    "demo_car_id",
    "plates_id",
    "from_at",
    "minutes",
    "owner_id",
    "driver",
    "phone",
    "email",
    "customer_id",
    "contact_id",
    "deal_id",
)


def show_drive(record: TestDrive) -> Any:
    """Show a drive with the step that comes next."""
    return render_page(
        "automotive/drives/show.html",
        page=record_page_context(NAME, record),
        record=record,
        zone=tenant().tz,
        late=record.state == "out" and record.to_at < clock.now(),
        state=next(one for one in STATES if one.value == record.state),
    )


PAGES = RecordPages(
    NAME,
    note="customer_id",
    picture=False,
    phone=("from_at", "state"),
    chips=("state", "owner_id"),
    tabs=(
        Tab("coming", _l("Coming"), "state=booked&from_at.gte=today&sort=from_at"),
        Tab("out", _l("Handed out"), "state=out"),
        Tab("mine", _l("Mine"), "owner_id=me"),
    ),
    nav=False,
    creatable=False,
    detail=show_drive,
)
CAR_PAGES = RecordPages(
    CARS, note="model", picture=False, phone=("kind", "branch"), chips=("kind",), nav=False
)


@blueprint.get("/drives")
@needs(READ)
def day() -> Any:
    """Show the drives of today and the days to come, those that are out first."""
    midnight = dt.datetime.combine(clock.today(tenant().tz), dt.time(), tenant().tz)
    statement = (
        select(TestDrive)
        .where(
            readable(NAME),
            (TestDrive.from_at >= midnight) | (TestDrive.state == "out"),
            TestDrive.from_at < midnight + dt.timedelta(days=15),
            TestDrive.state.in_(("booked", "out", "back")),
        )
        .order_by((TestDrive.state == "out").desc(), TestDrive.from_at, TestDrive.id)
        .limit(ROWS)
    )
    rows = session().execute(statement).scalars().all()
    cars = DemoCarService(session()).of_kind("car")
    key = link.secret(session()) if actor().may(f"{CARS}:write") else None
    return render_page(
        "automotive/drives/day.html",
        rows=rows,
        cars=len(cars),
        names=member_names(session(), [row.owner_id for row in rows]),
        states={one.value: one for one in STATES},
        now=clock.now(),
        zone=tenant().tz,
        board_url="/bookings/board",
        list_url=PAGES.url("list"),
        cars_url=CAR_PAGES.url("list"),
        new_car_url=CAR_PAGES.url("new"),
        public_address=public_url("automotive_drive_link.choose", secret=key) if key else "",
    )


@blueprint.get("/drives/of/<booking_id>")
@needs(READ)
def of_booking(booking_id: str) -> Any:
    """Lead from a booking on the platform's board to its drive."""
    drive = DriveService(session()).of_booking(booking_id)
    return redirect(PAGES.url("show", record_id=drive.id), 303)


# Booking ----------------------------------------------------------------------------------


@blueprint.get("/drives/book")
@needs(WRITE)
def ask() -> Any:
    """Ask for car, time and host; the deal whose page asks is known."""
    values: dict[str, Any] = {"owner_id": str(actor().member_id or "")}
    values.update({key: request.args[key] for key in ("demo_car_id", "customer_id") if key in request.args})
    if deal_id := request.args.get("record_id") or request.args.get("deal_id"):
        values.update(_of_deal(deal_id))
    values["from_at"] = _next_hour().strftime("%Y-%m-%dT%H:%M")
    return _dialog(values, {}, new_key())


def _of_deal(deal_id: str) -> dict[str, Any]:
    deal: Any = service_for("deals", session()).get(deal_id)
    values: dict[str, Any] = {"deal_id": str(deal.id)}
    for key, name in (("contact_id", "contacts"), ("customer_id", "customers")):
        other_id = getattr(deal, key)
        if other_id is None:
            continue
        try:
            person: Any = service_for(name, session()).get(other_id)
        except KehuError:
            continue
        values[key] = str(other_id)
        values.setdefault("driver", person.name)
        phones, emails = person.phones or [], person.emails or []
        values.setdefault("phone", phones[0]["number"] if phones else "")
        values.setdefault("email", emails[0]["address"] if emails else "")
    return values


def _next_hour() -> dt.datetime:
    """Return the next full hour at which the firm is open, for the form to begin with."""
    local = clock.now().astimezone(tenant().tz)
    hour = local.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)
    opened = business_hours(session()).next_open(hour)
    return opened.astimezone(tenant().tz) if opened is not None else hour


@blueprint.post("/drives/book")
@needs(WRITE)
def book_drive() -> Any:
    """Book a drive; a clash comes back with the dialog as it was filled in."""
    values = {key: request.form.get(key, "").strip()[:200] for key in ASKED}
    key = request.form.get("idempotency_key", "")
    try:
        with once(session(), key) as sending:
            if not sending.again:
                drive = DriveService(session()).book(values)
                sending.url = PAGES.url("show", record_id=drive.id)
                done_toast(session(), _("Booked: %(name)s", name=drive.name))
            where = sending.url
    except InvalidInput as error:
        session().rollback()
        return _dialog(values, error.fields or {"_": [str(error.message)]}, key)
    return go_to(where or url_for("automotive_drives.day"))


def _dialog(values: Mapping[str, Any], errors: Mapping[str, Any], key: str) -> Any:
    service = DemoCarService(session())
    cars = [(str(one.id), _with_branch(one)) for one in service.of_kind("car")]
    return render_page(
        "automotive/drives/book.html",
        status=422 if errors else 200,
        values=values,
        errors=errors,
        key=key,
        cars=cars,
        plates=[(str(one.id), _with_branch(one)) for one in service.of_kind("plates")],
        hosts=[(str(one), name) for one, name in member_options()],
        minutes=plugin_settings(session(), SLUG)["drives_minutes"],
        cars_url=CAR_PAGES.url("list"),
    )


def _with_branch(car: Any) -> str:
    return f"{car.name} ({car.branch})" if car.branch else str(car.name)


# Out and back -----------------------------------------------------------------------------


@blueprint.route("/drives/<uuid:drive_id>/out", methods=["GET", "POST"])
@needs(WRITE)
def out(drive_id: uuid.UUID) -> Any:
    """Go through the gates and hand out the keys."""
    return _step(drive_id, "out.html", DriveService.hand_out, _l("The keys are out: %(name)s"))


@blueprint.route("/drives/<uuid:drive_id>/back", methods=["GET", "POST"])
@needs(WRITE)
def back(drive_id: uuid.UUID) -> Any:
    """Take the keys back, with mileage and what the driver said."""
    return _step(drive_id, "back.html", DriveService.take_back, _l("Back: %(name)s"))


def _step(drive_id: uuid.UUID, template: str, act: Any, done: Any) -> Any:
    service = DriveService(session())
    if request.method == "GET":
        return _keys(template, service.get(drive_id, action="write"), {}, {})
    values = {key: value.strip() for key, value in request.form.items()}
    try:
        drive = act(service, drive_id, values)
    except InvalidInput as error:
        session().rollback()
        return _keys(template, service.get(drive_id), values, error.fields)
    done_toast(session(), str(done) % {"name": drive.name})
    return go_to(PAGES.url("show", record_id=drive_id))


def _keys(template: str, record: TestDrive, values: Mapping[str, Any], errors: Mapping[str, Any]) -> Any:
    return render_page(
        f"automotive/drives/{template}",
        status=422 if errors else 200,
        record=record,
        values=values,
        errors=errors,
        wanted=plugin_settings(session(), SLUG)["drives_class"],
        may_override=actor().may(OVERRIDE),
        rated=RATED,
        marks=[(str(mark), str(mark)) for mark in range(1, 6)],
    )


@blueprint.get("/drives/<uuid:drive_id>/agreement.pdf")
@needs(READ)
def agreement_pdf(drive_id: uuid.UUID) -> Any:
    """Give the agreement to be printed and signed, in the reader's language."""
    drive = DriveService(session()).get(drive_id)
    locale = actor().locale or tenant().locale
    headers = {
        "Content-Type": "application/pdf",
        "Content-Disposition": f'inline; filename="test-drive-{drive.from_at:%Y-%m-%d}.pdf"',
        "Cache-Control": "private, no-store",
    }
    return agreement(session(), drive, locale), 200, headers


@blueprint.post("/drives/<uuid:drive_id>/end/<state>")
@needs(WRITE)
def end(drive_id: uuid.UUID, state: str) -> Any:
    """Cancel a drive, or note that nobody came."""
    if state not in ("no_show", "cancelled"):
        raise NotFound(_("There is no such step."))
    drive = DriveService(session()).end(drive_id, state)
    words = {
        "no_show": _("Did not come: %(name)s", name=drive.name),
        "cancelled": _("Cancelled: %(name)s", name=drive.name),
    }
    done_toast(session(), words[state])
    return go_to(PAGES.url("show", record_id=drive_id))


# Results ----------------------------------------------------------------------------------


@blueprint.get("/drives/results")
@needs(READ)
def results() -> Any:
    """Show what drives led to, by host and by model."""
    asked = request.args.get("days", "")
    days = int(asked) if asked in {str(one) for one in PERIODS} else PERIODS[1]
    until = dt.datetime.combine(clock.today(tenant().tz) + dt.timedelta(days=1), dt.time(), tenant().tz)
    since = until - dt.timedelta(days=days)
    hosts = figures.lines(session(), TestDrive.owner_id, since, until)
    models = figures.lines(session(), TestDrive.model, since, until)
    return render_page(
        "automotive/drives/results.html",
        days=days,
        periods=PERIODS,
        tables=[
            (_("By host"), _("Host"), hosts, member_names(session(), [one.key for one in hosts])),
            (_("By model"), _("Model"), models, {one.key: one.key for one in models}),
        ],
    )
