"""From a trial to a plan and back, against the demo's ledger: the words are those of any provider."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from billing import facts, notices
from billing.mirror import converge
from billing.models import Notice, Subscription
from billing.phases import Phase
from kehu.core import clock, context, mail
from kehu.core.errors import Conflict, InvalidInput
from kehu.members.models import Role
from kehu.members.services import MemberService
from kehu.testkit.fixtures import make_shop
from tests.functional.billing.till import DAY, Till, at_the_till, end_trial


def test_who_chooses_within_the_trial_pays_when_it_ends(till: Till) -> None:
    shown = till.buy(seats=2)
    assert (shown.total, shown.lines, till.outcome.state) == (0, (), "done")
    assert (till.phase, till.subscription.status) == (Phase.ACTIVE, "trialing")
    assert (till.account.seats_cap, till.subscription.period_end) == (2, till.account.trial_ends_at)
    assert till.pass_time() is Phase.ACTIVE
    assert [(one.status, one.net) for one in till.invoices()] == [("paid", 2400)]


def test_case_53_a_first_payment_that_is_not_made_changes_nothing(till: Till) -> None:
    end_trial(till.session)
    cap = till.account.seats_cap
    till.buy(seats=9)
    assert (till.outcome.state, till.phase, till.account.seats_cap) == ("needs_action", Phase.CONFIRMING, cap)
    with pytest.raises(Conflict, match="first payment is open"):
        till.buy(seats=2)
    assert till.pass_time(dt.timedelta(hours=24)) is Phase.TRIAL_OVER
    assert [one.status for one in till.invoices()] == ["void"]
    till.buy(seats=2)
    till.service.cancel()
    assert till.phase is Phase.TRIAL_OVER


def test_case_52_a_first_payment_that_fails_grants_nothing(till: Till) -> None:
    end_trial(till.session)
    till.provider.let_fail(True)
    till.buy(seats=9)
    assert till.service.pay_open().state == "refused"
    assert (till.phase, till.account.seats_cap) == (Phase.CONFIRMING, 5)
    till.provider.let_fail(False)
    assert till.service.pay_open().state == "done"
    assert (till.phase, till.account.seats_cap) == (Phase.ACTIVE, 9)


@pytest.mark.parametrize(
    ("country", "state", "tax", "note"),
    [
        ("GB", "", 720, "rate:20"),
        ("US", "", 0, "outside"),
        ("FR", "verified", 0, "reverse"),
        ("FR", "pending", 720, "pending:20"),
    ],
)
def test_case_65_tax_follows_country_and_tax_id(
    till: Till, country: str, state: str, tax: int, note: str
) -> None:
    end_trial(till.session)
    till.account.country, till.account.tax_id_state = country, state
    shown = till.buy(seats=3)
    assert (shown.net, shown.tax, shown.tax_note) == (3600, tax, note)


def test_case_68_the_invoice_is_what_the_preview_showed(till: Till) -> None:
    till.subscribed(seats=3)
    till.provider.run_ahead(DAY * 10)
    for wish in (
        {"seats": 7},
        {"seats": 8, "plan": "business"},
        {"seats": 8, "plan": "business", "interval": "year"},
    ):
        shown = till.buy(**wish)
        last = till.invoices()[-1]
        assert (last.net, last.tax, last.total) == (shown.net, shown.tax, shown.total)
        assert last.total > 0
        till.provider.run_ahead(DAY)


def test_case_67_amounts_without_smaller_units(till: Till) -> None:
    end_trial(till.session)
    till.account.country = "JP"
    shown = till.buy(seats=3, currency="JPY")
    assert (shown.net, shown.tax, shown.total) == (6000, 600, 6600)


def test_case_66_a_second_currency_is_refused(till: Till) -> None:
    till.subscribed()
    with pytest.raises(InvalidInput) as raised:
        till.buy(seats=4, currency="USD")
    assert "pays in GBP" in raised.value.fields["currency"][0]


@pytest.mark.parametrize(
    ("plan", "interval", "seats", "field"),
    [
        ("gold", "month", "3", "plan"),
        ("team", "week", "3", "interval"),
        ("team", "month", "0", "seats"),
        ("team", "month", "-1", "seats"),
        ("team", "month", "many", "seats"),
        ("business", "month", "2", "seats"),
    ],
)
def test_case_51_what_can_not_be_ordered_names_its_field(
    till: Till, plan: str, interval: str, seats: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        till.service.wish(plan, interval, seats)
    assert list(raised.value.fields) == [field]


def test_case_48_fewer_seats_and_more_again_are_not_paid_twice(till: Till) -> None:
    till.subscribed(seats=5)
    till.provider.run_ahead(DAY * 5)
    assert till.buy(seats=2).total == 0
    assert (till.account.seats_cap, till.account.seats_paid_floor) == (2, 5)
    assert till.buy(seats=5).total == 0
    assert len(till.invoices()) == 1
    shown = till.buy(seats=6)
    assert shown.lines[0].seats == 1
    till.buy(seats=2)
    till.pass_time()
    assert (till.invoices()[-1].net, till.account.seats_paid_floor) == (2400, 2)


def test_case_47_no_fewer_seats_than_people(till: Till) -> None:
    till.subscribed(seats=3)
    role = till.session.execute(select(Role.id).where(Role.code == "member")).scalar_one()
    for number in range(2):
        MemberService(till.session).invite(name="A", email=f"a{number}@example.com", role_id=role)
    with pytest.raises(Conflict, match="3 seats are taken"):
        till.buy(seats=2)


def test_case_50_a_declined_payment_for_more_seats_changes_nothing(till: Till) -> None:
    till.subscribed(seats=3)
    till.provider.let_fail(True)
    till.buy(seats=9)
    assert (till.outcome.state, till.subscription.seats, till.account.seats_cap) == ("refused", 3, 3)
    assert (till.phase, len(till.invoices())) == (Phase.ACTIVE, 1)


def test_case_54_and_55_a_renewal_fails_and_is_paid(till: Till) -> None:
    till.subscribed(seats=3)
    till.provider.let_fail(True)
    assert till.pass_time() is Phase.GRACE
    with pytest.raises(Conflict, match="Pay it first"):
        till.buy(seats=9)
    assert till.pass_time(DAY * 15) is Phase.RESTRICTED
    till.provider.let_fail(False)
    till.service.pay_open()
    assert till.phase is Phase.ACTIVE
    assert context.actor().require("customers:write")


def test_case_63_nothing_is_reduced_while_an_invoice_is_open(till: Till) -> None:
    till.subscribed(seats=3)
    till.provider.let_fail(True)
    till.pass_time()
    for wish in ({"seats": 2}, {"seats": 3, "plan": "team", "interval": "year"}):
        with pytest.raises(Conflict, match="An invoice is open"):
            till.buy(**wish)


def test_case_58_cancel_undo_cancel_and_the_end(till: Till) -> None:
    till.subscribed(seats=3)
    till.service.cancel()
    assert (till.phase, till.subscription.cancel_at) == (Phase.ACTIVE, till.subscription.period_end)
    till.service.undo_cancel()
    assert till.subscription.cancel_at is None
    till.service.cancel()
    assert till.pass_time() is Phase.ENDED
    assert [one.status for one in till.invoices()] == ["paid"]
    assert till.pass_time(DAY * 91) is Phase.CLOSED
    with pytest.raises(Conflict, match="no subscription"):
        till.service.undo_cancel()


def test_case_59_a_firm_that_ended_starts_again_with_its_data(till: Till) -> None:
    till.subscribed(seats=3)
    till.service.cancel()
    till.pass_time()
    till.buy(seats=4, plan="team", interval="year")
    assert till.phase is Phase.CONFIRMING
    till.service.pay_open()
    assert (till.phase, till.account.ended_at, till.account.seats_cap) == (Phase.ACTIVE, None, 4)
    assert till.session.execute(select(func.count()).select_from(Subscription)).scalar() == 2


def test_what_is_never_paid_ends_after_the_provider_gives_up(till: Till) -> None:
    till.subscribed(seats=3, interval="year")
    till.provider.let_fail(True)
    till.pass_time()
    assert till.pass_time(DAY * 31) is Phase.ENDED
    assert till.invoices()[-1].status == "uncollectible"


def test_case_60_another_plan_keeps_the_seats(till: Till) -> None:
    till.subscribed(seats=4)
    till.provider.run_ahead(DAY * 10)
    shown = till.buy(seats=4, plan="business")
    assert [line.code for line in shown.lines] == ["unused", "plan"]
    assert (till.subscription.plan, till.account.seats_cap) == ("business@1", 4)


def test_a_smaller_plan_waits_for_the_end_of_the_period(till: Till) -> None:
    till.subscribed(seats=4, plan="business")
    shown = till.buy(seats=3, plan="team")
    assert (shown.total, shown.later) == (0, till.subscription.period_end)
    assert (till.subscription.plan, till.subscription.pending["plan"]) == ("business@1", "team@1")
    till.service.call_off()
    assert till.subscription.pending is None
    till.buy(seats=3, plan="team")
    till.pass_time()
    assert (till.subscription.plan, till.subscription.pending, till.account.seats_cap) == ("team@1", None, 3)


def test_case_61_a_smaller_plan_that_does_not_fit_on_its_day_is_called_off(till: Till) -> None:
    till.subscribed(seats=4, plan="business")
    till.buy(seats=3, plan="team")
    assert till.outcome.state == "waits"
    _invite(till, 3)
    till.pass_time(DAY)
    assert till.subscription.pending is not None  # Until its day somebody can still be parked.
    assert till.pass_time() is Phase.ACTIVE
    assert (till.subscription.plan, till.subscription.pending, till.account.seats_cap) == (
        "business@1",
        None,
        4,
    )
    for _look in range(3):
        till.service.check()
    assert kinds(till.session) == ["called_off"]


def test_case_61_the_mail_speaks_the_language_of_the_firm(
    demo: None, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_shop(app, locale="ru")
    with at_the_till(shop) as till:
        till.subscribed(seats=4, plan="business")
        till.buy(seats=2, plan="team")
        _invite(till, 2)
        till.pass_time()
        asked = till.session.execute(
            text(
                "SELECT args FROM procrastinate_jobs WHERE task_name = 'kehu.mail.deliver' "
                "AND args->>'tenant_id' = :firm AND args->'values'->>'kind' = 'called_off'"
            ),
            {"firm": str(shop.tenant.id)},
        ).scalar_one()
    sent: list[EmailMessage] = []
    monkeypatch.setattr(mail, "transmit", sent.append)
    mail.deliver(**asked)
    plain, rich = (part.get_content() for part in sent[0].iter_parts())
    assert "отмен" in sent[0]["Subject"]
    for part in (plain, rich):
        for said in ("Занято мест: 3. Сначала", "/settings/billing", "Команда"):
            assert said in part
    assert "<p>" in rich


def _invite(till: Till, number: int) -> None:
    role = till.session.execute(select(Role.id).where(Role.code == "member")).scalar_one()
    for one in range(number):
        MemberService(till.session).invite(name="A", email=f"a{one}@example.com", role_id=role)


def test_a_price_holds_for_ten_minutes_and_no_longer(till: Till) -> None:
    wish = till.service.wish("team", "month", "3")
    shown = till.service.preview(wish)
    with pytest.raises(Conflict, match="shown too long ago, or has moved"):
        till.service.order(wish, shown.at, shown.total + 4)
    till.provider.run_ahead(dt.timedelta(minutes=11))
    till.service.check()
    with pytest.raises(Conflict, match="shown too long ago"):
        till.service.order(wish, shown.at, shown.total)


def test_case_28_of_two_live_subscriptions_the_later_counts(till: Till) -> None:
    from dataclasses import replace

    till.subscribed(seats=3)
    known = till.provider.fetch(till.service.party(till.account))
    twin = replace(known.subscriptions[0], provider_id="twin", seats=8, started_at=clock.now() + DAY)
    converge(till.session, replace(known, subscriptions=(*known.subscriptions, twin)))
    assert (till.subscription.provider_id, till.account.seats_cap) == ("twin", 8)
    converge(till.session, known)
    live = select(func.count()).select_from(Subscription).where(Subscription.live)
    assert till.session.execute(live).scalar() == 1


# --- mails ------------------------------------------------------------------------------------------------------


def kinds(session: Any) -> list[str]:
    return list(session.execute(select(Notice.kind).order_by(Notice.sent_at, Notice.id)).scalars())


def test_each_mail_is_sent_once_on_its_day(till: Till) -> None:
    till.service.check()
    assert kinds(till.session) == []
    for _day in range(15):
        till.pass_time(DAY)
    assert kinds(till.session) == ["trial_7", "trial_3", "trial_1"]
    till.buy(seats=3)
    till.service.pay_open()
    till.provider.let_fail(True)
    till.pass_time()
    for _day in range(40):
        till.pass_time(DAY)
    assert kinds(till.session)[3:] == ["failed_0", "failed_3", "failed_7", "failed_12", "restricted", "ended"]
    for _day in range(90):
        till.pass_time(DAY)
    assert kinds(till.session)[9:] == ["closing_30", "closing_7", "closing_1"]


def test_case_77_one_mail_though_five_looks_say_so(till: Till) -> None:
    till.subscribed(seats=3)
    till.provider.let_fail(True)
    till.pass_time()
    sent = [
        notices.send_due(till.session, till.account, facts.standing(context.tenant())) for _look in range(5)
    ]
    assert sent == [None] * 5
    assert kinds(till.session) == ["failed_0"]


@pytest.mark.parametrize(
    "kind", ["trial_7", "trial_1", "failed_0", "closing_30", "restricted", "ended", "called_off"]
)
def test_every_mail_has_subject_text_and_step(app: Any, kind: str) -> None:
    with app.test_request_context():
        subject, text, action = notices.text_of(kind, "Harbour", "3 March 2027")
    assert "Harbour" in subject
    assert "Harbour" in text
    assert action


def test_the_mail_of_a_failed_payment_names_invoice_and_amount(till: Till) -> None:
    till.subscribed(seats=3)
    till.provider.let_fail(True)
    till.pass_time()
    number = till.invoices()[-1].number
    values = {"kind": "failed_0", "firm": "Holz", "date": None, "more": {}}
    said = notices._letter(till.session, values)
    assert said is not None
    assert said["text"].endswith(f"Open: £43.20 of invoice {number}.")
