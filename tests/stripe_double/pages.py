"""Stand-ins for the pages that Stripe hosts: plain forms that a browser test can press."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from tests.stripe_double import intents, invoice_payments, setup_intents
from tests.stripe_double.errors import Refusal, missing
from tests.stripe_double.payment_methods import BEHAVIOUR
from tests.stripe_double.world import Obj, World

Form = dict[str, str]
PAGES: list[tuple[re.Pattern[str], Callable[..., Response]]] = []


def page(path: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Give a page an address; it answers both GET and the POST of its own form."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + r"\Z")

    def add(function: Callable[..., Response]) -> Callable[..., Response]:
        PAGES.append((pattern, function))
        return function

    return add


def answer(world: World, request: Request) -> Response:
    """Show a page or carry out its form; what is refused is shown on it."""
    world.run_due(None, world.now())
    for pattern, function in PAGES:
        if match := pattern.match(request.path):
            form = dict(request.form) if request.method == "POST" else None
            try:
                return function(world, form, **match.groupdict())
            except Refusal as refusal:
                return shown("Refused", f"<p role=alert>{html.escape(str(refusal))}</p>", refusal.status)
    return shown("Not found", "<p>The double has no such page.</p>", 404)


def shown(title: str, body: str, status: int = 200) -> Response:
    """Wrap a page; each says that it is a stand-in."""
    text = (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{html.escape(title)}</title><main><h1>{html.escape(title)}</h1>"
        f"<p>Stand-in page of the Stripe double. No money moves.</p>{body}</main></html>"
    )
    return Response(text, status, content_type="text/html; charset=utf-8")


def card_form(button: str, alert: str = "", more: str = "") -> str:
    """Offer Stripe's test cards in a list."""
    options = "".join(f"<option>{name}</option>" for name in BEHAVIOUR)
    message = f"<p role=alert>{html.escape(alert)}</p>" if alert else ""
    return (
        f"{message}<form method=post>{more}<label>Card <select name=card>{options}</select></label> "
        f"<button name=act value=pay>{html.escape(button)}</button></form>"
    )


def money(amount: int | None, currency: str | None) -> str:
    """Write an amount in minor units with its currency."""
    return f"{amount or 0} {(currency or '').upper()}"


def back(url: str | None, fallback: str) -> Response:
    """Send the person back to the application."""
    return redirect(url, 303) if url else shown("Done", f"<p>{html.escape(fallback)}</p>")


@page("/pages/authenticate/{intent}")
def authenticate(world: World, form: Form | None, intent: str) -> Response:
    """Stand in for the bank's 3-D Secure page: https://docs.stripe.com/payments/3d-secure."""
    found = world.objects.get(intent)
    if found is None or found["object"] not in ("payment_intent", "setup_intent"):
        raise missing("intent", intent)
    if form is None:
        body = "<form method=post><button name=act value=complete>Complete authentication</button> "
        return shown("3-D Secure", body + "<button name=act value=fail>Fail authentication</button></form>")
    following = (found.get("next_action") or {}).get("redirect_to_url") or {}
    passed = form.get("act") == "complete"
    if found["object"] == "payment_intent":
        status = intents.authenticate(world, found, passed)
    else:
        status = setup_intents.authenticate(world, found, passed)
    if then := found.get("_then"):
        then(world, found)
    return back(following.get("return_url"), f"{intent} is {status}.")


@page("/pages/invoice/{invoice}")
def invoice_page(world: World, form: Form | None, invoice: str) -> Response:
    """Stand in for the hosted invoice page: https://docs.stripe.com/invoicing/hosted-invoice-page."""
    found = world.get("invoice", invoice)
    due = money(found["amount_remaining"], found["currency"])
    title = f"Invoice {found['number']}"
    if found["status"] != "open":
        return shown(title, f"<p>Status: {found['status']}.</p>")
    if form is None:
        return shown(title, f"<p>Due: {due}</p>" + card_form("Pay"))
    try:
        invoice_payments.pay(world, found, form["card"], off_session=False, by_hand=True)
    except Refusal as refusal:
        return after_refusal(world, invoice_payments.intent_of(world, found), refusal, title)
    return shown(title, "<p>Status: paid.</p>")


@page("/pages/invoice/{invoice}/pdf")
def invoice_pdf(world: World, form: Form | None, invoice: str) -> Response:
    """Hand out something in the place of the PDF: https://docs.stripe.com/api/invoices/object#invoice_object-invoice_pdf."""
    found = world.get("invoice", invoice)
    return Response(f"%PDF-1.4 double {found['number']}", content_type="application/pdf")


def after_refusal(world: World, intent: Obj | None, refusal: Refusal, title: str) -> Response:
    """Go to 3-D Secure when the card asks for it, else show the refusal and the form again."""
    if intent and intent["status"] == "requires_action":
        return redirect(intent["next_action"]["redirect_to_url"]["url"], 303)
    return shown(title, card_form("Pay", str(refusal)), 402)
