"""A ticket is worked on by keyboard alone: taken, noted, answered, resolved, taken back; on a desk and a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve
from kehu.tickets.conversation import ConversationService
from kehu.tickets.services import TicketService

pytestmark = pytest.mark.browser
Open = Callable[..., Window]
KIB = 1024


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where the shop is."""
    with serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}"


@pytest.fixture
def ticket_id(shop: Shop) -> str:
    """A ticket with a conversation, and a second one behind it."""
    with shop.work() as session:
        given = {
            "subject": "Scratch on panel",
            "requester_email": "anna@example.com",
            "description": "A scratch.",
        }
        ticket = TicketService(session).create({**given, "priority": "urgent"})
        ConversationService(session).note(ticket.id, "Probably from the van.")
        reply = ConversationService(session).reply(ticket.id, "We look into it.")
        reply.delivery, reply.delivery_error = "failed", "The mail server refused it."
        ConversationService(session).incoming(ticket.id, "Thank you.", name="Anna")
        TicketService(session).create({"subject": "Late delivery"})
        return str(ticket.id)


def signed_in(window: Window, shop: Shop, address: str) -> Window:
    """Give the browser the cookie of the shop's owner."""
    client: Any = shop.client()
    cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    assert cookie is not None
    window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return window


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_pages_are_accessible(
    open_window: Open, shop: Shop, address: str, ticket_id: str, size: str, dark: bool
) -> None:
    window = signed_in(open_window(size, dark=dark), shop, address)
    for path in ("/tickets?view=all", f"/tickets/{ticket_id}", "/api/v1/docs"):
        window.go(address + path)
        window.check(f"{path} {size}")
        wide = window.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide}"


def test_a_ticket_by_keys_alone(open_window: Open, shop: Shop, address: str, ticket_id: str) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/tickets/{ticket_id}")
    page.keyboard.press("a")
    page.wait_for_selector(f"#fact-assignee_id:has-text('{shop.owner.name}')")
    page.keyboard.press("n")
    page.keyboard.type("Bring the spare panel.")
    assert "Add note" in page.inner_text("#composer [type=submit]")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".k-msg-note >> text=Bring the spare panel.")
    assert page.input_value("#composer-text") == ""
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("r")
    page.keyboard.type("Thursday at 9:30?")
    assert "Sends to anna@example.com" in page.inner_text("#composer")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".k-msg-ours >> text=Thursday at 9:30?")
    page.wait_for_selector("text=On its way")
    window.check("conversation")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("s")
    page.wait_for_selector("#ticket-status:popover-open")
    window.check("status menu")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("d")
    page.wait_for_selector("#toasts >> text=Resolved")
    # It was opened by itself and is the last one: it stays in sight.
    page.wait_for_selector("#ticket-status-button:has-text('Resolved'), .k-top :text('Resolved')")
    assert ticket_id in page.url
    page.keyboard.press("Control+z")
    page.wait_for_selector("#toasts >> text=Took back")
    with shop.work() as session:
        ticket = TicketService(session).get(ticket_id)
        assert (ticket.status, ticket.assignee_id) == ("open", shop.owner.member_id)
        kinds = [message.kind for message in ConversationService(session).messages(ticket)]
    assert kinds == ["note", "reply", "incoming", "note", "reply"]
    assert not window.problems


def test_nobodys_ticket_is_taken_from_the_list(
    open_window: Open, shop: Shop, address: str, ticket_id: str
) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/tickets?view=nobody&assignee_id=none&status=new,open,waiting&sort=due_at")
    assert page.inner_text("#count-nobody") == "2"
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.wait_for_selector("#toasts >> text=is yours")
    page.wait_for_selector("text=Scratch on panel", state="detached")
    with shop.work() as session:
        assert TicketService(session).get(ticket_id).assignee_id == shop.owner.member_id
    assert not window.problems


def test_what_is_typed_is_found_again(open_window: Open, shop: Shop, address: str, ticket_id: str) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/tickets/{ticket_id}")
    page.fill("#composer-text", "Half an answer")
    with page.expect_response("**/drafts/*"):
        pass
    window.go(f"{address}/tickets/{ticket_id}")
    assert page.input_value("#composer-text").strip() == "Half an answer"


def test_weights_are_within_budget(open_window: Open, shop: Shop, address: str, ticket_id: str) -> None:
    window = signed_in(open_window("desk"), shop, address)
    window.go(f"{address}/tickets?view=all")
    assert window.weight() <= 160 * KIB
    window.page.click("text=Scratch on panel")
    window.rest()
    assert window.weight() <= 15 * KIB
