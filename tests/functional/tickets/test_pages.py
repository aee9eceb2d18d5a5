"""The list of tickets and the page of one: conversation, quick ways, rights, two tenants."""

import re

import pytest

from kehu.customers.services import CustomerService
from kehu.testkit.fixtures import count_queries
from kehu.tickets import outgoing
from kehu.tickets.conversation import ConversationService
from kehu.tickets.services import QueueService, TicketService

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def make_ticket(shop, **values):
    with shop.work() as session:
        given = {"subject": "Scratch on panel", "requester_email": "anna@example.com", **values}
        return str(TicketService(session).create(given).id)


def state(shop, ticket_id):
    with shop.work() as session:
        ticket = TicketService(session).get(ticket_id)
        return (
            ticket.status,
            ticket.assignee_id,
            [m.kind for m in ConversationService(session).messages(ticket)],
        )


@pytest.fixture
def browser(shop):
    return shop.client()


def page_of(browser, path, status=200, **headers):
    answer = browser.get(path, headers=headers)
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def test_list_has_views_and_targets(shop, browser):
    make_ticket(shop)
    make_ticket(shop, subject="Urgent one", priority="urgent", description="Now")
    text = page_of(browser, "/tickets")
    assert "Scratch on panel" in text
    assert all(
        name in text for name in ("My open", "Unassigned", "Due today", "Support", "Complaints", "Billing")
    )
    counts = page_of(browser, "/tickets/counts")
    assert 'hx-target="#count-nobody" hx-swap="innerHTML">2<' in counts
    assert 'hx-target="#count-mine" hx-swap="innerHTML">0<' in counts


def test_few_statements(shop, browser):
    with shop.work() as session:
        customer = CustomerService(session).create({"name": "Northwind"})
        ticket = TicketService(session).create({"subject": "A", "customer_id": str(customer.id)})
        for number in range(5):
            ConversationService(session).note(ticket.id, f"Note {number}")
        path = f"/tickets/{ticket.id}"
    page_of(browser, path)
    with count_queries() as statements:
        page_of(browser, path)
    assert len(statements) <= 12, statements.texts
    with count_queries() as statements:
        page_of(browser, "/tickets?view=all")
    assert len(statements) <= 8, statements.texts


def test_conversation_tells_reply_from_note(shop, browser):
    ticket_id = make_ticket(shop, description="One of the panels has a scratch.")
    text = page_of(browser, f"/tickets/{ticket_id}")
    assert "Sends to anna@example.com" in text
    assert "One of the panels has a scratch." in text
    for kind, written in (
        ("note", "Probably from the van"),
        ("reply", "Sorry <b>Anna</b>"),
        ("incoming", "Fine"),
    ):
        answer = browser.post(
            f"/tickets/{ticket_id}/messages", data={"kind": kind, "text": written}, headers=HTMX
        )
        assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    assert re.search(r'k-msg-note".*Internal note.*Probably from the van', text, re.DOTALL)
    assert re.search(r'k-msg-ours".*Sorry &lt;b&gt;Anna&lt;/b&gt;.*On its way', text, re.DOTALL)
    assert state(shop, ticket_id) == ("open", None, ["note", "reply", "incoming"])


def test_a_form_sent_twice_writes_once(shop, browser):
    ticket_id = make_ticket(shop)
    data = {"kind": "note", "text": "Once", "idempotency_key": "k" * 32}
    for _again in range(2):
        assert browser.post(f"/tickets/{ticket_id}/messages", data=data, headers=HTMX).status_code == 200
    assert state(shop, ticket_id)[2] == ["note"]


def test_refused_text_is_kept(shop, browser):
    ticket_id = make_ticket(shop)
    long = "x" * 20_001
    answer = browser.post(
        f"/tickets/{ticket_id}/messages", data={"kind": "reply", "text": long}, headers=HTMX
    )
    assert answer.status_code == 422
    assert long in answer.get_data(as_text=True)
    answer = browser.post(f"/tickets/{ticket_id}/messages", data={"kind": "reply", "text": ""})
    assert answer.status_code == 422
    assert "Write something first." in answer.get_data(as_text=True)
    assert state(shop, ticket_id) == ("new", None, [])


