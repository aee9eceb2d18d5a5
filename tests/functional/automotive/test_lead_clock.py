"""The first answer to a lead: who gets it, how long it may wait in business hours, what happens then."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from kehu.addons.calls import deliver
from kehu.core import clock
from kehu.core.audit import batch_id
from kehu.core.context import SYSTEM
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import run_job_now
from plugins_builtin.automotive.leads import intake, reading
from plugins_builtin.automotive.leads.answering import AnswerService
from plugins_builtin.automotive.leads.intake import Incoming
from plugins_builtin.automotive.leads.models import Lead
from plugins_builtin.automotive.leads.routing import Routes
from plugins_builtin.automotive.protection.services import ProtectionService
from tests.unit.automotive.adf_dialects import CONTACT, GOLF, PLAIN, POLO, document

LIST = "/x/automotive/leads"
ZONE = ZoneInfo("Europe/London")
MINUTE = dt.timedelta(minutes=1)


@contextmanager
def at(moment: str) -> Iterator[None]:
    """Run at a moment of the firm's zone, which must lie ahead."""
    wanted = dt.datetime.fromisoformat(moment).replace(tzinfo=ZONE)
    with clock.ahead(wanted - clock.now()):
        yield


def take(shop: Shop, raw: str = PLAIN) -> Lead:
    with shop.work(SYSTEM) as session:
        kept = intake.keep(session, Incoming(raw=raw.encode(), channel="https", source="Website"))
        reading.read_message(session, kept)
    return the_lead(shop, Lead.message_id == kept)


def the_lead(shop: Shop, *conditions: Any) -> Lead:
    with shop.work() as session:
        return session.execute(select(Lead).where(*conditions)).scalar_one()


def tasks(shop: Shop, lead: Lead) -> dict[str, Any]:
    with shop.work() as session:
        model = service_for("activities", session).type.model
        rows = session.execute(select(model).where(model.deal_id == lead.deal_id)).scalars()
        return {one.subject: one for one in rows}


def told(shop: Shop, batch: Any) -> None:
    deliver(tenant_id=str(shop.tenant.id), slug="automotive", batch_id=str(batch))


def local(moment: dt.datetime | None) -> str:
    assert moment is not None
    return f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M}"


@pytest.fixture
def open_till_seven(dealer: Shop) -> Shop:
    """Open from nine to seven on weekdays."""
    with dealer.work() as session:
        calendars = service_for("calendars", session)
        model = calendars.type.model
        found = session.execute(select(model).where(model.is_default)).scalar_one_or_none()
        days = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "9-19")
        if found is None:
            calendars.create({"name": "House", **days})
        else:
            calendars.update(found.id, days)
    return dealer


def test_five_minutes_before_closing_it_is_due_next_morning(open_till_seven: Shop) -> None:
    shop = open_till_seven
    with at("2027-03-04 18:55"):
        lead = take(shop)
        assert [local(one) for one in (lead.warn_at, lead.due_at, lead.manager_at, lead.reassign_at)] == [
            "2027-03-05 09:00",
            "2027-03-05 09:10",
            "2027-03-05 09:25",
            "2027-03-05 09:55",
        ]
        task = tasks(shop, lead)["First answer: Ann Lee"]
        assert (local(task.due_at), task.owner_id) == ("2027-03-05 09:10", lead.owner_id)
        page = shop.client().get(f"{LIST}/{lead.id}").text
        assert "09:10" in page
        asked = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#first-answer"}
        part = shop.client().get(f"{LIST}/{lead.id}", headers=asked)
        assert part.text.lstrip().startswith('<div id="first-answer"')
    with at("2027-03-07 12:00"):  # A Sunday.
        assert local(take(shop, document(POLO, CONTACT)).due_at) == "2027-03-08 09:15"


def test_what_happens_while_nobody_answers(dealer: Shop) -> None:
    ben = dealer.member("member", "Ben Host")
    with dealer.work() as session:
        Routes(session).take_part(ben.member_id, takes=True)
        Routes(session).take_part(dealer.owner.member_id, takes=True)
    with at("2027-03-04 10:00"):
        lead = take(dealer)
    first = lead.owner_id
    seen = []
    for minutes in (4, 6, 16, 31, 61, 90):
        with at(f"2027-03-04 {10 + minutes // 60}:{minutes % 60:02}"):
            run_job_now(dealer, "automotive.leads_tick")
        lead = the_lead(dealer, Lead.id == lead.id)
        seen.append(lead.step)
    assert seen == [0, 1, 2, 3, 4, 4]
    assert lead.owner_id not in (None, first)
    found = tasks(dealer, lead)
    assert found["First answer: Ann Lee"].owner_id == lead.owner_id
    with dealer.work() as session:
        assert service_for("deals", session).get(lead.deal_id).owner_id == lead.owner_id
    if first != dealer.owner.member_id:
        assert found["Nobody has answered Ann Lee yet"].owner_id == dealer.owner.member_id


