"""Warranties of vehicles: forecasts kept with the platform's terms, the card, the list, and the offer that follows."""

import datetime as dt

import pytest

from kehu.addons.calls import call
from kehu.core import clock, context
from kehu.core.errors import InvalidInput
from kehu.core.records.service import service_for
from kehu.offers.tasks import sweep_now
from kehu.testkit.fixtures import count_queries
from kehu.testkit.switch import enable
from plugins_builtin.automotive.warranty.forecasting import nightly

VEHICLES, READINGS = "automotive.vehicles", "automotive.odometer_readings"


@pytest.fixture
def dealer(shop):
    """A firm that has the module on."""
    enable(shop, "automotive")
    return shop


def day(shop, days):
    return (clock.today(shop.tenant.tz) + dt.timedelta(days=days)).isoformat()


def add_car(shop, readings, plate="KA 1", months=36, limit=60_000, begun=-600):
    """A customer's car with readings (days from today, km) and a warranty by months and distance."""
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": f"Owner of {plate}"}).id
        given = {"make": "Aiways", "model": "U5", "plate": plate, "customer_id": str(customer)}
        given["in_service_on"] = day(shop, begun)
        vehicle = service_for(VEHICLES, session).create(given)
        for days, km in readings:
            values = {"vehicle_id": str(vehicle.id), "shown": km, "unit": "km", "read_on": day(shop, days)}
            service_for(READINGS, session).create(values)
        values = {
            "item_id": str(vehicle.owned_item_id),
            "kind": "warranty",
            "starts_on": day(shop, begun),
            "months": str(months),
            "usage_limit": str(limit),
            "usage_unit": "km",
            "start_usage": "0",
        }
        term = service_for("owned_item_terms", session).create(values).id
        return vehicle.id, term


def reckon(shop):
    """Run the nightly job."""
    with shop.app.app_context(), context.use(tenant=shop.tenant, source="job"), shop.work(context.SYSTEM):
        nightly(call("automotive"))


def term_of(shop, term_id):
    with shop.work() as session:
        return service_for("owned_item_terms", session).get(term_id)


def text_of(client, path):
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_the_distance_comes_first(dealer):
    _vehicle, term_id = add_car(dealer, [(-400, 20_000), (-30, 56_000)])
    reckon(dealer)
    term = term_of(dealer, term_id)
    today = clock.today(dealer.tenant.tz)
    # (370 x 97.3 + 182 x 39.7) / 552 = 78.3 km a day; 4,000 km are left 30 days ago.
    assert term.effective_end == term.expected_ends_on == today + dt.timedelta(days=52 - 30)
    assert "About 78 km a day from 56,000 km" in term.expectation
    assert term.state == "active"
    before = term.updated_at
    reckon(dealer)
    assert term_of(dealer, term_id).updated_at == before


def test_a_reading_beyond_the_limit_is_certain(dealer):
    vehicle, term_id = add_car(dealer, [(-400, 20_000), (-30, 66_000)])
    reckon(dealer)
    assert "60,000 km were reached" in term_of(dealer, term_id).expectation
    text = text_of(dealer.client(), f"/x/automotive/warranty/card?vehicle_id={vehicle}")
    assert "by distance, as a reading shows" in text
    assert "certain" in text


def test_card_and_list_in_few_statements(dealer):
    for at in range(3):
        vehicle, _term = add_car(dealer, [(-400, 20_000), (-30, 55_000 + 500 * at)], f"KA {at}")
    add_car(dealer, [(-20, 1_000)], "KA 9")
    reckon(dealer)
    client = dealer.client()
    path = f"/x/automotive/warranty/card?vehicle_id={vehicle}"
    text = text_of(client, path)
    for part in ("about 5", "60,000 km", "by distance", "56,000 km on", "Add a reading", "well observed"):
        assert part in text, part
    assert text.count("<progress") == 2
    text_of(client, "/x/automotive/warranty")
    with count_queries() as statements:
        text = text_of(client, "/x/automotive/warranty")
    assert len(statements) <= 10, "\n".join(statements.texts)
    assert text.count('<tr id="w-') == 3
    assert "KA 9" not in text
    assert text_of(client, "/x/automotive/warranty?after=2026-01-01_nonsense").count('<tr id="w-') == 3


def test_the_end_becomes_an_offer_and_a_later_warranty_stops_it(dealer):
    vehicle, term_id = add_car(dealer, [(-400, 20_000), (-30, 56_000)])
    reckon(dealer)
    with dealer.work() as session:
        rules = service_for("offer_rules", session).type.model
        [rule] = session.query(rules).all()  # The one that the module brings.
        assert (rule.name, rule.source, rule.holdout) == ("Warranty ends", "term.warranty", 10)
        service_for("offer_rules", session).update(rule.id, {"holdout": 0})
        rule_id = rule.id
    sweep(dealer, rule_id)
    with dealer.work() as session:
        model = service_for("offers", session).type.model
        [offer] = session.query(model).all()
        assert (offer.term_id, offer.state, offer.rung) == (term_id, "contacted", 30)
        assert "km a day" in offer.basis
    text = text_of(dealer.client(), "/x/automotive/warranty")
    assert f"/offers/{offer.id}/accept" in text
    with dealer.work() as session:
        service_for("owned_item_terms", session).renew(term_id, {"kind": "extended_warranty", "months": "24"})
    sweep(dealer, rule_id)
    with dealer.work() as session:
        [offer] = session.query(model).all()
        assert (offer.state, offer.reason) == ("stopped", "bought")
    assert vehicle


