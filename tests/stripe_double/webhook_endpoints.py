"""Webhook endpoints: https://docs.stripe.com/api/webhook_endpoints."""

from __future__ import annotations

from tests.stripe_double.delivery import TARGETS, Endpoint
from tests.stripe_double.errors import invalid
from tests.stripe_double.fields import only, put_metadata
from tests.stripe_double.routes import render, route
from tests.stripe_double.sdk import API_VERSION
from tests.stripe_double.world import Obj, World


@route("POST /v1/webhook_endpoints", "WebhookEndpointCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Create an endpoint; its secret is shown this once: https://docs.stripe.com/api/webhook_endpoints/create."""
    only(p, ("url", "enabled_events", "api_version", "description", "metadata"))
    if p.get("api_version", API_VERSION) != API_VERSION:
        raise invalid(f"This double sends events of API version {API_VERSION} only.", "api_version")
    secret = world.name("whsec")
    made = world.new(
        "webhook_endpoint",
        "we",
        api_version=p.get("api_version"),
        created=world.now(),
        description=p.get("description"),
        enabled_events=p["enabled_events"],
        metadata={},
        secret=secret,
        status="enabled",
        url=p["url"],
    )
    put_metadata(made, p)
    TARGETS[made["id"]] = Endpoint(p["url"], [secret], p["enabled_events"])
    return dict(made, _fresh=True)


@render("webhook_endpoint")
def _render(world: World, shown: Obj) -> Obj:
    if not shown.pop("_of").get("_fresh"):
        shown.pop("secret")
    return shown


@route("GET /v1/webhook_endpoints", "WebhookEndpointListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List endpoints: https://docs.stripe.com/api/webhook_endpoints/list."""
    return world.page("webhook_endpoint", p)


@route("DELETE /v1/webhook_endpoints/{endpoint}", "WebhookEndpointDeleteParams")
def delete(world: World, p: Obj, endpoint: str) -> Obj:
    """Delete an endpoint: https://docs.stripe.com/api/webhook_endpoints/delete."""
    TARGETS.pop(endpoint, None)
    return world.drop(world.get("webhook_endpoint", endpoint, "webhook_endpoint"))
