"""Second cars: facts on a household, the nightly scores, the work list, outcomes, a deal."""

from __future__ import annotations

import datetime as dt
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select, update

from kehu.consent.services import ConsentService
from kehu.core import clock, context
from kehu.core.records.service import service_for
from kehu.relations.models import HouseholdMember, NoHousehold
from kehu.testkit.fixtures import Shop, count_queries
from kehu.testkit.switch import enable, run_job_now
from plugins_builtin.automotive.second_car import asking, nightly
from plugins_builtin.automotive.second_car.evidence import weights
from plugins_builtin.automotive.second_car.fitting import LEAST
from plugins_builtin.automotive.second_car.keeping import SecondCarService
from plugins_builtin.automotive.second_car.model import SHIPPED
from plugins_builtin.automotive.second_car.models import SecondCar
from plugins_builtin.automotive.vehicles.models import Vehicle, VehicleParty
from plugins_builtin.automotive.vehicles.services import VehicleService

HOME = "/x/automotive/second-car"
RECORDS = "/x/automotive/second_cars"


@pytest.fixture
def dealer(shop: Shop) -> Shop:
    """A firm with the plugin."""
    enable(shop, "automotive")
    return shop


@pytest.fixture
def family(dealer: Shop) -> list[str]:
    """Two people of a household; the first has a car."""
    with dealer.work() as session:
        people = [
            service_for("customers", session).create({"name": name, "kind": "person"})
            for name in ("Anna Lind", "Bo Lind")
        ]
        home = service_for("households", session).create({"name": "Lind"})
        session.flush()
        for one in people:
            given = {"household_id": str(home.id), "customer_id": str(one.id)}
            service_for("household_members", session).create(given)
        VehicleService(session).create({"make": "VW", "model": "Golf", "customer_id": str(people[0].id)})
        return [str(one.id) for one in people]


