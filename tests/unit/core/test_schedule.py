"""Scheduled work: due once per moment and tenant, in the tenant's own zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from kehu.core import clock, db, jobs, schedule
from kehu.core.schedule import Schedule
from kehu.testkit.fixtures import Shop

NIGHT = Schedule(name="test.night", task="test.night", at=schedule.times("02:30"))
BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")


@jobs.tenant_task("test.night")
def night(_tenant_id: object, **_options: object) -> None:
    """Do nothing; the queue is what is looked at."""


@pytest.fixture
def only_night() -> Iterator[None]:
    """Leave the test's own schedule alone in the registry."""
    before = schedule.registered()
    schedule._schedules.clear()
    schedule.register(NIGHT)
    yield
    schedule._schedules.clear()
    schedule._schedules.update(before)


def at(text_: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text_)


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-11-28T01:29:59+00:00", BERLIN, "2026-11-27T01:30:00+00:00"),
        ("2026-11-28T01:30:00+00:00", BERLIN, "2026-11-28T01:30:00+00:00"),
        ("2026-11-28T01:30:00+00:00", SHANGHAI, "2026-11-27T18:30:00+00:00"),
        # The hour that summer time leaves out, and the one that comes twice.
        ("2026-03-29T12:00:00+00:00", BERLIN, "2026-03-29T01:30:00+00:00"),
        ("2026-10-25T12:00:00+00:00", BERLIN, "2026-10-25T00:30:00+00:00"),
    ],
)
def test_the_last_due_moment_is_in_the_tenants_zone(now: str, zone: ZoneInfo, expected: str) -> None:
    assert NIGHT.last_due(at(now), zone) == at(expected)


def test_turns_are_counted_in_utc() -> None:
    turn = Schedule(name="t", task="t", every=dt.timedelta(minutes=15))
    assert turn.last_due(at("2026-11-28T10:29:59+00:00"), SHANGHAI) == at("2026-11-28T10:15:00+00:00")


def test_a_schedule_says_one_of_both() -> None:
    for wrong in (
        Schedule(name="t", task="t"),
        Schedule(name="t", task="t", at=NIGHT.at, every=dt.timedelta(1)),
    ):
        with pytest.raises(ValueError, match="needs either"):
            schedule.register(wrong)


def waiting(shop: Shop) -> int:
    with shop.work() as session:
        return session.execute(
            text(
                "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'test.night' "
                "AND args ->> 'tenant_id' = :tenant"
            ),
            {"tenant": str(shop.tenant.id)},
        ).scalar_one()


def finish(shop: Shop) -> None:
    with shop.work() as session:
        session.execute(
            text("DELETE FROM procrastinate_jobs WHERE args ->> 'tenant_id' = :tenant"),
            {"tenant": str(shop.tenant.id)},
        )


def test_each_moment_is_served_once(
    shop: Shop, other_shop: Shop, only_night: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go(moment: str, who: Shop = shop) -> int:
        monkeypatch.setattr(clock, "now", lambda: at(moment))
        with shop.app.app_context():
            return schedule.enqueue_due(only=who.tenant.id)

    assert go("2026-11-28T09:00:00+00:00") == 1  # Never served: at once.
    assert waiting(shop) == 1
    assert go("2026-11-28T09:05:00+00:00") == 0
    finish(shop)
    assert go("2026-11-29T02:00:00+00:00") == 0
    # Three nights without a worker are made good by one run.
    assert go("2026-12-02T02:31:00+00:00") == 1
    # Still waiting: a second one would be one too many, and the moment counts as served.
    assert go("2026-12-03T02:31:00+00:00") == 1
    assert waiting(shop) == 1
    assert waiting(other_shop) == 0
    assert go("2026-12-03T02:32:00+00:00", other_shop) == 1
    assert waiting(other_shop) == 1
    finish(shop)
    finish(other_shop)


def test_work_of_a_plugin_is_due_where_it_is_on(
    shop: Shop, only_night: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule.register(
        Schedule(
            name="x", task="test.night", every=dt.timedelta(hours=1), plugin="automotive", arguments={"a": 1}
        )
    )
    with shop.app.app_context(), db.cross_tenant("test") as session:
        found = {one.name for _tenant, one, _at in schedule.due(session, clock.now(), only=shop.tenant.id)}
    assert found == {"test.night"}
    assert shop.client().post("/settings/plugins/automotive/on").status_code == 303
    with shop.app.app_context(), db.cross_tenant("test") as session:
        found = {one.name for _tenant, one, _at in schedule.due(session, clock.now(), only=shop.tenant.id)}
    assert found == {"test.night", "x"}
