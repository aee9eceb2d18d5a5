"""Opening hours and holidays under Settings, and what is counted by them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from kehu.calendars.models import Calendar, CalendarDay
from kehu.calendars.queries import business_hours
from kehu.calendars.services import CalendarDayService, CalendarService
from kehu.core.errors import InvalidInput
from kehu.testkit.fixtures import Shop, count_queries

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
LONDON = ZoneInfo("Europe/London")
MONDAY = dt.datetime(2026, 11, 30, 10, 0, tzinfo=LONDON)


def firm(shop: Shop) -> str:
    with shop.work() as session:
        return str(session.execute(select(Calendar.id)).scalar_one())


def test_a_new_firm_has_usual_hours_and_changes_them(shop: Shop) -> None:
    browser, path = shop.client(), f"/settings/hours/{firm(shop)}"
    assert "09:00–18:00" in browser.get("/settings/hours").get_data(as_text=True)
    form = {"name": "Whole firm", "monday": "8-12, 13-17", "sunday": "x", "version": "1"}
    refused = browser.post(f"{path}/edit", data=form, headers=HTMX)
    assert refused.status_code == 422
    assert "says no opening hours" in refused.get_data(as_text=True)
    assert 'value="8-12, 13-17"' in refused.get_data(as_text=True)
    assert browser.post(f"{path}/edit", data={**form, "sunday": ""}, headers=HTMX).status_code == 204
    assert browser.post(f"{path}/edit", data=form | {"sunday": ""}, headers=HTMX).status_code in (204, 409)
    with shop.work() as session:
        hours = business_hours(session)
        assert hours.zone == LONDON
        assert not hours.is_open(MONDAY.replace(hour=12, minute=30))
        assert hours.add(MONDAY.replace(hour=11), dt.timedelta(hours=2)) == MONDAY.replace(hour=14)


def test_public_holidays_come_with_one_click_and_go_with_undo(shop: Shop) -> None:
    browser, path = shop.client(), f"/settings/hours/{firm(shop)}/holidays"
    assert "United Kingdom" in browser.get(path, headers=HTMX).get_data(as_text=True)
    assert browser.post(path, data={"country": "XX", "year": "2026"}, headers=HTMX).status_code == 422
    answer = browser.post(path, data={"country": "GB", "year": "2026"}, headers=HTMX)
    assert answer.status_code == 204
    page = browser.get("/settings/hours?year=2026").get_data(as_text=True)
    assert "Christmas Day" in page
    with shop.work() as session:
        assert business_hours(session).spans_of(dt.date(2026, 12, 25)) == ()
    assert "there already" in str(
        browser.post(path, data={"country": "GB", "year": "2026"}, headers=HTMX).headers
    )
    undo = answer.headers["HX-Trigger"].split('"undo_url": "')[1].split('"')[0]
    assert browser.post(undo, headers=HTMX).status_code == 204
    with shop.work() as session:
        assert session.execute(select(CalendarDay).where(CalendarDay.deleted_at.is_(None))).first() is None


def test_a_day_has_hours_once(shop: Shop) -> None:
    browser, path = shop.client(), f"/settings/hours/{firm(shop)}/days/new"
    day = {"day": "2026-12-24", "name": "Christmas Eve", "hours": "9-12"}
    assert browser.post(path, data=day, headers=HTMX).status_code == 204
    twice = browser.post(path, data=day, headers=HTMX)
    assert twice.status_code == 422
    assert "Christmas Eve" in twice.get_data(as_text=True)
    with shop.work() as session:
        found = session.execute(select(CalendarDay)).scalar_one()
        assert business_hours(session).spans_of(found.day) == ((540, 720),)
        day_id = found.id
    assert browser.post(f"/settings/hours/days/{day_id}", data={"hours": ""}, headers=HTMX).status_code == 204
    assert browser.post(f"/settings/hours/days/{day_id}/trash", headers=HTMX).status_code == 204
    assert browser.post(path, data=day, headers=HTMX).status_code == 204
    with shop.work() as session, pytest.raises(InvalidInput, match="already"):
        CalendarDayService(session).restore(day_id)


def test_places_have_hours_of_their_own(shop: Shop) -> None:
    browser, first = shop.client(), firm(shop)
    form = {"name": "Workshop", "saturday": "8-13"}
    assert browser.post("/settings/hours/new", data=form, headers=HTMX).status_code == 204
    with shop.work() as session:
        made = session.execute(select(Calendar).where(Calendar.name == "Workshop")).scalar_one()
        saturday = dt.datetime(2026, 11, 28, 9, 0, tzinfo=LONDON)
        with count_queries() as queries:
            assert business_hours(session, made.id).is_open(saturday)
            assert not business_hours(session).is_open(saturday)
        assert len(queries) == 2
    assert browser.post(f"/settings/hours/{first}/retire", headers=HTMX).status_code == 409
    assert browser.post(f"/settings/hours/{made.id}/default", headers=HTMX).status_code == 204
    assert browser.post(f"/settings/hours/{first}/retire", headers=HTMX).status_code == 204
    with shop.work() as session:
        assert business_hours(session).is_open(saturday)
        with pytest.raises(InvalidInput, match="needs opening hours"):
            CalendarService(session).update(made.id, {"is_default": False})


def test_who_only_works_here_sets_no_hours(shop: Shop, other_shop: Shop) -> None:
    member, path = shop.client(shop.member("member")), f"/settings/hours/{firm(shop)}"
    for method, address in (("GET", path), ("POST", f"{path}/edit"), ("POST", f"{path}/holidays")):
        assert member.open(address, method=method).status_code == 403
    foreign = firm(other_shop)
    assert shop.client().get(f"/settings/hours/{foreign}").status_code == 404
    assert shop.client().post(f"/settings/hours/{foreign}/retire").status_code == 404
