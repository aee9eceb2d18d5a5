"""Each resource: list, create, read, change, trash, restore; with versions, filters and pages."""

import pytest

from kehu.core.records.types import get
from kehu.rest.setup import READ_ONLY, RESOURCES
from kehu.testkit.fixtures import count_queries
from kehu.testkit.rest import problem

NEW = {
    "customers": {
        "name": "Northwind Joinery",
        "revenue": "1234.50",
        "emails": [{"address": "a@example.com"}],
    },
    "contacts": {"name": "Anna Lindqvist"},
    "deals": {"name": "Shop fit-out", "amount": "99.90"},
    "stages": {"name": "Proposal sent"},
    "products": {"name": "Oak worktop", "price": "410.00"},
    "owned_items": {"name": "Heat pump", "customer_id": "customers"},
    "owned_item_terms": {
        "name": "Warranty",
        "item_id": "owned_items",
        "starts_on": "2026-01-01",
        "months": 24,
    },
    "households": {"name": "Lindqvist family"},
    "household_members": {"household_id": "households", "customer_id": "customers"},
    "relations": {"customer_id": "customers", "other_id": "customers", "kind": "supplier"},
    "resources": {"name": "Lift 1", "kind": "Lift"},
    "bookings": {
        "name": "Oil change",
        "resource_id": "resources",
        "from_at": "2030-01-01T10:00:00Z",
        "to_at": "2030-01-01T11:00:00Z",
    },
    "segments": {"name": "Big ones", "object": "customers", "query": "value_class=A"},
    "tickets": {"subject": "Scratch on panel"},
    "queues": {"name": "Returns"},
    "activities": {"kind": "call", "subject": "Call back"},
    "calendars": {"name": "Workshop", "saturday": "8-13"},
    "calendar_days": {"day": "2026-12-24", "name": "Christmas Eve", "hours": "9-12"},
    "webhooks": {"name": "Books", "url": "https://example.com/hooks", "events": ["deal.*"]},
}


FOLLOWING = {"contacts", "owned_items", "owned_item_terms", "household_members", "relations"}
"""They come back with what they belong to, so to restore one twice is no fault."""


def new_values(call, name):
    """Return values of a new record, with the records made that it must point at."""
    values = dict(NEW[name])
    for key, target in values.items():
        if key.endswith("_id"):
            values[key] = call.made(target, **new_values(call, target))["id"]
    return values


@pytest.mark.parametrize("name", [name for name in RESOURCES if name not in READ_ONLY])
def test_life_of_a_record(call, name):
    title = get(name).title
    made = call("POST", name, new_values(call, name))
    assert made.status_code == 201, made.json
    where = made.headers["Location"].removeprefix("/api/v1/")
    assert (where, made.headers["ETag"]) == (f"{name}/{made.json['id']}", '"1"')
    read = call("GET", where)
    assert (read.json, read.headers["ETag"]) == (made.json, '"1"')
    assert call("GET", where, If_None_Match='"1"').status_code == 304
    changed = call("PATCH", where, {title: "Another"}, If_Match='"1"')
    assert (changed.status_code, changed.json[title], changed.headers["ETag"]) == (200, "Another", '"2"')
    assert made.json["id"] in [one["id"] for one in call("GET", name).json["data"]]
    assert call("DELETE", where, If_Match='"2"').status_code == 204
    problem(call("GET", where), 404)
    assert made.json["id"] not in [one["id"] for one in call("GET", name).json["data"]]
    assert call("POST", f"{where}/restore").json[title] == "Another"
    if name not in FOLLOWING:
        problem(call("POST", f"{where}/restore"), 404)


@pytest.mark.parametrize("name", sorted(READ_ONLY))
def test_read_only_resources(call, name):
    listed = call("GET", name).json["data"]
    assert listed
    assert call("GET", f"{name}/{listed[0]['id']}").json == listed[0]
    assert call("POST", name, {"name": "New"}).status_code == 405


def test_values_as_json(call):
    made = call.made("customers", **NEW["customers"], phones=[{"label": "work", "number": "020 7946 4410"}])
    assert (made["revenue"], made["currency"], made["number"]) == ("1234.50", "GBP", 1)
    assert made["phones"] == [{"label": "work", "number": "+442079464410"}]
    assert made["created_at"].endswith("Z")
    assert call("PATCH", f"customers/{made['id']}", {"revenue": None}, If_Match="*").json["revenue"] is None


def test_stale_change_says_who_and_what(call, shop):
    made = call.made("customers", name="Northwind")
    path = f"customers/{made['id']}"
    problem(call("PATCH", path, {"name": "X"}), 428)
    assert call("PATCH", path, {"industry": "Joinery"}, If_Match='"1"').status_code == 200
    told = problem(call("PATCH", path, {"industry": "Timber"}, If_Match='"1"'), 412)
    assert told["conflicts"] == {"industry": {"yours": "Timber", "theirs": "Joinery"}}
    assert (told["changed_by"], told["current"], told["code"]) == (shop.owner.name, 2, "stale_version")
    problem(call("DELETE", path, If_Match='"1"'), 412)
    problem(call("PATCH", path, {"name": "X"}, If_Match="abc"), 400)
    assert call("GET", path).json["industry"] == "Joinery"


