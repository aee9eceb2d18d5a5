"""Visits to the showroom: noted with a phone number only, taken, let go with what comes next (AUT-04)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from kehu.activities.models import Activity
from kehu.core import clock
from kehu.core.audit import batch_id
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.records.service import service_for
from kehu.core.records.undo import undo_batch
from kehu.testkit.fixtures import Shop, count_queries
from plugins_builtin.automotive.showroom.models import Visit
from plugins_builtin.automotive.showroom.services import TurnService, VisitService

BOARD = "/x/automotive/showroom"
PHONE = "+44 20 7946 4410"


def visits(shop: Shop) -> list[Any]:
    with shop.work() as session:
        return list(session.execute(select(Visit).where(Visit.deleted_at.is_(None))).scalars())


def customer(shop: Shop, name: str = "Harbour Taxis", phone: str = PHONE) -> Any:
    with shop.work() as session:
        return service_for("customers", session).create({"name": name, "phones": [phone]}).id


def test_a_phone_number_is_enough(dealer: Shop) -> None:
    known = customer(dealer)
    page = dealer.client().post(BOARD, data={"phone": "020 7946 4410", "host": "me"}, follow_redirects=True)
    assert page.status_code == 200
    assert "is with you" in page.text
    (visit,) = visits(dealer)
    assert visit.customer_id == known
    assert (visit.phone, visit.kind, visit.owner_id) == (PHONE, "first", dealer.owner.member_id)


def test_who_gives_nothing_counts_too(dealer: Shop) -> None:
    client = dealer.client()
    for _number in range(2):
        assert client.post(BOARD, data={"host": ""}).status_code == 303
    assert [one.name for one in visits(dealer)] == ["Visitor", "Visitor"]


def test_a_second_tap_counts_once(dealer: Shop) -> None:
    client = dealer.client()
    for key in ("same-form-key", "same-form-key", "another-form"):
        client.post(BOARD, data={"phone": PHONE, "host": "me", "idempotency_key": key})
    assert len(visits(dealer)) == 1
    assert "noted a moment ago already" in client.get(BOARD).text


def test_a_bad_number_is_kept_and_explained(dealer: Shop) -> None:
    page = dealer.client().post(BOARD, data={"phone": "12", "host": "me"})
    assert page.status_code == 422
    assert 'value="12"' in page.text
    assert "phone number" in page.text
    assert not visits(dealer)


def test_who_comes_again_is_told_apart(dealer: Shop) -> None:
    with dealer.work() as session:
        service = VisitService(session)
        service.create({"phone": PHONE, "arrived_at": clock.now() - dt.timedelta(days=3)})
        assert service.create({"phone": "020 7946 4410"}).kind == "return"


def test_only_one_host_receives_a_visitor(dealer: Shop) -> None:
    ben = dealer.member("member")
    with dealer.work() as session:
        visit_id = VisitService(session).create({"owner_id": None}).id
    client = dealer.client()
    assert client.post(f"{BOARD}/{visit_id}/take").status_code == 303
    with dealer.work(ben) as session, pytest.raises(Conflict, match="Somebody else has received"):
        VisitService(session).take(visit_id)


def test_leaving_plans_the_next_call_by_the_level(dealer: Shop) -> None:
    with dealer.work() as session:
        visit_id = VisitService(session).create({"phone": PHONE}).id
    assert (
        dealer.client().post(f"{BOARD}/{visit_id}/leave", data={"result": "follow_up-A"}).status_code == 303
    )
    with dealer.work() as session:
        visit = session.execute(select(Visit)).scalar_one()
        assert (visit.result, visit.level) == ("follow_up", "A")
        call = session.execute(select(Activity)).scalar_one()
        assert call.id == visit.follow_up_id
        assert abs(call.due_at - clock.now() - dt.timedelta(days=4)) < dt.timedelta(minutes=1)
        VisitService(session).update(visit_id, {"wanted": "Golf"})
        assert len(session.execute(select(Activity)).scalars().all()) == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"result": "lost"}, "lost_reason"),
        ({"left_at": "2020-01-01T10:00:00Z"}, "left_at"),
        ({"arrived_at": "2099-01-01T10:00:00Z"}, "arrived_at"),
        ({"phone": "+99 1"}, "phone"),
        ({"people": 0}, "people"),
    ],
)
def test_bad_input_names_the_field(dealer: Shop, values: dict[str, Any], field: str) -> None:
    with dealer.work() as session, pytest.raises(InvalidInput) as error:
        VisitService(session).create(values)
    assert field in error.value.fields


def test_a_visit_can_be_taken_back(dealer: Shop) -> None:
    with dealer.work() as session:
        VisitService(session).create({"phone": PHONE, "result": "follow_up"})
        batch = batch_id(session)
    with dealer.work() as session:
        assert undo_batch(session, batch).undone == 2
        assert not session.execute(select(Activity).where(Activity.deleted_at.is_(None))).scalars().all()
    assert not visits(dealer)


def test_the_row_of_hosts_is_fair(dealer: Shop) -> None:
    ben = dealer.member("member")
    for who in (None, ben):
        with dealer.work(who) as session:
            TurnService(VisitService(session)).stand(True)
    with dealer.work() as session:
        turns = TurnService(VisitService(session))
        assert [one.member_id for one in turns.waiting()] == [dealer.owner.member_id, ben.member_id]
        turns.served()
        session.flush()
        assert [one.member_id for one in turns.waiting()] == [ben.member_id, dealer.owner.member_id]
        turns.stand(False)
        assert [one.member_id for one in turns.waiting()] == [ben.member_id]


def test_two_presses_at_once_take_one_place(dealer: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TurnService, "_mine", lambda _self: None)  # As both see it before either has written.
    for _press in range(2):
        with dealer.work() as session:
            TurnService(VisitService(session)).stand(True)
    with dealer.work() as session:
        assert len(TurnService(VisitService(session)).waiting()) == 1


def test_the_board_counts_and_leads_to_the_rows(dealer: Shop) -> None:
    with dealer.work() as session:
        service = VisitService(session)
        for step in ("greeted", "drive", "sold"):
            service.create({"step": step})
        service.create({"step": "greeted", "arrived_at": clock.now() - dt.timedelta(hours=5)})
    client = dealer.client()
    with count_queries() as queries:
        text = client.get(BOARD).text
    assert len(queries) <= 16
    assert "step.in=drive,write_up,sold,delivered" in text
    rows = client.get("/x/automotive/visits?view=all&step.in=drive,write_up,sold,delivered").text
    assert rows.count("data-row=") == 2


def test_others_see_nothing_of_it(shop: Shop, dealer: Shop, other_shop: Shop) -> None:
    with dealer.work() as session:
        visit_id = VisitService(session).create({"phone": PHONE}).id
    assert other_shop.client().get(BOARD).status_code == 404
    viewer = dealer.client(dealer.member("viewer"))
    assert viewer.get(BOARD).status_code == 200
    assert viewer.post(BOARD, data={"host": "me"}).status_code == 403
    assert viewer.post(f"{BOARD}/{visit_id}/take").status_code == 403
