"""The phase function and its table: every status against every span, and laws that hold for any of them."""

from __future__ import annotations

import datetime as dt
import itertools
import random

import pytest

from billing.phases import (
    ACCESS,
    POLICY,
    Account,
    Buy,
    Mirror,
    OpenInvoice,
    Paid,
    Phase,
    Standing,
    phase,
)

NOW = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
STATUSES = (
    "incomplete",
    "incomplete_expired",
    "trialing",
    "active",
    "past_due",
    "canceled",
    "unpaid",
    "paused",
    "surprising",
)


def at(
    status: str = "",
    *,
    trial: float | None = None,
    ended: float | None = None,
    checkout: float | None = None,
    opened: float | None = None,
    now: dt.datetime = NOW,
    **more: object,
) -> Standing:
    """Return a phase; times are days before `now` (trial: after it)."""
    held, last = bool(more.pop("held", False)), more.pop("last", None)
    account = Account(
        trial_ends_at=NOW + trial * DAY if trial is not None else None,
        ended_at=NOW - ended * DAY if ended is not None else None,
        checkout_until=NOW + checkout * DAY if checkout is not None else None,
        held=held,
        last=last,  # type: ignore[arg-type]
    )
    by_invoice = bool(more.pop("by_invoice", False))
    times = {key: NOW + value * DAY for key, value in more.items()}  # type: ignore[operator]
    mirror = Mirror(status=status, by_invoice=by_invoice, **times) if status else None
    return phase(account, mirror, OpenInvoice(since=NOW - opened * DAY) if opened is not None else None, now)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (at(trial=3), Phase.TRIAL),
        (at(), Phase.TRIAL),
        (at(trial=-1), Phase.TRIAL_OVER),
        (at(ended=1, trial=3), Phase.ENDED),
        (at(ended=91), Phase.CLOSED),
        (at("incomplete", trial=3), Phase.CONFIRMING),
        (at("incomplete_expired", trial=3), Phase.TRIAL),
        (at("incomplete_expired", trial=-3), Phase.TRIAL_OVER),
        (at("incomplete_expired", ended=5), Phase.ENDED),
        (at("active"), Phase.ACTIVE),
        (at("active", opened=40), Phase.ACTIVE),
        (at("trialing", trial=3), Phase.ACTIVE),
        (at("active", cancel_at=3), Phase.ACTIVE),
        (at("active", cancel_at=-0.5), Phase.ACTIVE),
        (at("active", cancel_at=-2), Phase.ENDED),
        (at("active", cancel_at=-95), Phase.CLOSED),
        (at("past_due", opened=0), Phase.GRACE),
        (at("past_due", opened=13.9), Phase.GRACE),
        (at("past_due", opened=14.1), Phase.RESTRICTED),
        (at("past_due", opened=29.9, by_invoice=True), Phase.GRACE),
        (at("past_due", opened=30.1, by_invoice=True), Phase.RESTRICTED),
        (at("past_due"), Phase.GRACE),
        (at("unpaid"), Phase.RESTRICTED),
        (at("paused"), Phase.RESTRICTED),
        (at("canceled", stopped_at=-1), Phase.ENDED),
        (at("canceled", stopped_at=-89), Phase.ENDED),
        (at("canceled", stopped_at=-91), Phase.CLOSED),
        (at("active", held=True), Phase.HELD),
        (at(trial=3, held=True), Phase.HELD),
    ],
)
def test_each_status_and_span_has_its_phase(found: Standing, wanted: Phase) -> None:
    assert found.phase is wanted


def test_off_is_off_whatever_else_is_known() -> None:
    off = Account(off=True, held=True, trial_ends_at=NOW - 99 * DAY, ended_at=NOW - 999 * DAY)
    for status in STATUSES:
        assert phase(off, Mirror(status=status), None, NOW) == Standing(phase=Phase.OFF)


def test_case_19_an_unknown_status_keeps_the_last_phase_and_raises_an_alarm() -> None:
    for last in (Phase.ACTIVE, Phase.RESTRICTED, Phase.TRIAL_OVER, Phase.GRACE):
        found = at("surprising", last=last, trial=-5)
        assert (found.phase, bool(found.alarm)) == (last, True)
    assert at("surprising", trial=3).phase is Phase.TRIAL
    assert at("surprising", last=Phase.HELD, trial=-3).phase is Phase.TRIAL_OVER


def test_case_53_a_first_payment_that_is_open_changes_nothing() -> None:
    for before, trial in ((Phase.TRIAL, 3), (Phase.TRIAL_OVER, -3)):
        found = at("incomplete", trial=trial, started_at=0)
        assert (found.phase, found.before) == (Phase.CONFIRMING, before)
        assert found.until == NOW + POLICY.confirming
        assert found.access.write is ACCESS[before].write
        assert found.access.invite is ACCESS[before].invite
        assert found.access.buy is Buy.FINISH


