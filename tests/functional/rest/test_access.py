"""Who may call what: tokens, scopes, roles, tenants, rates."""

import uuid

import pytest
from limits import parse

from kehu.accounts.models import User
from kehu.core import clock
from kehu.members.loading import actor_of_job
from kehu.members.models import ApiToken
from kehu.rest.limits import TokenLimit
from kehu.rest.setup import READ_ONLY, RESOURCES
from kehu.testkit.rest import Caller, problem


@pytest.mark.parametrize(
    "header", ["", "Basic abc", "Bearer x", "Bearer kehu_a_b_c", "Bearer kehu_{0}_{0}_secret"]
)
def test_without_a_good_token(shop, header):
    headers = {"Authorization": header.format(shop.tenant.id.hex)} if header else {}
    answer = shop.app.test_client().get("/api/v1/customers", headers=headers)
    problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_cookies_count_for_nothing(shop):
    client = shop.client()
    problem(client.get("/api/v1/customers"), 401)
    problem(client.post("/api/v1/customers", json={"name": "X"}), 401)


def test_revoked_and_expired_tokens(shop):
    call = Caller(shop)
    assert call("GET", "customers").status_code == 200
    token_id = call.headers["Authorization"].split("_")[2]
    with shop.work() as session:
        session.get(ApiToken, (shop.tenant.id, uuid.UUID(token_id))).revoked_at = clock.now()
    problem(call("GET", "customers"), 401)


def test_who_is_switched_off_calls_no_more(shop):
    member = shop.member("member")
    call = Caller(shop, actor=member)
    assert call("GET", "customers").status_code == 200
    with shop.work() as session:
        session.get(User, member.user_id).active = False
    problem(call("GET", "customers"), 401)
    with shop.work() as session:
        assert actor_of_job(session, member.member_id).permissions == {}


def test_scopes_narrow_the_role(shop):
    call = Caller(shop, ["customers:read", "tickets:*"])
    assert call("GET", "customers").status_code == 200
    problem(call("POST", "customers", {"name": "X"}), 403)
    problem(call("GET", "deals"), 403)
    # A reference to what the token can't see is like one to nothing.
    assert call("POST", "tickets", {"subject": "X"}).status_code == 201
    viewer = Caller(shop, ["*"], shop.member("viewer"))
    assert viewer("GET", "tickets").status_code == 200
    problem(viewer("POST", "tickets", {"subject": "X"}), 403)


def test_own_scope_is_kept(shop):
    owner = Caller(shop)
    deal = owner.made("deals", name="The owner's")
    member = Caller(shop, actor=shop.member("member"))
    assert member("GET", f"deals/{deal['id']}").status_code == 200
    problem(member("PATCH", f"deals/{deal['id']}", {"name": "Mine"}, If_Match="*"), 403)
    problem(member("DELETE", f"deals/{deal['id']}"), 403)


FOREIGN = {
    "contacts": {"name": "X", "customer_id": "customers"},
    "deals": {"name": "X", "customer_id": "customers", "contact_id": "contacts", "product_id": "products"},
    "owned_items": {"name": "X", "customer_id": "customers", "product_id": "products"},
    "owned_item_terms": {"item_id": "owned_items", "starts_on": "2026-01-01"},
    "household_members": {"household_id": "households", "customer_id": "customers"},
    "relations": {"customer_id": "customers", "other_id": "customers"},
    "resources": {"name": "X", "kind": "X", "calendar_id": "calendars"},
    "bookings": {
        "from_at": "2030-01-01T10:00",
        "to_at": "2030-01-01T11:00",
        "resource_id": "resources",
        "customer_id": "customers",
        "deal_id": "deals",
        "member_id": "members",
    },
    "tickets": {
        "subject": "X",
        "owned_item_id": "owned_items",
        "queue_id": "queues",
        "assignee_id": "members",
    },
    "activities": {"kind": "call", "deal_id": "deals", "ticket_id": "tickets", "owner_id": "members"},
    "customers": {"name": "X", "parent_id": "customers", "owner_id": "members"},
    "calendar_days": {"name": "X", "day": "2026-12-24", "calendar_id": "calendars"},
}


def test_foreign_ids_are_nothing(shop, other_shop):
    mine, theirs = Caller(shop), Caller(other_shop)
    theirs.made("customers", name="Secret")
    for name in ("contacts", "deals", "products", "households", "segments"):
        theirs.made(name, name="Secret")
    customer = theirs("GET", "customers").json["data"][0]["id"]
    item = theirs.made("owned_items", name="Secret", customer_id=customer)
    theirs.made("owned_item_terms", item_id=item["id"], starts_on="2026-01-01", months=12)
    household = theirs("GET", "households").json["data"][0]["id"]
    theirs.made("household_members", household_id=household, customer_id=customer)
    other = theirs.made("customers", name="Secret, too")["id"]
    theirs.made("relations", customer_id=customer, other_id=other, kind="partner")
    lift = theirs.made("resources", name="Secret", kind="Lift")["id"]
    theirs.made("bookings", resource_id=lift, from_at="2030-01-01T10:00", to_at="2030-01-01T11:00")
    theirs.made("tickets", subject="Secret")
    theirs.made("activities", kind="note", subject="Secret")
    theirs.made("calendar_days", day="2026-12-24", name="Secret")
    theirs.made("webhooks", name="Secret", url="https://example.com/", events=["*"])
    ids = {name: theirs("GET", name).json["data"][0]["id"] for name in RESOURCES}
    for name in RESOURCES:
        path = f"{name}/{ids[name]}"
        problem(mine("GET", path), 404)
        if name not in READ_ONLY:
            problem(mine("PATCH", path, {"name": "X"}, If_Match="*"), 404)
            problem(mine("DELETE", path), 404)
            problem(mine("POST", f"{path}/restore"), 404)
        assert ids[name] not in mine("GET", name).get_data(as_text=True)
    for path in (f"tickets/{ids['tickets']}/messages", f"tickets/{ids['tickets']}/messages/{ids['tickets']}"):
        problem(mine("GET", path), 404)
    problem(mine("POST", f"tickets/{ids['tickets']}/messages", {"kind": "note", "body": "x"}), 404)
    problem(mine("POST", f"deals/{ids['deals']}/move", {"stage_id": ids["stages"]}, If_Match="*"), 404)
    for name, values in FOREIGN.items():
        body = {key: ids.get(value, value) if key.endswith("_id") else value for key, value in values.items()}
        problem(mine("POST", name, body), 422, *[key for key in values if key.endswith("_id")])
    deal = mine.made("deals", name="Mine")
    problem(
        mine("POST", f"deals/{deal['id']}/move", {"stage_id": ids["stages"]}, If_Match="*"), 422, "stage_id"
    )
    assert mine("GET", f"deals?customer_id={ids['customers']}").json["data"] == []


def test_rate_is_told_and_kept(shop):
    call = Caller(shop)
    app = shop.app
    usual = app.extensions["kehu.api_limit"]
    app.extensions["kehu.api_limit"] = TokenLimit(parse("2 per minute"))
    try:
        assert call("GET", "customers").headers["RateLimit-Remaining"] == "1"
        assert call("GET", "customers").status_code == 200
        answer = call("GET", "customers")
        problem(answer, 429)
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert Caller(shop)("GET", "customers").status_code == 200
    finally:
        app.extensions["kehu.api_limit"] = usual
