"""Protection of customers and what happens when two members collide (AUTOMOTIVE.md 5)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from kehu.addons import settings
from kehu.addons.calls import Event, call, deliver
from kehu.core import clock
from kehu.core.audit import AuditEntry, batch_id
from kehu.core.context import Actor
from kehu.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from plugins_builtin.automotive.drives.services import DriveService
from plugins_builtin.automotive.protection import listening, services, web
from plugins_builtin.automotive.protection.models import Collision, Protection
from plugins_builtin.automotive.protection.services import ProtectionService
from plugins_builtin.automotive.showroom.services import VisitService

PHONE = "+442079464410"
CASES = "/x/automotive/collisions"


@pytest.fixture
def ben(dealer: Shop) -> Actor:
    return dealer.member("member", "Ben Host")


@pytest.fixture
def taxis(dealer: Shop) -> Any:
    with dealer.work() as session:
        return service_for("customers", session).create({"name": "Harbour Taxis", "phones": [PHONE]}).id


def visit(shop: Shop, who: Actor | None = None, **values: Any) -> Any:
    with shop.work(who) as session:
        made = VisitService(session).create({"phone": PHONE, **values})
        return made.id, made.owner_id


def held(shop: Shop) -> list[tuple[Any, str, int]]:
    with shop.work() as session:
        rows = session.execute(select(Protection).where(Protection.ended_at.is_(None))).scalars()
        return [(one.holder_id, one.event, one.days) for one in rows]


def tell(shop: Shop, batch: Any) -> None:
    """Deliver the changes of a batch to the module, as the worker does."""
    deliver(tenant_id=str(shop.tenant.id), slug="automotive", batch_id=str(batch))


def the_case(shop: Shop) -> Collision:
    with shop.work() as session:
        return session.execute(select(Collision)).scalar_one()


def test_a_visit_protects_its_host(dealer: Shop, taxis: Any) -> None:
    visit(dealer)
    assert held(dealer) == [(dealer.owner.member_id, "walk_in", 3)]
    visit(dealer, step="write_up")
    assert held(dealer) == [(dealer.owner.member_id, "quote", 30)]
    visit(dealer)
    assert held(dealer) == [(dealer.owner.member_id, "quote", 30)], "a longer protection is never cut"
    page = dealer.client().get(f"/x/automotive/protection/panel?customer_id={taxis}").text
    assert "is protected until" in page
    assert "I help here" not in page


def test_who_waits_is_sent_to_whom_he_belongs(dealer: Shop, ben: Actor, taxis: Any) -> None:
    visit(dealer, ben)
    assert visit(dealer, owner_id=None)[1] == ben.member_id


def test_who_serves_another_ones_customer_helps(dealer: Shop, ben: Actor, taxis: Any) -> None:
    visit(dealer)
    visit(dealer, ben)
    case = the_case(dealer)
    assert (case.kind, case.state) == ("help", "settled")
    assert case.shares == {str(dealer.owner.member_id): 50, str(ben.member_id): 50}
    assert [one[0] for one in held(dealer)] == [dealer.owner.member_id]
    visit(dealer, ben)
    assert the_case(dealer).id == case.id, "one case for one customer and helper"


def test_a_number_without_customer_is_protected_too(dealer: Shop, ben: Actor) -> None:
    visit(dealer)
    visit(dealer, ben)
    case = the_case(dealer)
    assert (case.customer_id, case.phone_norm, case.kind) == (None, PHONE, "help")


def test_a_spouse_is_the_same_customer(dealer: Shop, ben: Actor, taxis: Any) -> None:
    visit(dealer)
    with dealer.work() as session:
        other = service_for("customers", session).create({"name": "Ada Byron"}).id
        service_for("relations", session).create(
            {"customer_id": str(other), "kind": "spouse", "other_id": str(taxis)}
        )
    with dealer.work(ben) as session:
        VisitService(session).create({"customer_id": str(other)})
    assert the_case(dealer).kind == "help"


@pytest.fixture
def conflict(dealer: Shop, ben: Actor, taxis: Any) -> Collision:
    """Two are protected, as a talk and a visit overlap; a third serves the customer."""
    with dealer.work() as session:
        service = ProtectionService(session)
        for who in (dealer.owner.member_id, ben.member_id):
            assert who is not None
            service.renew(taxis, who, "contact", clock.now())
    visit(dealer, dealer.member("manager", "Carl Third"))
    return the_case(dealer)


def test_several_make_a_case_with_a_clock(dealer: Shop, conflict: Collision) -> None:
    assert (conflict.kind, conflict.state, len(conflict.claims)) == ("conflict", "open", 2)
    assert conflict.due_at - conflict.opened_at == dt.timedelta(hours=24)
    assert conflict.rules["help_share"] == 50
    page = dealer.client().get(CASES)
    assert "Harbour Taxis" in page.text
    assert dealer.client().get(f"{CASES}/{conflict.id}").status_code == 200


def test_a_manager_divides_and_those_concerned_object(dealer: Shop, ben: Actor, conflict: Collision) -> None:
    client, url = dealer.client(), f"{CASES}/{conflict.id}"
    bad = client.post(f"{url}/decide", data={f"share-{ben.member_id}": "90", "version": "1"})
    assert bad.status_code == 422
    assert "100 together" in bad.text
    assert "Write the reason" in bad.text
    good = {f"share-{ben.member_id}": "100", "reason": "He made the offer.", "version": str(conflict.version)}
    assert client.post(f"{url}/decide", data=good).status_code == 303
    assert [one[:2] for one in held(dealer)] == [(ben.member_id, "decision")]
    with dealer.work() as session, pytest.raises(Conflict):
        ProtectionService(session).decide(conflict.id, {str(ben.member_id): "100"}, "Again", conflict.version)
    assert client.post(f"{url}/object", data={"appeal": "I was first."}).status_code == 303
    assert the_case(dealer).state == "appealed"
    assert "I was first." in client.get(url).text


def test_only_managers_decide_and_only_those_concerned_read(
    dealer: Shop, ben: Actor, conflict: Collision, other_shop: Shop
) -> None:
    stranger = dealer.member("member", "Dora Elsewhere")
    with dealer.work(ben) as session:
        assert ProtectionService(session).case(conflict.id).id == conflict.id
        with pytest.raises(Forbidden):
            ProtectionService(session).decide(conflict.id, {str(ben.member_id): "100"}, "Mine", 1)
    with dealer.work(stranger) as session, pytest.raises(NotFound):
        ProtectionService(session).case(conflict.id)
    assert dealer.client(stranger).get(f"{CASES}/{conflict.id}").status_code == 404
    assert other_shop.client().get(f"{CASES}/{conflict.id}").status_code == 404


def test_objections_have_a_time(dealer: Shop, conflict: Collision) -> None:
    with dealer.work() as session:
        case = session.execute(select(Collision)).scalar_one()
        case.state, case.decided_at = "decided", clock.now() - dt.timedelta(days=8)
    with dealer.work() as session, pytest.raises(Conflict, match="time to object is over"):
        ProtectionService(session).object_to(conflict.id, "Too late")


def test_a_look_up_names_the_host_alone_and_is_kept(dealer: Shop, ben: Actor, taxis: Any) -> None:
    visit(dealer)
    client = dealer.client(ben)
    page = client.post(f"{CASES}/look-up", data={"phone": "020 7946 4410"}).text
    assert "Protected by" in page
    assert "Harbour Taxis" not in page
    with dealer.work() as session:
        entry = session.execute(select(AuditEntry).where(AuditEntry.action == "looked_up")).scalar_one()
    assert (entry.member_id, entry.title) == (ben.member_id, "…4410")
    assert client.post(f"{CASES}/look-up", data={"phone": "x"}).status_code == 422


def test_a_visit_taken_back_takes_its_protection_along(dealer: Shop, ben: Actor, taxis: Any) -> None:
    first, _owner = visit(dealer)
    second, _owner = visit(dealer, ben)
    with dealer.work() as session:
        VisitService(session).trash(second)
        VisitService(session).trash(first)
        assert not session.execute(select(Collision)).scalars().all()
        gone = (AuditEntry.object == "automotive.collisions", AuditEntry.action == "deleted")
        assert len(session.execute(select(AuditEntry).where(*gone)).scalars().all()) == 1
    assert not held(dealer)


def test_what_happens_on_the_platform_renews_it(dealer: Shop, taxis: Any) -> None:
    about = {"customer_id": str(taxis)}
    with dealer.work() as session:
        activities = service_for("activities", session)
        activities.create({"kind": "call", "done_at": clock.now().isoformat(), **about})
        batch = batch_id(session)
    tell(dealer, batch)
    assert not held(dealer), "a number that was only dialled is no contact"
    with dealer.work() as session:
        service_for("activities", session).create(
            {"kind": "call", "minutes": 4, "done_at": clock.now().isoformat(), **about}
        )
        batch = batch_id(session)
    tell(dealer, batch)
    assert [one[1] for one in held(dealer)] == ["contact"]


def test_help_is_noted_once_and_not_for_nobody(dealer: Shop, ben: Actor, taxis: Any) -> None:
    with dealer.work() as session, pytest.raises(Conflict, match="nobody to help"):
        ProtectionService(session).help(taxis)
    visit(dealer)
    with dealer.work() as session:
        service_for("customers", session).update(taxis, {"owner_id": str(ben.member_id)})
    client = dealer.client(ben)
    assert "I help here" in client.get(f"/x/automotive/protection/panel?customer_id={taxis}").text
    for _number in range(2):
        assert client.post(f"/x/automotive/protection/{taxis}/help").status_code == 303
    assert the_case(dealer).kind == "help"


def test_the_rules_are_the_tenants(dealer: Shop, taxis: Any) -> None:
    with dealer.work() as session:
        form = settings.shown(session, "automotive")
        seen = settings.mark(session, "automotive")
        settings.save(session, "automotive", {**form, "protection_walk_in_days": "5"}, seen)
    visit(dealer)
    assert held(dealer)[0][2] == 5
    with dealer.work() as session, pytest.raises(InvalidInput):
        seen = settings.mark(session, "automotive")
        settings.save(session, "automotive", {**form, "protection_help_share": "101"}, seen)


def test_a_later_talk_counts_under_a_longer_protection(dealer: Shop, ben: Actor, taxis: Any) -> None:
    now = clock.now()
    with dealer.work() as session:
        service = ProtectionService(session)
        service.renew(taxis, dealer.owner.member_id, "quote", now - dt.timedelta(days=5))
        service.renew(taxis, ben.member_id, "contact", now - dt.timedelta(days=3))
        service.renew(taxis, dealer.owner.member_id, "contact", now - dt.timedelta(days=1))
        first, second = service.claims(taxis, [])
        assert (first.holder, first.event) == (dealer.owner.member_id, "quote")
        assert (second.holder, second.contact_at) == (ben.member_id, now - dt.timedelta(days=3))


def test_a_number_noted_before_the_customer_was_known_still_counts(dealer: Shop, ben: Actor) -> None:
    visit(dealer)
    with dealer.work() as session:
        given = {"name": "Harbour Taxis", "phones": [PHONE]}
        taxis = service_for("customers", session).create(given).id
        assert [one.holder for one in ProtectionService(session).card(taxis)] == [dealer.owner.member_id]
    visit(dealer, ben)
    case = the_case(dealer)
    assert (case.customer_id, case.kind, case.claims[0]["holder"]) == (
        taxis,
        "help",
        str(dealer.owner.member_id),
    )


def test_a_visit_that_is_written_on_opens_no_second_case(dealer: Shop, conflict: Collision) -> None:
    with dealer.work() as session:
        winner = conflict.claims[0]["holder"]
        ProtectionService(session).decide(conflict.id, {winner: "100"}, "Came first", conflict.version)
    with dealer.work() as session:
        VisitService(session).update(conflict.visit_id, {"description": "Wants a Golf", "result": "deal"})
    assert the_case(dealer).state == "decided"


def test_a_drive_is_a_contact(dealer: Shop, taxis: Any) -> None:
    with dealer.work() as session:
        cars = service_for("automotive.demo_cars", session)
        car = cars.create({"name": "Golf, blue", "model": "VW Golf"}).id
        service = DriveService(session)
        start = clock.now() + dt.timedelta(days=7)
        drive = service.book(
            {
                "demo_car_id": car,
                "from_at": start,
                "driver": "Ann",
                "customer_id": str(taxis),
                "owner_id": str(dealer.owner.member_id),
            }
        )
        drive.state, drive.back_at = "back", clock.now()
        session.flush()
        event = Event(name="automotive.test_drive.updated", payload={"record_id": str(drive.id)})
        listening.after_change(call("automotive"), event)
    assert held(dealer) == [(dealer.owner.member_id, "contact", 10)]


def test_a_case_stands_on_the_dashboard_of_who_decides(dealer: Shop, conflict: Collision) -> None:
    page = "/x/automotive/dashboard"
    assert "Cases to decide" in dealer.client().get(page).text
    assert "Cases to decide" not in dealer.client(dealer.member("member")).get(page).text


def test_open_cases_have_further_pages(
    dealer: Shop, conflict: Collision, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (services, web):
        monkeypatch.setattr(module, "PAGE", 1)
    with dealer.work() as session:
        due = conflict.due_at + dt.timedelta(hours=1)
        session.add(
            Collision(
                id=new_id(),
                tenant_id=dealer.tenant.id,
                kind="conflict",
                state="open",
                claims=[],
                rules=conflict.rules,
                shares={},
                opened_at=conflict.opened_at,
                due_at=due,
            )
        )
    with dealer.work() as session:
        service = ProtectionService(session)
        first, _more = service.cases("open")
        (second,) = service.cases("open", first.id)
        assert (first.id == conflict.id, second.due_at) == (True, due)
    text = dealer.client().get("/x/automotive/collisions").text
    assert f"after={conflict.id}" in text