def test_a_plan_becomes_a_coverage_once(dealer):
    vehicle, _term = add_car(dealer, [(-30, 5_000)], begun=-100)
    with dealer.work() as session:
        plans = service_for("automotive.warranty_plans", session)
        values = {"name": "Factory warranty", "make": "aiways", "months": 60, "distance": 150_000}
        plan = plans.create(values).id
        plans.create({**values, "name": "Old terms", "until_on": day(dealer, -500)})
        with pytest.raises(InvalidInput) as error:
            plans.create({**values, "from_on": "2026-02-01", "until_on": "2026-01-01"})
        assert set(error.value.fields) == {"until_on"}
    client = dealer.client()
    path = f"/x/automotive/warranty/card?vehicle_id={vehicle}"
    text = text_of(client, path)
    assert "Factory warranty: 60 months or 150,000 km" in text
    assert "Old terms" not in text
    url = f"/x/automotive/warranty/{vehicle}/apply"
    assert client.post(url, data={"plan_id": str(plan)}).status_code == 303
    assert client.post(url, data={"plan_id": str(plan)}).status_code == 409
    text = text_of(client, path)
    assert "Factory warranty: 60" not in text
    assert "150,000 km" in text


def test_a_plan_covers_all_cars_that_come_with_it(dealer, other_shop):
    enable(other_shop, "automotive")
    for shop in (dealer, other_shop):
        with shop.work() as session:
            owner = str(service_for("customers", session).create({"name": "Anna Berg"}).id)
            car = {
                "make": "Volkswagen",
                "model": "Golf",
                "customer_id": owner,
                "in_service_on": day(shop, -600),
            }
            for given in (
                car,
                {**car, "model": "Polo"},
                {**car, "in_service_on": day(shop, -2000)},
                {**car, "in_service_on": ""},
                {**car, "customer_id": ""},
                {**car, "make": "Volks"},
            ):
                service_for(VEHICLES, session).create(given)
            plan = {"name": "Factory", "make": "Volkswagen", "months": "36", "distance": "60000"}
            plan_id = service_for("automotive.warranty_plans", session).create(plan).id
        if shop is dealer:
            mine = plan_id
    client, url = dealer.client(), f"/x/automotive/warranty/plans/{mine}/cover"
    assert "2 cars come with it" in client.get("/x/automotive/warranty").text
    assert other_shop.client().post(url).status_code == 404
    assert dealer.client(dealer.member("viewer")).post(url).status_code == 403
    for _time in range(2):
        assert client.post(url).status_code == 303
    assert "come with it" not in client.get("/x/automotive/warranty").text
    with dealer.work() as session:
        terms = service_for("owned_item_terms", session).type.model
        assert [one.usage_limit for one in session.query(terms).all()] == [60_000, 60_000]


def test_the_next_car_is_due_until_there_is_one(dealer):
    vehicle, _term = add_car(dealer, [])
    with dealer.work() as session:
        party = service_for("automotive.vehicle_parties", session)
        [one] = session.query(party.type.model).all()
        party.update(one.id, {"from_on": day(dealer, -48 * 31 + 60)})
        customer = one.customer_id
        rule = {"name": "Next car", "source": "automotive.replacement", "holdout": "0", "ladder": "90, 30"}
        rule_id = service_for("offer_rules", session).create(rule).id
    sweep(dealer, rule_id)
    with dealer.work() as session:
        offers = service_for("offers", session).type.model
        [offer] = session.query(offers).where(offers.rule_id == rule_id).all()
        assert (offer.customer_id, offer.state) == (customer, "contacted")
        assert "His since" in offer.basis
        given = {"make": "Aiways", "model": "U6", "plate": "KA 7", "customer_id": str(customer)}
        newer = service_for(VEHICLES, session).create(given).id
        party = service_for("automotive.vehicle_parties", session)
        model = party.type.model
        [one] = session.query(model).where(model.vehicle_id == newer).all()
        party.update(one.id, {"from_on": day(dealer, 0)})
    sweep(dealer, rule_id)
    with dealer.work() as session:
        [offer] = session.query(offers).where(offers.rule_id == rule_id).all()
        assert (offer.state, offer.reason) == ("stopped", "bought")
    assert vehicle


def sweep(shop, rule_id):
    with shop.app.app_context(), context.use(tenant=shop.tenant, actor=context.SYSTEM, source="job"):
        sweep_now(rule_id)


def test_rights_and_foreign_firms(dealer, other_shop):
    vehicle, _term = add_car(dealer, [(-30, 56_000)])
    reckon(dealer)
    viewer = dealer.client(dealer.member("viewer"))
    text = text_of(viewer, f"/x/automotive/warranty/card?vehicle_id={vehicle}")
    assert "Renew" not in text
    assert "Add a reading" not in text
    enable(other_shop, "automotive")
    stranger = other_shop.client()
    assert stranger.get(f"/x/automotive/warranty/card?vehicle_id={vehicle}").status_code == 404
    assert "KA 1" not in text_of(stranger, "/x/automotive/warranty")
