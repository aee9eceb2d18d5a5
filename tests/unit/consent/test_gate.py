"""The gate: consent, stops, preferred channel, frequency, hours, and what plugins say."""

import datetime as dt

import pytest

from kehu.consent.facts import Facts, Sent
from kehu.consent.gate import Outgoing, check_many, check_send, refusal
from kehu.consent.rules import Rules, SendRulesService
from kehu.consent.services import ConsentService
from kehu.core import clock
from kehu.core.ids import new_id
from kehu.customers.services import ContactService, CustomerService
from kehu.messages.models import Message
from kehu.testkit.fixtures import count_queries

NOON = dt.datetime(2026, 12, 2, 12, tzinfo=dt.UTC)


def contact(session, **values):
    return ContactService(session).create({"name": "Anna", "emails": "anna@example.com", **values})


def code(session, record, purpose="marketing", at=NOON, **more):
    key = "contact_id" if record.__tablename__ == "contacts" else "customer_id"
    found = check_send(session, Outgoing(purpose=purpose, **{key: record.id}, **more), at=at)
    return found.code if found else None


def sent(session, record, days, purpose="marketing"):
    session.add(
        Message(
            id=new_id(),
            contact_id=record.id,
            person_id=record.id,
            template="x.y",
            channel="mail",
            purpose=purpose,
            address="a@example.com",
            locale="en",
            subject="s",
            body="b",
            state="sent",
            at=NOON - dt.timedelta(days=days),
            sent_at=NOON - dt.timedelta(days=days),
            sender="",
        )
    )
    session.flush()


def test_advertising_needs_a_yes_and_the_rest_no_no(session):
    anna = contact(session)
    assert code(session, anna) == "no_consent"
    assert [code(session, anna, one) for one in ("service", "survey", "transactional")] == [None, None, None]
    ContactService(session).update(anna.id, {"mail_consent": "given"})
    assert code(session, anna) is None
    assert code(session, anna, channel="sms") == "no_address"
    ConsentService(session).record("contacts", anna.id, "mail", "service", "withdrawn")
    ContactService(session).update(anna.id, {"mail_consent": "withdrawn"})
    assert [code(session, anna, one) for one in ("marketing", "service", "transactional")] == [
        "withdrawn",
        "withdrawn",
        None,
    ]


def test_a_firm_may_write_letters_or_all_until_somebody_says_no(session):
    anna = contact(session)
    firm = CustomerService(session).create({"name": "Firm", "addresses": [{"city": "Bath", "country": "GB"}]})
    SendRulesService(session).save({"unasked": "post"})
    assert (code(session, anna), code(session, firm, channel="post")) == ("no_consent", None)
    SendRulesService(session).save({"unasked": "all"})
    assert code(session, anna) is None
    ContactService(session).update(anna.id, {"mail_consent": "withdrawn"})
    assert code(session, anna) == "withdrawn"


def test_do_not_contact_stops_what_was_not_asked_for_or_everything(session):
    firm = CustomerService(session).create({"name": "Firm"})
    anna = contact(session, customer_id=str(firm.id), do_not_contact="unasked")
    assert [code(session, anna, one) for one in ("service", "transactional")] == ["do_not_contact", None]
    # A firm that wants none speaks for its people.
    CustomerService(session).update(firm.id, {"do_not_contact": "all"})
    assert code(session, anna, "transactional") == "do_not_contact"


def test_the_preferred_channel_is_obeyed_where_one_courts(session):
    anna = contact(session, preferred_channel="phone", mail_consent="given")
    assert [code(session, anna, one) for one in ("marketing", "survey", "service")] == [
        "channel",
        "channel",
        None,
    ]


def test_who_has_no_address_or_lies_in_the_trash_gets_nothing(session):
    assert code(session, contact(session, emails=[]), "service") == "no_address"
    gone = contact(session)
    ContactService(session).trash(gone.id)
    assert code(session, gone, "service") == "gone"
    answer = Outgoing(purpose="transactional", contact_id=gone.id, address="anna@example.com")
    assert check_send(session, answer, at=NOON) is None
    assert check_send(session, Outgoing(purpose="transactional", address="x@example.com"), at=NOON) is None


@pytest.mark.parametrize(
    ("days", "values", "expected"),
    [
        (6, {}, "too_often"),
        (8, {}, None),
        (8, {"contact_gap": "30"}, "too_often"),
        (31, {"contact_gap": "30"}, None),
    ],
)
def test_frequency(session, days, values, expected):
    anna = contact(session, mail_consent="given", **values)
    sent(session, anna, days)
    assert code(session, anna) == expected
    assert code(session, anna, "transactional") is None


def test_answers_do_not_count_for_the_frequency(session):
    anna = contact(session, mail_consent="given")
    sent(session, anna, 1, purpose="transactional")
    assert code(session, anna) is None


def test_at_night_messages_wait_and_answers_do_not(session):
    anna = contact(session, mail_consent="given", best_hours="17-19")
    found = check_send(session, Outgoing(purpose="marketing", contact_id=anna.id), at=NOON)
    assert (found.code, found.until) == ("quiet", NOON.replace(hour=17))
    night = NOON.replace(hour=23)
    assert check_send(session, Outgoing(purpose="service", contact_id=anna.id), at=night).until > night
    assert code(session, anna, "service") is None
    assert code(session, anna, "transactional", at=night) is None


def test_a_household_is_not_written_to_twice():
    person = Facts(
        id=new_id(),
        object="contacts",
        name="Anna",
        customer_id=None,
        stop=None,
        preferred=None,
        best_hours=None,
        gap_days=0,
        language=None,
        mail="a@example.com",
        phone=None,
        post=None,
        sent=Sent(),
        household_sent=1,
    )
    message = Outgoing(purpose="service", contact_id=person.id)
    assert refusal(message, person, Rules(), NOON).code == "household"
    assert refusal(message, person, Rules(household_cap=2), NOON) is None


def test_many_are_checked_in_as_many_statements_as_one(session):
    people = [contact(session) for _number in range(30)]
    firm = CustomerService(session).create({"name": "Firm", "emails": "office@example.com"})
    session.flush()
    messages = [Outgoing(purpose="service", contact_id=one.id) for one in people]
    messages.append(Outgoing(purpose="service", customer_id=firm.id))
    with count_queries() as statements:
        assert check_many(session, messages, at=NOON) == [None] * 31
    assert len(statements) <= 5


def test_people_of_other_firms_do_not_exist(shop, other_shop):
    with other_shop.work() as session:
        anna = contact(session).id
    with shop.work() as session:
        found = check_send(session, Outgoing(purpose="service", contact_id=anna))
        assert found.code == "gone"
        assert clock.now()
