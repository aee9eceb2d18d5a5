"""The work list, outcomes by one tap, rules and their texts; rights, foreign firms and statements."""

import pytest

from kehu.core.errors import Conflict
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import count_queries
from tests.functional.offers.test_sweep import customer_with, make_rule, offers, sweep

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def swept(shop):
    """Three customers whose warranty ends soon."""
    for n in range(3):
        customer_with(shop, 40 + n, f"Firm {n}")
    rule = make_rule(shop)
    sweep(shop, rule)
    return rule


def text_of(client, path):
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_work_list_says_why_in_few_statements(shop, swept):
    client = shop.client()
    text_of(client, "/offers")
    path = "/offers?state=open,contacted&held_out=0&sort=due_on&view=waiting"
    with count_queries() as statements:
        text = text_of(client, path)
    assert len(statements) <= 8, "\n".join(statements.texts)
    assert text.count("data-row=") == 3
    for part in ("Warranty ends in 40 days.", "Contacted once, on", "Make a deal", "Declined", "Firm 1"):
        assert part in text


def test_a_firm_without_rules_is_told_to_make_one(shop):
    client = shop.client()
    text = text_of(client, "/offers")
    assert "Make a rule" in text
    assert "Nothing matches" not in text
    make_rule(shop)
    assert "Nothing matches" in text_of(client, "/offers?view=waiting&state=open")


def test_outcomes_by_one_tap(shop, swept):
    client, found = shop.client(), offers(shop)
    made = client.post(f"/offers/{found[0].id}/accept", headers=HTMX)
    assert made.status_code == 204
    assert "/deals/" in made.headers["HX-Location"]
    again = client.post(f"/offers/{found[0].id}/accept", headers=HTMX)
    assert again.status_code == 409
    assert (
        client.post(f"/offers/{found[1].id}/decline", data={"note": "Sells it"}, headers=HTMX).status_code
        == 204
    )
    assert client.post(f"/offers/{found[2].id}/contacted", headers=HTMX).status_code == 204
    assert [one.state for one in offers(shop)] == ["accepted", "declined", "contacted"]
    assert "Sells it" in text_of(client, f"/offers/{found[1].id}")
    assert "Deals made" in text_of(client, f"/offer_rules/{swept}")


def test_card_on_the_customers_page(shop, other_shop, swept):
    one, client = offers(shop)[0], shop.client()
    assert f"/offers/of/{one.customer_id}" in text_of(client, f"/customers/{one.customer_id}")
    card = text_of(client, f"/offers/of/{one.customer_id}")
    assert "Warranty ends in 40 days." in card
    client.post(f"/offers/{one.id}/decline", headers=HTMX)
    assert "Warranty ends" not in text_of(client, f"/offers/of/{one.customer_id}")
    assert other_shop.client().get(f"/offers/of/{one.customer_id}").status_code == 404


def test_rules_refuse_what_makes_no_sense(shop):
    client = shop.client()
    for values, said in (
        ({"ladder": "soon"}, "numbers of days"),
        ({"source": "item.age"}, "after how many months"),
        ({"source": "no.such"}, "What has its day"),
        ({"holdout": "80"}, "50"),
    ):
        form = {"name": "Mine", "source": "term.contract", "ladder": "30", "channel": "task", **values}
        answer = client.post("/offer_rules/new?full=1", data=form, headers=HTMX)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 422, values
        assert said in text
        assert "Mine" in text
    with shop.work() as session:
        rule = service_for("offer_rules", session).create({"name": "Mine", "source": "term.contract"}).id
    form = {"rule_id": str(rule), "locale": "en", "subject": "Hi", "body": "Dear {nobody}"}
    wrong = client.post("/offer_texts/new", data=form, headers=HTMX)
    assert wrong.status_code == 422
    assert "{nobody}" in wrong.get_data(as_text=True)
    assert (
        client.post("/offer_texts/new", data={**form, "body": "Dear {name}"}, headers=HTMX).status_code < 300
    )
    twice = client.post("/offer_texts/new", data={**form, "body": "Dear {name}"}, headers=HTMX)
    assert "in this language already" in twice.get_data(as_text=True)


def test_offers_come_from_rules_and_go_with_them(shop, swept):
    with shop.work() as session:
        with pytest.raises(Conflict):
            service_for("offers", session).create({"note": "By hand"})
        service_for("offer_rules", session).trash(swept)
    client = shop.client()
    assert "data-row=" not in text_of(client, "/offers?view=all")
    with shop.work() as session:
        service_for("offer_rules", session).restore(swept)
    assert text_of(client, "/offers?view=all").count("data-row=") == 3


def test_rights_and_foreign_firms(shop, other_shop, swept):
    one = offers(shop)[0]
    viewer = shop.client(shop.member("viewer"))
    assert "Make a deal" not in text_of(viewer, "/offers?view=all")
    assert viewer.post(f"/offers/{one.id}/accept").status_code == 403
    member = shop.client(shop.member("member"))
    assert member.post(f"/offer_rules/{swept}/sweep").status_code == 403
    assert member.post(f"/offers/{one.id}/accept", headers=HTMX).status_code == 204
    stranger = other_shop.client()
    for action in ("accept", "decline", "contacted", "stop"):
        assert stranger.post(f"/offers/{one.id}/{action}").status_code == 404
    assert stranger.post(f"/offer_rules/{swept}/sweep").status_code == 404
