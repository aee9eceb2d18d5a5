"""The pages of opening hours and holidays under Settings."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from babel import Locale
from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from kehu.calendars import holidays, queries
from kehu.calendars.records import CALENDAR_DAYS, CALENDARS, WEEKDAYS
from kehu.calendars.services import CalendarDayService, CalendarService
from kehu.core import clock, context, db
from kehu.core.errors import InvalidInput, KehuError
from kehu.core.i18n import _, _l, _n
from kehu.core.records.types import RecordType
from kehu.settings.forms import form_page, given, seen_version
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page
from kehu.web.toasts import toast

blueprint = Blueprint("calendars", __name__, url_prefix="/settings/hours")

register(
    SettingsPage(
        key="hours",
        label=_l("Opening hours"),
        text=_l("When you are open, with holidays: bookings and deadlines go by it"),
        url="/settings/hours",
        icon="clock",
        permission="calendars:write",
        order=15,
    )
)

WEEK_FIELDS = ("name", *WEEKDAYS)
DAY_FIELDS = ("day", "name", "hours")
YEARS = range(2000, 2101)


@blueprint.get("", defaults={"calendar_id": None})
@blueprint.get("/<uuid:calendar_id>")
@needs("calendars:write")
def show(calendar_id: uuid.UUID | None) -> ResponseReturnValue:
    """Show the week and the special days of one calendar."""
    session = db.session()
    calendars = queries.calendars(session)
    wanted = CalendarService(session).get(calendar_id) if calendar_id is not None else None
    chosen = wanted if wanted is not None else next(iter(calendars), None)
    year = _year(request.args.get("year", ""))
    return render_page(
        "calendars/show.html",
        calendars=calendars,
        chosen=chosen,
        week=[(label, getattr(chosen, key)) for key, label in WEEKDAYS.items()] if chosen is not None else [],
        days=queries.days_of(session, chosen.id, year) if chosen is not None else [],
        year=year,
    )


def _year(written: str) -> int:
    found = int(written) if written.isascii() and written.isdigit() and len(written) == 4 else 0
    return found if found in YEARS else clock.today(context.tenant().tz).year


@blueprint.route("/new", methods=["GET", "POST"])
@needs("calendars:write")
def add() -> ResponseReturnValue:
    """Add opening hours of a place or a person."""
    title = _("New opening hours")
    if request.method == "GET":
        return _week_form(title, dict.fromkeys(tuple(WEEKDAYS)[:5], "09:00–18:00"))
    try:
        made = CalendarService(db.session()).create(given(WEEK_FIELDS))
    except KehuError as error:
        db.session().rollback()
        return _week_form(title, given(WEEK_FIELDS), error)
    done_toast(db.session(), _("Added the opening hours “%(name)s”", name=made.name))
    return done("kehu:close", "kehu:refresh")


@blueprint.route("/<uuid:calendar_id>/edit", methods=["GET", "POST"])
@needs("calendars:write")
def edit(calendar_id: uuid.UUID) -> ResponseReturnValue:
    """Change the hours of the week."""
    service = CalendarService(db.session())
    record = service.get(calendar_id)
    title, version = _("Opening hours “%(name)s”", name=record.name), record.version
    if request.method == "GET":
        return _week_form(title, {key: getattr(record, key) for key in WEEK_FIELDS}, version=version)
    try:
        service.update(calendar_id, given(WEEK_FIELDS), version=seen_version())
    except KehuError as error:
        db.session().rollback()
        return _week_form(title, given(WEEK_FIELDS), error, version=version)
    done_toast(db.session(), _("Changed the opening hours “%(name)s”", name=record.name))
    return done("kehu:close", "kehu:refresh")


@blueprint.post("/<uuid:calendar_id>/default")
@needs("calendars:write")
def make_default(calendar_id: uuid.UUID) -> ResponseReturnValue:
    """Let hours hold for the whole firm."""
    record = CalendarService(db.session()).update(calendar_id, {"is_default": True})
    done_toast(db.session(), _("“%(name)s” hold for the whole firm now", name=record.name))
    return done("kehu:refresh")


@blueprint.post("/<uuid:calendar_id>/retire")
@needs("calendars:delete")
def retire(calendar_id: uuid.UUID) -> ResponseReturnValue:
    """Put hours into the trash; who used them goes by those of the firm."""
    record = CalendarService(db.session()).trash(calendar_id)
    done_toast(db.session(), _("Retired the opening hours “%(name)s”", name=record.name))
    return done("kehu:refresh")


@blueprint.route("/<uuid:calendar_id>/days/new", methods=["GET", "POST"])
@needs("calendar_days:write")
def add_day(calendar_id: uuid.UUID) -> ResponseReturnValue:
    """Add a holiday or a day with other hours."""
    session = db.session()
    calendar = CalendarService(session).get(calendar_id)
    title = _("New special day")
    if request.method == "GET":
        return _day_form(title, {})
    try:
        made = CalendarDayService(session).create({**given(DAY_FIELDS), "calendar_id": calendar.id})
    except KehuError as error:
        session.rollback()
        return _day_form(title, given(DAY_FIELDS), error)
    done_toast(session, _("Added “%(name)s”", name=made.name))
    return done("kehu:close", "kehu:refresh")


@blueprint.route("/days/<uuid:day_id>", methods=["GET", "POST"])
@needs("calendar_days:write")
def edit_day(day_id: uuid.UUID) -> ResponseReturnValue:
    """Change a special day."""
    service = CalendarDayService(db.session())
    record = service.get(day_id)
    version = record.version
    if request.method == "GET":
        return _day_form(record.name, {key: getattr(record, key) for key in DAY_FIELDS}, version=version)
    try:
        service.update(day_id, given(DAY_FIELDS), version=seen_version())
    except KehuError as error:
        db.session().rollback()
        return _day_form(_("Special day"), given(DAY_FIELDS), error, version=version)
    done_toast(db.session(), _("Changed “%(name)s”", name=record.name))
    return done("kehu:close", "kehu:refresh")


@blueprint.post("/days/<uuid:day_id>/trash")
@needs("calendar_days:delete")
def trash_day(day_id: uuid.UUID) -> ResponseReturnValue:
    """Let a special day be a day like others."""
    record = CalendarDayService(db.session()).trash(day_id)
    done_toast(db.session(), _("Removed “%(name)s”", name=record.name))
    return done("kehu:refresh")


@blueprint.route("/<uuid:calendar_id>/holidays", methods=["GET", "POST"])
@needs("calendar_days:write")
def add_holidays(calendar_id: uuid.UUID) -> ResponseReturnValue:
    """Add the public holidays of a country and year."""
    session, tenant = db.session(), context.tenant()
    CalendarService(session).get(calendar_id)
    year = _year(request.values.get("year", ""))
    country = request.values.get("country", tenant.country)
    if request.method == "GET":
        return _holidays_form(country, year)
    if country not in holidays.countries():
        message = _("Choose a country of the list.")
        return _holidays_form(country, year, InvalidInput(message, fields={"country": [message]}))
    count = CalendarDayService(session).add_public(calendar_id, country, year, tenant.locale)
    if not count:
        toast(_("All public holidays of %(year)s are there already.", year=year), "info")
    else:
        done_toast(session, _n("Added %(num)s public holiday", "Added %(num)s public holidays", count))
    return done("kehu:close", "kehu:refresh")


def _labels(record_type: RecordType, keys: tuple[str, ...]) -> dict[str, str]:
    return {key: str(record_type.by_key[key].label) for key in keys}


def _week_form(
    title: str, values: Mapping[str, Any], error: KehuError | None = None, version: int | None = None
) -> ResponseReturnValue:
    labels = _labels(CALENDARS, WEEK_FIELDS)
    return form_page(
        "calendars/week_form.html", title, values, labels, error, version, weekdays=tuple(WEEKDAYS)
    )


def _day_form(
    title: str, values: Mapping[str, Any], error: KehuError | None = None, version: int | None = None
) -> ResponseReturnValue:
    labels = _labels(CALENDAR_DAYS, DAY_FIELDS)
    return form_page("calendars/day_form.html", title, values, labels, error, version)


def _holidays_form(country: str, year: int, error: KehuError | None = None) -> ResponseReturnValue:
    names = Locale.parse(str(get_locale() or "en")).territories
    options = sorted(
        ((code, str(names.get(code, code))) for code in holidays.countries()), key=lambda pair: pair[1]
    )
    values = {"country": country, "year": year}
    return form_page(
        "calendars/holidays_form.html",
        _("Public holidays"),
        values,
        {"country": _("Country"), "year": _("Year")},
        error,
        None,
        countries=options,
    )