@pytest.mark.parametrize(
    ("name", "everybody", "write", "invite", "buy", "reduce", "plugins"),
    [
        ("off", 1, 1, 1, "hidden", 0, "all"),
        ("trial", 1, 1, 1, "yes", 0, "plan"),
        ("trial_over", 1, 0, 0, "yes", 0, "suspended"),
        ("active", 1, 1, 1, "yes", 1, "yes"),
        ("grace", 1, 1, 1, "pay", 0, "yes"),
        ("restricted", 1, 0, 0, "pay", 0, "suspended"),
        ("ended", 1, 0, 0, "again", 0, "suspended"),
        ("closed", 0, 0, 0, "again", 0, "off"),
        ("held", 0, 0, 0, "no", 0, "off"),
    ],
)
def test_the_table_of_access(
    name: str, everybody: int, write: int, invite: int, buy: str, reduce: int, plugins: str
) -> None:
    found = ACCESS[Phase(name)]
    assert (found.everybody, found.write, found.invite, found.reduce) == (
        bool(everybody),
        bool(write),
        bool(invite),
        bool(reduce),
    )
    assert (found.buy, found.plugins) == (Buy(buy), Paid(plugins))
    assert set(ACCESS) == set(Phase) - {Phase.CONFIRMING}


def test_laws_that_hold_for_any_state() -> None:
    rng = random.Random(4)
    for status, trial, ended, opened, held in itertools.product(
        ("", *STATUSES), (None, -3, 3), (None, 5, 95), (None, 2, 20), (False, True)
    ):
        more = {"cancel_at": rng.choice((-5, 5)), "stopped_at": -rng.random() * 200, "started_at": -1}
        found = at(status, trial=trial, ended=ended, opened=opened, held=held, **more)
        access = found.access
        assert (found.phase is Phase.HELD) is held
        assert access.everybody or not access.write, "who may not come in may not write"
        assert access.write or not access.invite, "a firm that only reads takes nobody in"
        assert found.phase is not Phase.OFF
        if status == "active" and not held and more["cancel_at"] > 0:
            assert found.phase is Phase.ACTIVE, "who has paid is never shut out"


ORDER = {
    Phase.TRIAL: 0,
    Phase.TRIAL_OVER: 1,
    Phase.ACTIVE: 0,
    Phase.GRACE: 1,
    Phase.RESTRICTED: 2,
    Phase.ENDED: 3,
    Phase.CLOSED: 4,
}


def test_time_alone_only_ever_leads_down() -> None:
    rng = random.Random(7)
    for _round in range(300):
        status = rng.choice(["", "active", "past_due", "canceled", "incomplete_expired"])
        more = {"cancel_at": rng.uniform(-5, 40), "stopped_at": rng.uniform(-100, 0)}
        options = {"trial": rng.uniform(-20, 20), "opened": rng.uniform(0, 40), **more}
        steps = [ORDER[at(status, now=NOW + day * DAY, **options).phase] for day in range(0, 200, 3)]
        assert steps == sorted(steps)


def test_case_57_a_clock_ten_minutes_fast_shuts_nobody_out_early() -> None:
    fast, slow = NOW + 10 * MINUTE, NOW - 10 * MINUTE
    for edge in (
        {"status": "", "trial": 0},
        {"status": "past_due", "opened": 14},
        {"status": "canceled", "stopped_at": -90},
        {"status": "active", "cancel_at": 0},
    ):
        before = at(**edge, now=NOW - DAY / 2).phase  # type: ignore[arg-type]
        assert at(**edge, now=fast).phase is before  # type: ignore[arg-type]
        assert at(**edge, now=slow).phase is before  # type: ignore[arg-type]
        after = at(**edge, now=NOW + 2 * DAY).phase  # type: ignore[arg-type]
        assert ORDER[after] > ORDER[before]


@pytest.mark.parametrize(
    ("below", "given"),
    [
        (Phase.TRIAL, {"trial": 3}),
        (Phase.TRIAL_OVER, {"trial": -3}),
        (Phase.ENDED, {"status": "canceled", "stopped_at": -5}),
        (Phase.CLOSED, {"status": "canceled", "stopped_at": -200}),
    ],
)
def test_case_53_a_page_of_payment_that_is_open_grants_nothing(
    below: Phase, given: dict[str, object]
) -> None:
    found = at(checkout=1, **given)  # type: ignore[arg-type]
    assert (found.phase, found.before, found.until) == (Phase.CONFIRMING, below, NOW + DAY)
    assert (found.access.buy, found.access.write) == (Buy.FINISH, ACCESS[below].write)
    assert at(checkout=0, **given).phase is below  # type: ignore[arg-type]
    assert at("active", checkout=1).phase is Phase.ACTIVE
    assert at(checkout=1, held=True, **given).phase is Phase.HELD  # type: ignore[arg-type]