def test_pages_cover_everything_once(call):
    for number in range(7):
        call.made("customers", name=f"Firm {number}", industry="even" if number % 2 == 0 else "odd")
    seen, after = [], ""
    while after is not None:
        page = call("GET", f"customers?limit=3&sort=-name&after={after}").json
        seen += [one["name"] for one in page["data"]]
        after = page["next"]
    assert seen == [f"Firm {number}" for number in range(6, -1, -1)]
    found = call("GET", "customers?industry=even&q=firm&owner_id=me&fields=name").json["data"]
    assert [set(one) for one in found] == [{"id", "version", "name"}] * 4


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("color=red", "color"),
        ("name.like=x", "name.like"),
        ("sort=colour", "sort"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("after=nonsense", "after"),
        ("fields=secret", "fields"),
        ("created_at.gte=2026-02-30", "created_at.gte"),
        ("owner_id=nobody", "owner_id"),
        ("industry=a&industry=b", "industry"),
        ("q=%00", "q"),
        ("view=1", "view"),
        ("number=1e99", "number"),
    ],
)
def test_wrong_queries_are_named(call, query, field):
    problem(call("GET", f"customers?{query}"), 422, field)


def test_statements_are_few(call):
    for number in range(60):
        call.made("customers", name=f"Firm {number}", industry="x")
    with count_queries() as statements:
        assert len(call("GET", "customers?industry=x&sort=name").json["data"]) == 50
    assert len(statements) <= 3, statements.texts
    with count_queries() as statements:
        call("POST", "customers", NEW["customers"], Idempotency_Key="pin")
    assert len(statements) <= 8, statements.texts


def test_deal_moves(call):
    stages = {one["outcome"]: one["id"] for one in call("GET", "stages").json["data"]}
    deal = call.made("deals", name="Shop fit-out")
    path = f"deals/{deal['id']}/move"
    problem(call("POST", path, {"stage_id": stages["won"]}), 428)
    problem(call("POST", path, {"stage_id": "x"}, If_Match="*"), 422, "stage_id")
    problem(call("POST", path, {"stage_id": stages["lost"]}, If_Match="*"), 422, "lost_reason")
    problem(call("POST", path, {"stage_id": stages["won"], "colour": 1}, If_Match="*"), 422, "colour")
    moved = call("POST", path, {"stage_id": stages["won"]}, If_Match='"1"')
    assert (moved.status_code, moved.json["status"]) == (200, "won")
    back = call("POST", path, {"stage_id": stages["lost"], "lost_reason": "Price"}, If_Match='"1"')
    assert "Shop fit-out" in problem(back, 412)["detail"]


def test_ticket_conversation(call):
    ticket = call.made("tickets", subject="Scratch", requester_email="anna@example.com")
    path = f"tickets/{ticket['id']}/messages"
    first = call("POST", path, {"kind": "incoming", "body": "Hello", "author_name": "Anna"})
    assert (first.status_code, first.json["author_name"]) == (201, "Anna")
    reply = call("POST", path, {"kind": "reply", "body": "Sorry", "status": "waiting"}, Idempotency_Key="r1")
    assert reply.json["delivery"] == "queued"
    assert call("GET", reply.headers["Location"].removeprefix("/api/v1/")).json == reply.json
    assert (
        call("POST", path, {"kind": "reply", "body": "Sorry", "status": "waiting"}, Idempotency_Key="r1").json
        == reply.json
    )
    page = call("GET", f"{path}?limit=1").json
    assert ([one["kind"] for one in page["data"]], bool(page["next"])) == (["incoming"], True)
    rest = call("GET", f"{path}?after={page['next']}").json
    assert ([one["kind"] for one in rest["data"]], rest["next"]) == (["reply"], None)
    assert call("GET", f"tickets/{ticket['id']}").json["status"] == "waiting"
    problem(call("POST", path, {"kind": "shout", "body": "x"}), 422, "kind")
    problem(call("POST", path, {"kind": "note"}), 422, "body")
    problem(
        call("POST", path, {"kind": "incoming", "body": "x", "author_email": "nonsense"}), 422, "author_email"
    )
    problem(call("GET", f"{path}?after=x"), 422, "after")
    problem(call("GET", f"{path}?colour=x"), 422, "colour")


def test_filters_with_groups_and_related_records(call):
    first = call.made("customers", name="Anvil", value_class="A")
    second = call.made("customers", name="Bench")
    call.made("customers", name="Chisel")
    call.made("deals", name="Big", amount="5000", customer_id=second["id"])
    found = call("GET", "customers?where=or(value_class:A,deals(status:open,amount.gte:1000))").json
    assert {one["id"] for one in found["data"]} == {first["id"], second["id"]}
    refused = call("GET", "customers?where=deals(amount.gte:many)")
    assert "amount.gte:many" in problem(refused, 422, "where")["errors"]["where"][0]