def test_only_a_person_stops_the_clock(dealer: Shop) -> None:
    lead = take(dealer)
    links = {"deal_id": str(lead.deal_id), "contact_id": str(lead.contact_id)}
    with dealer.work(SYSTEM) as session:
        values = {"kind": "mail", "subject": "We call you tomorrow", "done_at": clock.now(), **links}
        service_for("activities", session).create(values)
        batch = batch_id(session)
    told(dealer, batch)
    with dealer.work() as session:
        service_for("activities", session).create({"kind": "call", "done_at": clock.now(), **links})
        service_for("activities", session).create({"kind": "note", "body": "Looks keen", **links})
        AnswerService(session).log(lead.id, "call", reached=False)
        batch = batch_id(session)
    told(dealer, batch)
    assert the_lead(dealer, Lead.id == lead.id).state == "open"
    with dealer.work() as session:
        values = {"kind": "call", "body": "Comes on Friday", "done_at": clock.now(), **links}
        service_for("activities", session).create(values)
        batch = batch_id(session)
    told(dealer, batch)
    told(dealer, batch)
    lead = the_lead(dealer, Lead.id == lead.id)
    assert (lead.state, lead.contacted_by) == ("contacted", dealer.owner.member_id)
    assert tasks(dealer, lead)["First answer: Ann Lee"].done_at is not None


def test_who_is_protected_gets_the_lead(dealer: Shop) -> None:
    ben = dealer.member("member", "Ben Host")
    first = take(dealer)
    with dealer.work() as session:
        Routes(session).take_part(dealer.owner.member_id, takes=True)
        assert ben.member_id is not None
        assert first.customer_id is not None
        ProtectionService(session).renew(first.customer_id, ben.member_id, "quote", clock.now())
    assert take(dealer, document(POLO, CONTACT)).owner_id == ben.member_id


def test_one_press_on_the_page_is_enough(dealer: Shop) -> None:
    lead = take(dealer)
    client = dealer.client()
    url = f"{LIST}/{lead.id}/answer"
    assert client.post(url, data={"kind": "call", "reached": "0"}).status_code == 303
    assert the_lead(dealer, Lead.id == lead.id).state == "open"
    assert client.post(url, data={"kind": "call", "reached": "1"}).status_code == 303
    page = client.get(f"{LIST}/{lead.id}").text
    assert "Answered" in page
    assert the_lead(dealer, Lead.id == lead.id).state == "contacted"
    undo = re.findall(r"/undo/[0-9a-f-]{36}", page)
    assert client.post(undo[-1]).status_code == 204
    lead = the_lead(dealer, Lead.id == lead.id)
    assert (lead.state, lead.contacted_at) == ("open", None)
    assert tasks(dealer, lead)["First answer: Ann Lee"].done_at is None
    assert dealer.client(dealer.member("viewer")).post(url, data={"kind": "call"}).status_code == 403


def test_a_closed_deal_waits_for_nobody(dealer: Shop) -> None:
    lead = take(dealer)
    with dealer.work() as session:
        service_for("deals", session).lose(lead.deal_id, "Bought elsewhere")
        batch = batch_id(session)
    told(dealer, batch)
    assert the_lead(dealer, Lead.id == lead.id).state == "contacted"


def test_turns_rules_and_who_is_away(dealer: Shop) -> None:
    ben, cleo = (dealer.member("member", name) for name in ("Ben Host", "Cleo Host"))
    viewer = dealer.member("viewer")

    def lead(number: int, car: str = GOLF, source: str = "") -> Any:
        provider = f"<provider><name>{source}</name></provider>" if source else ""
        return take(dealer, document(car, CONTACT.replace("Ann.Lee", f"ann{number}"), provider)).owner_id

    with dealer.work() as session:
        assert viewer.member_id not in Routes(session).able()
        for one in (ben, cleo):
            Routes(session).take_part(one.member_id, takes=True)
    assert {lead(1), lead(2)} == {ben.member_id, cleo.member_id}
    assert lead(3) != lead(4)
    client = dealer.client()
    page = client.get("/x/automotive/lead-turns").text
    assert "Cleo Host" in page
    bad = client.post(f"/x/automotive/lead-turns/{ben.member_id}", data={"away_until": "soon"})
    assert bad.status_code == 422
    assert 'value="soon"' not in bad.text or "2026-11-29" in bad.text
    away = {"takes": "1", "away_until": (clock.now() + dt.timedelta(days=3)).date().isoformat()}
    assert client.post(f"/x/automotive/lead-turns/{ben.member_id}", data=away).status_code == 303
    assert [lead(5), lead(6)] == [cleo.member_id, cleo.member_id]
    refused = client.post("/x/automotive/lead-rules", data={"member_id": str(viewer.member_id)})
    assert refused.status_code == 422
    rule = {"source": "carpoint", "make": "VW", "member_id": str(dealer.owner.member_id)}
    assert client.post("/x/automotive/lead-rules", data=rule).status_code == 303
    assert [lead(7, source="CarPoint UK"), lead(8)] == [dealer.owner.member_id, cleo.member_id]
    with dealer.work() as session:
        (made,) = Routes(session).rules()
    remove = f"/x/automotive/lead-rules/{made.id}"
    assert client.post(f"{remove}/remove").status_code == 303
    assert lead(9, source="CarPoint UK") == cleo.member_id
    assert client.post(f"{remove}/restore").status_code == 303
    assert dealer.client(ben).get("/x/automotive/lead-turns").status_code == 403
