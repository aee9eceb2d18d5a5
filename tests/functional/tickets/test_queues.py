"""Queues under Settings."""

from kehu.testkit.rest import Caller
from kehu.tickets import queries
from kehu.tickets.services import TicketService

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def names(shop):
    with shop.work() as session:
        return [
            (row.name, row.email, row.is_default, row.open) for row in queries.queues_with_counts(session)
        ]


def test_life_of_a_queue(shop):
    browser = shop.client()
    assert "Support" in browser.get("/settings/queues").get_data(as_text=True)
    assert "New queue" in browser.get("/settings/queues/new", headers=HTMX).get_data(as_text=True)
    made = browser.post(
        "/settings/queues/new", data={"name": "Returns", "email": "r@example.com"}, headers=HTMX
    )
    assert made.status_code == 204
    refused = browser.post("/settings/queues/new", data={"name": "", "email": "nonsense"}, headers=HTMX)
    assert refused.status_code == 422
    queue = Caller(shop)("GET", "queues").json["data"][-1]
    path = f"/settings/queues/{queue['id']}"
    assert "r@example.com" in browser.get(path, headers=HTMX).get_data(as_text=True)
    assert (
        browser.post(path, data={"name": "Returns", "email": "", "version": "1"}, headers=HTMX).status_code
        == 204
    )
    assert browser.post(path, data={"name": "X", "version": "1"}, headers=HTMX).status_code == 409
    assert browser.post(f"{path}/default", headers=HTMX).status_code == 204
    assert [name for name, _email, default, _open in names(shop) if default] == ["Returns"]
    assert browser.post(f"{path}/retire", headers=HTMX).status_code == 409
    assert names(shop)[-1] == ("Returns", "", True, 0)


def test_a_queue_with_open_tickets_stays(shop):
    browser = shop.client()
    queue = Caller(shop)("GET", "queues").json["data"][1]
    with shop.work() as session:
        ticket_id = TicketService(session).create({"subject": "A", "queue_id": queue["id"]}).id
    path = f"/settings/queues/{queue['id']}/retire"
    assert browser.post(path, headers=HTMX).status_code == 409
    with shop.work() as session:
        TicketService(session).update(ticket_id, {"status": "closed"})
    assert browser.post(path, headers=HTMX).status_code == 204
    assert queue["name"] not in [row[0] for row in names(shop)]


def test_only_who_may_and_only_ones_own(shop, other_shop):
    member = shop.client(shop.member("member"))
    theirs = Caller(other_shop)("GET", "queues").json["data"][1]["id"]
    for path in ("", "/new", f"/{theirs}"):
        assert member.get(f"/settings/queues{path}").status_code == 403
        assert shop.client().get(f"/settings/queues/{theirs}").status_code == 404
    for path in ("default", "retire"):
        assert shop.client().post(f"/settings/queues/{theirs}/{path}", headers=HTMX).status_code == 404


def test_a_member_can_take_back_the_ticket_just_made(shop):
    browser = shop.client(shop.member("member"))
    browser.post("/tickets/new", data={"subject": "Slip", "stay": "1"}, headers=HTMX)
    with shop.work() as session:
        entry = queries.listing.page(session, queries.TICKETS, queries.listing.ListQuery()).rows[0]
    assert browser.post(f"/tickets/{entry['id']}/trash", headers=HTMX).status_code in (204, 303)