def text_of(client: Any, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return str(answer.get_data(as_text=True))


def rows(shop: Shop) -> list[SecondCar]:
    with shop.work() as session:
        found = session.execute(select(SecondCar).order_by(SecondCar.id)).scalars().all()
        session.expunge_all()
        return list(found)


def night(shop: Shop) -> None:
    run_job_now(shop, "automotive.second_car")


def test_from_the_night_to_a_deal(dealer: Shop, family: list[str]) -> None:
    client = dealer.client()
    night(dealer)
    with dealer.work(context.SYSTEM) as session:
        assert (nightly.open_rows(session), nightly.score_all(session)) == (0, 0), "twice is no change"
    [row] = rows(dealer)
    assert (row.known_cars, str(row.customer_id), row.owner_id) == (1, family[0], dealer.owner.member_id)
    assert "How many have a driving licence?" in text_of(client, HOME)
    # What Bo says is kept for the household.
    facts = {"drivers": "2", "workers": "2", "people": "3", "home_owner": "yes", "version": str(row.version)}
    path = f"{HOME}/customers/{family[1]}/facts"
    assert "What we know of the household" in text_of(client, path)
    saved = client.post(path, data={**facts, "from": "household"})
    assert (saved.status_code, saved.location) == (303, f"{RECORDS}/{row.id}")
    assert client.post(path, data={**facts, "drivers": "3"}).status_code == 409, "somebody wrote meanwhile"
    [known] = rows(dealer)
    assert known.chance > row.chance
    client.get("/")  # Shows the toast that was still waiting.
    with count_queries() as statements:
        page = text_of(client, HOME)
    assert len(statements) <= 10, "\n".join(statements.texts)
    assert "Two or more drivers" in page
    assert "Two or more drivers" in text_of(client, f"{HOME}/panel?customer_id={family[1]}")
    assert "Two or more drivers" in text_of(client, f"{RECORDS}/{row.id}")
    assert "Anna Lind" in text_of(client, RECORDS)
    answer = client.post(f"{HOME}/{row.id}/deal")
    assert answer.status_code == 303
    assert "Second car for Anna Lind" in text_of(client, answer.location)
    assert client.post(f"{HOME}/{row.id}/deal").status_code == 409
    page = text_of(client, HOME)
    assert "household-" not in page
    assert "1 asked, 1 interested, 0 deals won" in page
    with dealer.work() as session:
        deals = service_for("deals", session)
        deals.trash(answer.location.rpartition("/")[2])
        assert asking.make_deal(session, row.id).customer_id == row.customer_id, (
            "a deal in the trash counts no more"
        )


def test_a_deal_is_undone_as_a_whole(dealer: Shop, family: list[str]) -> None:
    client = dealer.client()
    night(dealer)
    [row] = rows(dealer)
    deal = client.post(f"{HOME}/{row.id}/deal").location
    undo = text_of(client, deal).partition("/undo/")[2][:36]
    assert client.post(f"/undo/{undo}").status_code in (204, 303)
    [back] = rows(dealer)
    assert (back.outcome, back.deal_id, back.asked_on) == ("open", None, None)
    assert client.get(deal).status_code == 404
    assert "Anna Lind" in text_of(client, HOME)


@pytest.mark.parametrize(("outcome", "days"), [("called", 7), ("later", 90), ("refused", 0), ("has_one", 0)])
def test_an_outcome_in_one_tap(dealer: Shop, family: list[str], outcome: str, days: int) -> None:
    client, today = dealer.client(), clock.today(dealer.tenant.tz)
    night(dealer)
    [row] = rows(dealer)
    assert client.post(f"{HOME}/{row.id}/outcome", data={"outcome": "x"}).status_code == 422
    answer = client.post(f"{HOME}/{row.id}/outcome", data={"outcome": outcome, "from": "list"})
    assert (answer.status_code, answer.location) == (303, HOME)
    [said] = rows(dealer)
    again_on = today + dt.timedelta(days=days) if days else None
    assert (said.outcome, said.asked_on, said.again_on) == (outcome, today, again_on)
    assert "household-" not in text_of(client, HOME)
    if days:
        with dealer.work() as session:
            session.get(SecondCar, (dealer.tenant.id, row.id)).again_on = today  # type: ignore[union-attr]
        assert f"household-{row.id}" in text_of(client, HOME)


def test_who_is_held_back(dealer: Shop, family: list[str]) -> None:
    client = dealer.client()
    night(dealer)
    with dealer.work() as session:
        ticket = service_for("tickets", session).create({"subject": "Rattles", "customer_id": family[1]})
    assert "household-" not in text_of(client, HOME)
    held = text_of(client, f"{HOME}?show=held&mine=1")
    assert "A ticket of theirs is open" in held
    assert "make it a deal" not in held
    with dealer.work() as session:
        service_for("tickets", session).update(ticket.id, {"status": "closed"})
    assert "household-" in text_of(client, HOME)
    with dealer.work() as session:
        service_for("customers", session).update(family[0], {"do_not_contact": "unasked"})
    assert "Wants no calls" in text_of(client, f"{HOME}?show=held")
    assert "household-" not in text_of(client, HOME)
    with dealer.work() as session:
        service_for("customers", session).update(family[0], {"do_not_contact": None})
    assert "household-" in text_of(client, HOME)
    with dealer.work() as session:
        ConsentService(session).record("customers", family[0], "phone", "marketing", "withdrawn")
    assert "Wants no calls" in text_of(client, f"{HOME}?show=held")


def test_not_one_household(dealer: Shop, family: list[str]) -> None:
    client = dealer.client()
    night(dealer)
    [row] = rows(dealer)
    assert "Not one household" in text_of(client, HOME)
    assert client.post(f"{HOME}/{row.id}/split").status_code == 303
    with dealer.work() as session:
        left = (
            session.execute(select(HouseholdMember).where(HouseholdMember.to_on.is_not(None))).scalars().all()
        )
        assert [str(one.customer_id) for one in left] == [family[1]]
        assert len(session.execute(select(NoHousehold)).all()) == 1
    [said] = rows(dealer)
    assert said.outcome == "split"
    assert client.post(f"{HOME}/{row.id}/split").status_code == 409
    undo = text_of(client, f"{RECORDS}/{row.id}").partition("/undo/")[2][:36]
    assert client.post(f"/undo/{undo}").status_code in (204, 303)
    with dealer.work() as session:
        assert session.execute(select(HouseholdMember).where(HouseholdMember.to_on.is_not(None))).all() == []
        assert session.execute(select(NoHousehold)).all() == []
    assert [one.outcome for one in rows(dealer)] == ["open"]


def test_one_row_for_those_who_live_together(dealer: Shop, family: list[str]) -> None:
    with dealer.work() as session:
        service = SecondCarService(session)
        first = service.keep(family[0], {"drivers": 1})
        assert service.keep(family[1], {"drivers": 2}).id == first.id
        assert service.create_many([{"customer_id": family[1]}])[0].errors.keys() == {"customer_id"}
        other = service_for("customers", session).create({"name": "Cleo Moe", "kind": "person"})
        VehicleService(session).create({"make": "Fiat", "model": "500", "customer_id": str(other.id)})
    night(dealer)
    assert [(one.known_cars, one.doubled) for one in rows(dealer)] == [(1, False), (1, False)]
    with dealer.work() as session:
        home = session.execute(select(HouseholdMember.household_id)).scalars().first()
        given = {"household_id": str(home), "customer_id": str(other.id), "role": "child"}
        service_for("household_members", session).create(given)
    night(dealer)
    assert [(one.known_cars, one.doubled) for one in rows(dealer)] == [(2, False), (2, True)]
    page = text_of(dealer.client(), f"{HOME}/panel?customer_id={other.id}")
    assert "2 known cars" in page
    assert "Are there children?" not in page, "one is kept as a member"


@pytest.mark.parametrize(
    ("field", "value"),
    [("drivers", "two"), ("people", "99"), ("income", "7"), ("rural", "x"), ("drivers", "5")],
)
def test_what_is_wrong_is_named(dealer: Shop, family: list[str], field: str, value: str) -> None:
    given = {"people": "4", "workers": "3", field: value}
    answer = dealer.client().post(f"{HOME}/customers/{family[0]}/facts", data=given)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert f'{field}-error"' in page
    assert 'value="3"' in page, "what was typed stays"


def test_rights_and_foreign_firms(dealer: Shop, other_shop: Shop, family: list[str]) -> None:
    night(dealer)
    [row] = rows(dealer)
    viewer = dealer.client(dealer.member("viewer"))
    page = text_of(viewer, HOME)
    assert "Anna Lind" in page
    assert "make it a deal" not in page
    enable(other_shop, "automotive")
    stranger = other_shop.client()
    assert "Anna Lind" not in text_of(stranger, HOME)
    for path in (f"{HOME}/{row.id}/deal", f"{HOME}/{row.id}/split", f"{HOME}/customers/{family[0]}/facts"):
        assert viewer.post(path).status_code == 403
        assert stranger.post(path).status_code == 404


def test_pages_of_the_list(dealer: Shop) -> None:
    with dealer.work() as session:
        people = service_for("customers", session).create_many(
            [{"name": f"Person {number}", "kind": "person"} for number in range(30)]
        )
        given = {"known_cars": 1, "chance": 80, "tenant_id": dealer.tenant.id}
        session.add_all(
            SecondCar(
                customer_id=one.record.id, name=one.record.name, name_norm=one.record.name_norm, **given
            )
            for one in people
            if one.record is not None
        )
    client = dealer.client()
    page = text_of(client, HOME)
    assert page.count('id="household-') == 25
    follow = page.partition("after=")[2].partition('"')[0]
    page = text_of(client, f"{HOME}?after={follow}")
    assert page.count('id="household-') == 5
    assert "The list ends here" in text_of(client, f"{HOME}?after=0.{people[0].record.id}")  # type: ignore[union-attr]


@pytest.mark.parametrize("what", ["deal", "facts"])
def test_two_at_once(dealer: Shop, family: list[str], what: str) -> None:
    """Real connections at the same moment: one wins, the other is told so."""
    clients, gate, answers = [dealer.client(), dealer.client(dealer.member("manager"))], Barrier(2), []
    if what == "deal":
        night(dealer)
        calls = [(f"{HOME}/{rows(dealer)[0].id}/deal", {})] * 2
    else:
        calls = [(f"{HOME}/customers/{one}/facts", {"drivers": "2"}) for one in family]

    def send(client: Any, path: str, data: dict[str, str]) -> None:
        gate.wait()
        answers.append(client.post(path, data=data).status_code)

    threads = [Thread(target=send, args=(client, *call)) for client, call in zip(clients, calls, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Facts that come a moment later find the row and change it.
    assert sorted(answers) in ([[303, 409]] if what == "deal" else [[303, 422], [303, 303]])
    assert len(rows(dealer)) == 1


def outcomes(shop: Shop, wanted_by: str) -> None:
    """Keep outcomes of which those with two drivers, or those with one, are the interested ones."""
    with shop.work() as session:
        people = service_for("customers", session).create_many(
            [{"name": f"Person {number}", "kind": "person"} for number in range(LEAST)]
        )
        session.add_all(
            SecondCar(
                tenant_id=shop.tenant.id,
                customer_id=one.record.id,
                name=one.record.name,
                name_norm=one.record.name_norm,
                drivers=1 + number % 2,
                workers=1 + number % 3,
                outcome="interested" if (number % 2 == 1) is (wanted_by == "two") else "refused",
            )
            for number, one in enumerate(people)
            if one.record is not None
        )


@pytest.mark.parametrize("wanted_by", ["one", "two"])
def test_weights_that_rank_better_hold(dealer: Shop, wanted_by: str) -> None:
    outcomes(dealer, wanted_by)
    client = dealer.client()
    assert "Two or more drivers" in text_of(client, f"{HOME}/scores")
    assert client.post(f"{HOME}/scores/fit").status_code == 303
    page = text_of(client, f"{HOME}/scores")
    with dealer.work() as session:
        now = weights(session)
    if wanted_by == "two":
        assert "rank no better" in page, "the shipped ones are right already"
        assert now is SHIPPED
    else:
        assert "rank better" in page
        assert now.by_signal["drivers_2"] < 0
        client.post(f"{HOME}/scores/shipped")
        assert "200 outcomes" in text_of(client, f"{HOME}/scores"), "the fit is kept beside"
        with dealer.work() as session:
            assert weights(session) == SHIPPED


def test_a_fit_is_for_admins_and_needs_outcomes(dealer: Shop) -> None:
    manager, client = dealer.client(dealer.member("manager")), dealer.client()
    assert "How scores are made" not in text_of(manager, HOME)
    for path in ("scores/fit", "scores/shipped"):
        assert manager.post(f"{HOME}/{path}").status_code == 403
    client.post(f"{HOME}/scores/fit")
    assert "A fit needs 200 outcomes" in text_of(client, f"{HOME}/scores")


def test_cars_that_count(dealer: Shop, family: list[str]) -> None:
    """A car that was scrapped, or of which nothing was heard for two years, counts no more; drivers are seen."""
    night(dealer)
    with dealer.work() as session:
        car = session.execute(select(Vehicle)).scalars().one()
        for one in family:
            party = {"vehicle_id": car.id, "customer_id": one, "role": "driver", "tenant_id": car.tenant_id}
            session.add(VehicleParty(**party))
        if car.owned_item_id is None:
            given = {"name": "VW Golf", "customer_id": family[0]}
            car.owned_item_id = service_for("owned_items", session).create(given).id
        term = {"item_id": str(car.owned_item_id), "kind": "warranty"}
        term |= {"starts_on": "2026-05-04", "ends_on": "2031-05-04"}
        service_for("owned_item_terms", session).create(term)
    night(dealer)
    client = dealer.client()
    assert "Two or more drivers" in text_of(client, f"{HOME}/panel?customer_id={family[0]}")
    page = text_of(client, f"{RECORDS}/{rows(dealer)[0].id}")
    assert "driven by Anna Lind, Bo Lind, something ends on" in page
    assert "2031" in page
    assert "Not one household" in page
    for changes in (
        {"status": "scrapped"},
        {"status": "in_use", "updated_at": clock.now() - dt.timedelta(days=800)},
    ):
        with dealer.work() as session:
            session.execute(update(Vehicle).values(**changes))
        night(dealer)
        assert [one.known_cars for one in rows(dealer)] == [0]
    assert "Two years without a sign" in text_of(client, f"{RECORDS}/{rows(dealer)[0].id}")
