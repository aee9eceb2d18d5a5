"""Leads from the post of a sender to person, deal and page: none is lost, none is doubled (AUTOMOTIVE.md 3)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, update

from kehu.addons.calls import Event, call
from kehu.api import consent_of
from kehu.consent.services import ConsentService
from kehu.core import clock
from kehu.core.audit import batch_id
from kehu.core.context import SYSTEM
from kehu.core.errors import Conflict, Forbidden, InvalidInput
from kehu.core.records.service import service_for
from kehu.core.records.undo import undo_batch
from kehu.testkit.browser import Browser, browser
from kehu.testkit.fixtures import Shop, count_queries
from kehu.testkit.switch import run_job_now
from kehu.web import limits
from plugins_builtin.automotive.leads import intake, reading
from plugins_builtin.automotive.leads.intake import AddressService, Incoming
from plugins_builtin.automotive.leads.models import Lead, LeadMessage
from plugins_builtin.automotive.leads.services import LeadService
from plugins_builtin.automotive.leads.subject import subject_data
from plugins_builtin.automotive.protection import listening
from plugins_builtin.automotive.protection.services import ProtectionService
from tests.unit.automotive.adf_dialects import CONTACT, DIALECTS, GOLF, OLD, PLAIN, POLO, document, mail_of

LIST = "/x/automotive/leads"


@pytest.fixture(autouse=True)
def unhurried() -> Iterator[None]:
    limits.limiter.reset()
    yield
    limits.limiter.reset()


def take(shop: Shop, raw: str | bytes, **more: Any) -> list[Lead]:
    """Keep a message and read it, as intake and worker do."""
    body = raw if isinstance(raw, bytes) else raw.encode()
    with shop.work(SYSTEM) as session:
        kept = intake.keep(
            session, Incoming(**{"raw": body, "channel": "https", "source": "Website", **more})
        )
        reading.read_message(session, kept)
    with shop.work() as session:
        statement = select(Lead).where(Lead.message_id == kept).order_by(Lead.position)
        return list(session.execute(statement).scalars())


def deal_of(shop: Shop, lead: Lead) -> Any:
    with shop.work() as session:
        return service_for("deals", session).get(lead.deal_id)


def numbered(raw: str, number: int) -> str:
    return raw.replace("<prospect>", f"<prospect><id>{number}</id>", 1)


@pytest.fixture
def secret(dealer: Shop) -> str:
    with dealer.work() as session:
        return AddressService(session).make("Website")[1]


def sender(shop: Shop, host: str = "") -> Browser:
    return browser(shop.app, host or f"{shop.tenant.address}.localhost")


def test_a_program_posts_and_is_told_the_id(dealer: Shop, secret: str) -> None:
    url = f"{LIST}/in/{secret}"
    answers = [
        sender(dealer).post(url, data=PLAIN, content_type="application/x-adf+xml"),
        sender(dealer).post(url, data={"adf": PLAIN.replace("Golf", "Passat")}),
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    for answer in answers:
        run_job_now(dealer, "automotive.leads_read", message_id=answer.json["id"])
    again = sender(dealer).post(url, data=PLAIN, content_type="application/x-adf+xml")
    assert again.json["id"] == answers[0].json["id"]
    with dealer.work() as session:
        leads = session.execute(select(Lead).order_by(Lead.id)).scalars().all()
        assert [(one.name, one.wanted_name, one.source, one.state) for one in leads] == [
            ("Ann Lee", "2021 VW Golf", "Website", "open"),
            ("Ann Lee", "2021 VW Passat", "Website", "open"),
        ]
        message = session.get(LeadMessage, (dealer.tenant.id, leads[0].message_id))
        assert message is not None
        assert (message.times, message.raw) == (2, PLAIN.encode())
    assert "Ann Lee" in dealer.client().get(f"{LIST}?state=open").text


def test_only_who_knows_an_open_address_may_post(dealer: Shop, other_shop: Shop, secret: str) -> None:
    wrong = sender(dealer).post(f"{LIST}/in/{'x' * 32}", data=PLAIN)
    elsewhere = sender(other_shop).post(f"{LIST}/in/{secret}", data=PLAIN)
    assert (wrong.status_code, elsewhere.status_code) == (404, 404)
    assert sender(dealer).post(f"{LIST}/in/{secret}", data=b"  ").status_code == 400
    assert sender(dealer).post(f"{LIST}/in/{secret}", data=b"x" * 1_100_000).status_code == 413
    client = dealer.client()
    page = client.get("/x/automotive/lead-addresses")
    assert secret not in page.text
    found = re.search(r"/x/automotive/lead-addresses/[0-9a-f-]+/close", page.text)
    assert found is not None
    assert client.post(found[0]).status_code == 303
    assert sender(dealer).post(f"{LIST}/in/{secret}", data=PLAIN).status_code == 404
    assert client.post(found[0].replace("/close", "/reopen")).status_code == 303
    assert sender(dealer).post(f"{LIST}/in/{secret}", data=PLAIN).status_code == 202
    assert dealer.client(dealer.member("member")).get("/x/automotive/lead-addresses").status_code == 403


def test_an_address_is_made_on_its_page(dealer: Shop) -> None:
    client = dealer.client()
    refused = client.post("/x/automotive/lead-addresses", data={"name": " "})
    assert refused.status_code == 422
    assert "Say who sends leads" in refused.text
    made = client.post("/x/automotive/lead-addresses", data={"name": "Marketplace"})
    found = re.search(r"http://[^<\s]+/x/automotive/leads/in/[\w-]{32}", made.text)
    assert found is not None
    path = found[0].partition(".localhost")[2].partition("/")[2]
    assert sender(dealer).post(f"/{path}", data=PLAIN).status_code == 202
    with dealer.work() as session:
        assert AddressService(session).all()[0].used_at is not None


def test_none_of_the_dialects_is_lost(dealer: Shop) -> None:
    for case in DIALECTS:
        leads = take(dealer, case.raw, charset=case.charset)
        assert len(leads) == len(case.people), case.name
        for lead, (name, _reach, wanted, _traded) in zip(leads, case.people, strict=True):
            assert (lead.name, lead.wanted_name) == (name, wanted), case.name
            assert lead.state in ("open", "attached"), case.name
            assert lead.deal_id is not None, case.name
            assert set(case.repairs) <= set(lead.repairs), case.name


def test_a_lead_makes_contact_customer_and_deal(dealer: Shop) -> None:
    wanted = GOLF.replace("</model>", '</model><price type="asking" currency="GBP">21,500.00</price>')
    provider = "<provider><name>CarPoint</name></provider>"
    said = "<comments>Budget: 20000</comments><timeframe><description>soon</description></timeframe>"
    (lead,) = take(
        dealer, document(OLD, wanted, CONTACT.replace("</contact>", f"</contact>{said}"), provider)
    )
    deal = deal_of(dealer, lead)
    assert (deal.name, deal.source, deal.amount) == ("2021 VW Golf – Ann Lee", "CarPoint", 2_150_000)
    for part in ("Wanted: 2021 VW Golf", "Trade-in: 2009 Ford Focus", "180,000 km", "soon", "Budget: 20000"):
        assert part in deal.description
    with dealer.work() as session:
        contact = service_for("contacts", session).get(lead.contact_id)
        customer = service_for("customers", session).get(lead.customer_id)
        assert contact.customer_id == customer.id == deal.customer_id
        assert (customer.kind, customer.type_class, contact.email_norm) == (
            "person",
            "prospect",
            "ann.lee@example.com",
        )
    page = dealer.client().get(f"{LIST}/{lead.id}").text
    for part in ("2009 Ford Focus", "CarPoint", "&lt;prospect&gt;", "ann.lee@example.com", "Budget"):
        assert part in page
    raw = dealer.client().get(f"{LIST}/{lead.id}/raw")
    assert b"<prospect>" in raw.data
    assert raw.headers["Content-Type"].startswith("application/octet-stream")


def test_who_is_known_is_not_made_anew(dealer: Shop) -> None:
    ben = dealer.member("member", "Ben Host")
    with dealer.work() as session:
        taxis = service_for("customers", session).create({"name": "Harbour Taxis", "kind": "company"})
        values = {"name": "Lee Ann", "customer_id": str(taxis.id), "emails": ["ANN.LEE@example.com"]}
        ann = service_for("contacts", session).create({**values, "owner_id": str(ben.member_id)})
    phone = '<phone type="cell">+44 20 7946 0958</phone></contact>'
    (lead,) = take(dealer, document(GOLF, CONTACT.replace("</contact>", phone)))
    assert (lead.contact_id, lead.customer_id, lead.owner_id) == (ann.id, taxis.id, ben.member_id)
    assert deal_of(dealer, lead).owner_id == ben.member_id
    with dealer.work() as session:
        assert [one["number"] for one in service_for("contacts", session).get(ann.id).phones] == [
            "+442079460958"
        ]


def test_a_shared_mailbox_is_not_one_person(dealer: Shop) -> None:
    (first,) = take(dealer, PLAIN)
    (second,) = take(dealer, document(POLO, CONTACT.replace("Ann<", "Bob<")))
    assert second.contact_id != first.contact_id
    near = {"contacts": first.contact_id, "customers": first.customer_id}
    assert second.doubts == [{"code": "shares", "kind": kind, "id": str(one)} for kind, one in near.items()]
    assert "perhaps one household" in dealer.client().get(f"{LIST}/{second.id}").text


def test_the_same_request_is_a_touch_of_the_deal(dealer: Shop) -> None:
    provider = "<provider><name>CarPoint</name></provider>"
    (first,) = take(dealer, numbered(document(GOLF, CONTACT, provider), 77))
    (resent,) = take(dealer, numbered(document(POLO, CONTACT, provider), 77))
    (again,) = take(dealer, document(GOLF, CONTACT, "<comments>Still there?</comments>"))
    (other,) = take(dealer, document(POLO, CONTACT))
    assert [one.state for one in (first, resent, again, other)] == ["open", "attached", "attached", "open"]
    assert first.deal_id == resent.deal_id == again.deal_id != other.deal_id
    assert again.first_id == first.id
    with dealer.work() as session:
        tasks = service_for("activities", session).type.model
        rows = session.execute(select(tasks).where(tasks.deal_id == first.deal_id)).scalars().all()
        assert {one.subject for one in rows} == {
            "First answer: Ann Lee", "Ann Lee asked again (CarPoint)", "Ann Lee asked again (Website)"
        }  # fmt: skip
        assert any("Still there?" in (one.body or "") for one in rows)
    page = dealer.client().get(f"{LIST}/{first.id}").text
    assert "Other requests of this deal" in page


def test_after_thirty_days_or_a_closed_deal_it_is_a_new_lead(dealer: Shop) -> None:
    (first,) = take(dealer, PLAIN)
    with clock.ahead(dt.timedelta(days=31)):
        (later,) = take(dealer, PLAIN + " ")
    assert (later.state, later.contact_id) == ("open", first.contact_id)
    assert later.deal_id != first.deal_id
    with dealer.work() as session:
        for lead in (first, later):
            service_for("deals", session).lose(lead.deal_id, "Bought elsewhere")
    (anew,) = take(dealer, PLAIN + "  ")
    assert anew.state == "open"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (
            document(GOLF, '<customer><contact><name part="full">Ann Lee</name></contact></customer>'),
            "no_contact",
        ),
        ("Buy cheap pills", "not_adf"),
        ("<adf>" + " " * 300 * 1024 + "</adf>", "too_large"),
    ],
)
def test_what_can_not_be_taken_in_waits(dealer: Shop, raw: str, reason: str) -> None:
    (lead,) = take(dealer, raw)
    assert (lead.state, lead.reason, lead.deal_id) == ("quarantine", reason, None)
    page = dealer.client().get(f"{LIST}/{lead.id}").text
    assert "This lead waits for you." in page


def test_a_member_completes_it(dealer: Shop) -> None:
    (lead,) = take(
        dealer, document(GOLF, '<customer><contact><name part="full">Ann Lee</name></contact></customer>')
    )
    with dealer.work() as session:
        long_ago = clock.now() - dt.timedelta(days=3)
        session.execute(update(Lead).where(Lead.tenant_id == dealer.tenant.id).values(received_at=long_ago))
    client = dealer.client()
    form = client.get(f"{LIST}/{lead.id}/mend").text
    assert 'value="Ann Lee"' in form
    assert 'value="Golf"' in form
    values = {"name": "Ann Lee", "make": "VW", "model": "Golf", "year": "2021", "phone": "12", "email": "x"}
    refused = client.post(f"{LIST}/{lead.id}/mend", data=values)
    assert refused.status_code == 422
    assert "too few digits" in refused.text
    assert 'value="12"' in refused.text
    taken = client.post(f"{LIST}/{lead.id}/mend", data={**values, "phone": "020 7946 0958", "email": ""})
    assert taken.status_code == 303
    with dealer.work() as session:
        lead = session.execute(select(Lead)).scalar_one()
        assert (lead.state, lead.wanted_name) == ("open", "2021 VW Golf")
        assert "by_hand" in lead.repairs
        assert lead.due_at > clock.now()
        assert service_for("deals", session).get(lead.deal_id).contact_id == lead.contact_id
        with pytest.raises(Conflict):
            LeadService(session).mend(lead.id, values)


def test_a_member_discards_it_and_takes_it_back(dealer: Shop) -> None:
    (lead,) = take(dealer, "Buy cheap pills")
    client = dealer.client()
    assert client.post(f"{LIST}/{lead.id}/discard", data={"why": ""}).status_code == 422
    assert client.post(f"{LIST}/{lead.id}/discard", data={"why": "Advertising"}).status_code == 303
    page = client.get(f"{LIST}/{lead.id}").text
    assert "Advertising" in page
    assert client.post(f"{LIST}/{lead.id}/take-back").status_code == 303
    with dealer.work() as session:
        lead = session.execute(select(Lead)).scalar_one()
        assert (lead.state, lead.reason) == ("quarantine", "not_adf")
    with dealer.work() as session:
        LeadService(session).discard(lead.id, "Advertising")
        batch = batch_id(session)
    for _turn in range(2):
        with dealer.work() as session:
            if _turn:
                with pytest.raises(Conflict):
                    undo_batch(session, batch)
                session.rollback()
            else:
                assert undo_batch(session, batch).undone == 1
    with dealer.work() as session:
        assert session.execute(select(Lead)).scalar_one().state == "quarantine"
    viewer = dealer.client(dealer.member("viewer"))
    assert viewer.get(f"{LIST}/{lead.id}").status_code == 200
    assert viewer.post(f"{LIST}/{lead.id}/discard", data={"why": "x"}).status_code == 403


def test_one_bad_prospect_keeps_the_others(dealer: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    settle = reading.settle

    def sometimes(session: Any, lead: Lead, person: Any) -> None:
        if lead.position == 0:
            raise InvalidInput("No.")
        settle(session, lead, person)

    monkeypatch.setattr(reading, "settle", sometimes)
    two = f"<adf><prospect>{GOLF}{CONTACT}</prospect><prospect>{POLO}{CONTACT}</prospect></adf>"
    first, second = take(dealer, two)
    assert (first.state, first.reason, second.state) == ("quarantine", "No.", "open")


def test_what_was_left_behind_is_read(dealer: Shop) -> None:
    with dealer.work() as session:
        kept = intake.keep(session, Incoming(raw=PLAIN.encode(), channel="https"))
    with clock.ahead(dt.timedelta(minutes=10)):
        run_job_now(dealer, "automotive.leads_sweep")
    run_job_now(dealer, "automotive.leads_read", message_id=str(kept))
    run_job_now(dealer, "automotive.leads_read", message_id=str(kept))
    with dealer.work() as session:
        assert len(session.execute(select(Lead)).scalars().all()) == 1
        with pytest.raises(Forbidden):
            LeadService(session).create({})


def test_the_deal_goes_on_with_its_lead(dealer: Shop) -> None:
    ben = dealer.member("member", "Ben Host")
    (lead,) = take(dealer, PLAIN)
    with dealer.work() as session:
        LeadService(session).update(lead.id, {"owner_id": str(ben.member_id)})
    assert deal_of(dealer, lead).owner_id == ben.member_id


def test_the_pages_ask_little(dealer: Shop) -> None:
    client = dealer.client()
    (lead,) = take(dealer, PLAIN)
    client.get(f"{LIST}?view=all")
    with count_queries() as few:
        client.get(f"{LIST}?view=all")
    for number in range(8):
        take(dealer, document(GOLF, CONTACT.replace("Ann.Lee", f"ann{number}")))
    with count_queries() as many:
        assert client.get(f"{LIST}?view=all").status_code == 200
    assert len(many) == len(few)
    with count_queries() as page:
        client.get(f"{LIST}/{lead.id}")
    assert len(page) <= 15


def test_a_mail_becomes_one_lead(dealer: Shop, secret: str) -> None:
    mail = mail_of("See the attachment.")
    mail.add_attachment(PLAIN.encode(), maintype="application", subtype="x-adf+xml", filename="lead.xml")
    url = f"{LIST}/in/{secret}"
    answer = sender(dealer).post(url, data=mail.as_bytes(), content_type="message/rfc822")
    assert answer.status_code == 202
    # The same mail by another way has other headers, and is the same mail.
    again = sender(dealer).post(url, data=b"Received: from elsewhere\n" + mail.as_bytes())
    assert again.json == answer.json
    run_job_now(dealer, "automotive.leads_read", message_id=answer.json["id"])
    with dealer.work() as session:
        lead = session.execute(select(Lead)).scalar_one()
        assert (lead.name, lead.wanted_name, lead.state) == ("Ann Lee", "2021 VW Golf", "open")
        message = session.get(LeadMessage, (dealer.tenant.id, lead.message_id))
        assert message is not None
        assert (message.channel, message.sender, message.times) == ("mail", "leads@portal.example", 2)


def test_two_mails_of_one_id_are_two_when_they_say_something_else(dealer: Shop, secret: str) -> None:
    url = f"{LIST}/in/{secret}"
    ids = {
        sender(dealer).post(url, data=mail_of(text).as_bytes(), content_type="message/rfc822").json["id"]
        for text in (PLAIN, OLD)
    }
    assert len(ids) == 2


def test_a_mail_without_a_lead_waits(dealer: Shop) -> None:
    (lead,) = take(dealer, mail_of("Out of office").as_bytes(), channel="mail", sender="bob@portal.example")
    assert (lead.state, lead.reason, lead.name) == ("quarantine", "not_adf", "bob@portal.example")


def test_a_persons_messages_are_handed_out_and_emptied(dealer: Shop) -> None:
    (lead,), (other,) = take(dealer, PLAIN), take(dealer, document(GOLF, CONTACT.replace("Ann", "Bob")))
    assert lead.customer_id is not None
    with dealer.work() as session:
        ctx = call("automotive")
        handed = subject_data(ctx, "customers", lead.customer_id, "export").rows["lead_messages"]
        assert [one["text"] for one in handed] == [PLAIN]
        for mode in ("count", "erase"):
            assert list(subject_data(ctx, "customers", lead.customer_id, mode).erased.values()) == [1]
        assert list(subject_data(ctx, "customers", lead.customer_id, "count").erased.values()) == [0]
        left = session.execute(select(LeadMessage.id, LeadMessage.size)).all()
        assert {row.id for row in left if row.size} == {other.message_id}


def test_several_who_are_protected_make_a_case_of_a_lead(dealer: Shop) -> None:
    ann, ben = dealer.member("member", "Ann Host"), dealer.member("member", "Ben Host")
    boss = dealer.member("manager", "Boss")
    with dealer.work() as session:
        given = {"name": "Ann Lee", "kind": "person", "emails": ["ann.lee@example.com"]}
        customer = service_for("customers", session).create(given).id
        protection = ProtectionService(session)
        protection.renew(customer, ann.member_id, "quote", clock.now() - dt.timedelta(days=3))
        protection.renew(customer, ben.member_id, "contact", clock.now() - dt.timedelta(days=1))
    (lead,) = take(dealer, PLAIN)
    assert (lead.customer_id, lead.owner_id, lead.state) == (customer, ben.member_id, "open")
    with dealer.work(boss) as session:
        (case,) = ProtectionService(session).cases("open")
        assert (case.kind, case.brought_by, len(case.claims)) == ("conflict", None, 2)
        assert case.customer_id == customer
    assert "a manager decides whose he is" in dealer.client().get(f"{LIST}/{lead.id}").text
    (again,) = take(dealer, PLAIN.replace("Golf", "Passat"))
    with dealer.work(boss) as session:
        assert [one.id for one in ProtectionService(session).cases("open")] == [case.id], "one case for both"
        shares = {str(ann.member_id): "60", str(ben.member_id): "40"}
        ProtectionService(session).decide(case.id, shares, "Offered first", case.version)
    for one in (lead, again):
        with dealer.work() as session:
            fresh = service_for("automotive.leads", session).get(one.id)
            assert fresh.owner_id == ann.member_id
            assert service_for("deals", session).get(fresh.deal_id).owner_id == ann.member_id


def test_a_deal_that_was_given_to_somebody_is_no_contact(dealer: Shop) -> None:
    (lead,) = take(dealer, PLAIN)
    with dealer.work() as session:
        event = Event(name="deal.created", payload={"record_id": str(lead.deal_id)})
        listening.after_change(call("automotive"), event)
        assert ProtectionService(session).claims(lead.customer_id, []) == ()


def test_what_the_comment_says_of_consent_is_kept(dealer: Shop) -> None:
    said = "<comments><![CDATA[Opt-in: yes\nSMS opt-in: no\nBudget: 20000]]></comments>"
    (lead,) = take(dealer, PLAIN.replace("</customer>", f"{said}</customer>"))
    with dealer.work() as session:
        found = [
            consent_of(session, "contacts", lead.contact_id, one, "marketing")
            for one in ("mail", "sms", "phone")
        ]
        assert found == ["given", "withdrawn", None]
        history = ConsentService(session).history(ConsentService(session).person("contacts", lead.contact_id))
        assert {(one.channel, one.how, one.source_text) for one in history} == {
            ("mail", "web", "Opt-in: yes"),
            ("sms", "web", "SMS opt-in: no"),
        }
        ConsentService(session).record(
            "contacts", lead.contact_id, "mail", "marketing", "withdrawn", how="phone"
        )
    take(
        dealer,
        PLAIN.replace("</customer>", f"{said}</customer>").replace(
            "<prospect>", "<prospect><requestdate>2026-01-02T10:00:00Z</requestdate>"
        ),
    )
    with dealer.work() as session:
        assert consent_of(session, "contacts", lead.contact_id, "mail", "marketing") == "withdrawn"
