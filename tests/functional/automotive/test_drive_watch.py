"""Test drives: who drives is reminded, keys that are not back are told, each once (AUT-05)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select, update

from kehu.activities.models import Activity
from kehu.core import clock
from kehu.core.records.service import service_for
from kehu.messages.models import Message
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import run_job_now
from plugins_builtin.automotive.drives.models import TestDrive
from plugins_builtin.automotive.drives.services import DriveService
from tests.functional.automotive.driving import GATES, booked, drive_of


def tasks(dealer: Shop, words: str) -> list[Any]:
    with dealer.work() as session:
        found = select(Activity).where(Activity.subject.contains(words)).order_by(Activity.id)
        return list(session.execute(found).scalars())


def watch(dealer: Shop, **ago: Any) -> None:
    """Move the drive in time by hand, and let the job run twice."""
    with dealer.work() as session:
        if ago:
            session.execute(update(TestDrive).where(TestDrive.tenant_id == dealer.tenant.id).values(**ago))
    for _turn in range(2):
        run_job_now(dealer, "automotive.drives_watch")


def test_who_drives_is_reminded_twice_each_once(dealer: Shop, car: str) -> None:
    def letters() -> list[Any]:
        with dealer.work() as session:
            return list(session.execute(select(Message).order_by(Message.id)).scalars())

    with dealer.work() as session:
        given = {"name": "Anna Lind", "emails": ["anna@example.com"]}
        customer = service_for("customers", session).create(given).id
    drive = booked(dealer, car, customer_id=str(customer))
    now = clock.now()
    long_ago = now - dt.timedelta(days=3)
    watch(dealer, from_at=now + dt.timedelta(hours=30), to_at=now + dt.timedelta(hours=31))
    assert letters() == []
    before = drive_of(dealer, drive).version
    times = {"from_at": now + dt.timedelta(hours=23), "to_at": now + dt.timedelta(hours=24)}
    watch(dealer, created_at=long_ago, **times)
    (first,) = letters()
    assert (first.template, first.customer_id, first.purpose) == (
        "automotive.drive_reminder",
        customer,
        "transactional",
    )
    assert "VW Golf" in first.subject
    assert drive_of(dealer, drive).version == before
    watch(dealer, from_at=now + dt.timedelta(hours=1), to_at=now + dt.timedelta(hours=2))
    assert len(letters()) == 2
    assert tasks(dealer, "Remind of") == []


def test_who_has_no_mail_is_a_task_and_who_booked_just_now_knows(dealer: Shop, car: str) -> None:
    booked(dealer, car, phone="+442079464410")
    now = clock.now()
    soon = {"from_at": now + dt.timedelta(hours=20), "to_at": now + dt.timedelta(hours=21)}
    watch(dealer, **soon)
    assert tasks(dealer, "Remind of") == []
    watch(dealer, created_at=now - dt.timedelta(days=2), remind_step=0, **soon)
    (task,) = tasks(dealer, "Remind of")
    assert "+442079464410" in task.body


def test_keys_that_are_not_back_are_told_to_host_and_manager_once(dealer: Shop, car: str) -> None:
    host, manager = dealer.member("member"), dealer.member("manager")
    drive = booked(dealer, car, owner_id=str(host.member_id))
    with dealer.work() as session:
        DriveService(session).hand_out(drive, GATES)
    now = clock.now()
    begun = now - dt.timedelta(hours=2)
    watch(dealer, from_at=begun, to_at=now - dt.timedelta(minutes=14))
    assert tasks(dealer, "Not back") == []
    watch(dealer, to_at=now - dt.timedelta(minutes=16))
    assert [one.owner_id for one in tasks(dealer, "Not back")] == [host.member_id]
    watch(dealer, to_at=now - dt.timedelta(minutes=46))
    owners = {one.owner_id for one in tasks(dealer, "Not back")}
    assert {host.member_id, manager.member_id} <= owners
    assert len(tasks(dealer, "Not back")) == len(owners)
    with dealer.work() as session:
        DriveService(session).take_back(drive, {"back_km": "1210"})
    watch(dealer)
    assert all(one.done_at for one in tasks(dealer, "Not back"))