def test_without_script_the_form_works_too(shop, browser):
    ticket_id = make_ticket(shop)
    answer = browser.post(
        f"/tickets/{ticket_id}/messages", data={"kind": "reply", "text": "Hello", "status": "waiting"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/tickets/{ticket_id}#composer")
    assert state(shop, ticket_id) == ("waiting", None, ["reply"])


def test_assign_resolve_next_and_undo(shop, browser):
    first, second = make_ticket(shop, priority="urgent"), make_ticket(shop)
    for ticket_id in (first, second):
        assert browser.post(f"/tickets/{ticket_id}/assign", headers=HTMX).status_code == 204
        assert state(shop, ticket_id)[:2] == ("open", shop.owner.member_id)
    answer = browser.post(f"/tickets/{first}/status?status=resolved&next=1", headers=HTMX)
    assert f"/tickets/{second}" in answer.headers["HX-Location"]
    assert state(shop, first)[0] == "resolved"
    page = page_of(browser, f"/tickets/{second}")
    undo = re.search(r"/undo/[0-9a-f-]{36}", page).group()
    browser.post(undo, headers=HTMX)
    assert state(shop, first)[0] == "open"


def test_stale_status_says_who(shop, browser):
    ticket_id = make_ticket(shop)
    with shop.work() as session:
        TicketService(session).update(ticket_id, {"status": "waiting"})
    answer = browser.post(f"/tickets/{ticket_id}/status?status=closed&version=1", headers=HTMX)
    assert answer.status_code == 409
    assert shop.owner.name in answer.headers["HX-Trigger"]
    assert state(shop, ticket_id)[0] == "waiting"


def test_failed_reply_can_be_sent_again(shop, browser):
    ticket_id = make_ticket(shop)
    with shop.work() as session:
        reply = ConversationService(session).reply(ticket_id, "Hello")
        reply.delivery, reply.delivery_error = "failed", "The mail server refused it."
        path = f"/tickets/{ticket_id}/messages/{reply.id}"
    text = page_of(browser, f"/tickets/{ticket_id}")
    assert "Not sent. The mail server refused it." in text
    assert "Send again" in text
    assert "On its way" in browser.post(f"{path}/retry", headers=HTMX).get_data(as_text=True)
    assert browser.post(f"{path}/retry", headers=HTMX).status_code == 409
    assert "On its way" in page_of(browser, path, **HTMX)


def test_readers_only_read(shop):
    ticket_id = make_ticket(shop)
    viewer = shop.client(shop.member("viewer"))
    text = page_of(viewer, f"/tickets/{ticket_id}")
    assert "composer" not in text
    assert "status=resolved" not in text
    for path in ("messages", "assign", "status?status=closed"):
        assert (
            viewer.post(
                f"/tickets/{ticket_id}/{path}", data={"kind": "note", "text": "x"}, headers=HTMX
            ).status_code
            == 403
        )


def test_foreign_tickets_do_not_exist(shop, other_shop):
    ticket_id = make_ticket(other_shop)
    with other_shop.work() as session:
        message_id = ConversationService(session).reply(ticket_id, "Secret").id
    mine = shop.client()
    own = make_ticket(shop)
    page_of(mine, f"/tickets/{ticket_id}", 404)
    page_of(mine, f"/tickets/{own}/messages/{message_id}", 404)
    for path in ("messages", "assign", "status?status=closed", f"messages/{message_id}/retry"):
        answer = mine.post(f"/tickets/{ticket_id}/{path}", data={"kind": "note", "text": "x"}, headers=HTMX)
        assert answer.status_code == 404, path
    assert state(other_shop, ticket_id) == ("open", None, ["reply"])


def test_create_by_the_dialog(shop, browser):
    form = page_of(browser, "/tickets/new", **HTMX)
    assert "First message" in form
    answer = browser.post(
        "/tickets/new",
        data={"subject": "Late delivery", "description": "Where is it?", "requester_email": "b@example.com"},
        headers=HTMX,
    )
    assert answer.status_code == 204
    where = re.search(r"/tickets/[0-9a-f-]{36}", answer.headers["HX-Location"]).group()
    assert "Where is it?" in page_of(browser, where)
    assert page_of(browser, "/tickets/new", **HTMX)
    refused = browser.post("/tickets/new", data={"subject": "", "requester_email": "nonsense"}, headers=HTMX)
    assert refused.status_code == 422


def test_mail_has_the_queues_address(shop):
    with shop.work() as session:
        queue = QueueService(session).create({"name": "Claims", "email": "claims@example.com"})
        ticket = TicketService(session).create(
            {"subject": "A\nB", "requester_email": "anna@example.com", "queue_id": str(queue.id)}
        )
        reply = ConversationService(session).reply(ticket.id, "Grüße\n你好")
        session.flush()
        mail = outgoing.compose(ticket, reply, queue, "Kehu <noreply@localhost>", "Harbour & Co")
    assert mail["From"] == "Mira Sol at Harbour & Co <claims@example.com>"
    assert mail["Subject"] == f"A B [#{ticket.number}]"
    assert mail.get_content().split() == ["Grüße", "你好"]
    assert mail["Message-ID"].startswith("<")


def test_resolving_the_last_ticket_stays_on_it(shop, browser):
    ticket = make_ticket(shop)
    answer = browser.post(f"/tickets/{ticket}/status?status=resolved&next=1", headers=HTMX)
    assert "HX-Location" not in answer.headers
    assert "kehu:refresh" in answer.headers["HX-Trigger"]
    assert state(shop, ticket)[0] == "resolved"
