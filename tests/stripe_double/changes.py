"""What a change of items, cycle or trial costs: https://docs.stripe.com/billing/subscriptions/prorations."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.stripe_double import amounts, invoices, lifecycle, lines
from tests.stripe_double.dates import add_interval
from tests.stripe_double.errors import invalid
from tests.stripe_double.lines import Span
from tests.stripe_double.meters import line, metered
from tests.stripe_double.subscriptions import MAX_ITEMS, price_of
from tests.stripe_double.world import Obj, World


@dataclass
class Target:
    """One item as it will be; ``item`` is None for a new one, ``quantity`` None for one that goes."""

    item: Obj | None
    price: Obj
    quantity: int | None
    given: Obj = field(default_factory=dict)


@dataclass
class Change:
    """A change worked out but not made."""

    targets: list[Target]
    behaviour: str
    since: int
    span: Span
    resets: bool
    trial_end: int | None = None
    prorations: list[Obj] = field(default_factory=list)
    periods: list[Obj] = field(default_factory=list)

    @property
    def invoices_now(self) -> bool:
        """Say whether an invoice is made at once."""
        return bool(self.periods) or (self.behaviour == "always_invoice" and bool(self.prorations))


def work_out(world: World, subscription: Obj, p: Obj) -> Change:
    """Work out what an update would do and cost."""
    now = world.now(subscription)
    since = p.get("proration_date", now)
    span = lifecycle.span_of(world, subscription)
    targets = _targets(world, subscription, p.get("items") or [])
    rhythm = {
        (t.price["recurring"]["interval"], t.price["recurring"]["interval_count"]) for t in _kept(targets)
    }
    if not rhythm:
        raise invalid("A subscription must have at least one active plan.", "items")
    if len(rhythm) > 1:
        raise invalid("The double does not know subscriptions of mixed intervals.", "items")
    if len(_kept(targets)) > MAX_ITEMS:
        raise invalid(f"Subscriptions have at most {MAX_ITEMS} items.", "items")
    old = world.objects[world.objects[subscription["_items"][0]]["price"]]["recurring"]
    interval = next(iter(rhythm))
    trialing = subscription["status"] == "trialing"
    ends_trial = trialing and p.get("trial_end") == "now"
    # A new interval, an anchor of now and the end of a trial begin a period and bill it at once:
    # https://docs.stripe.com/billing/subscriptions/change-price#changing-billing-intervals
    resets = (
        interval != (old["interval"], old["interval_count"])
        or p.get("billing_cycle_anchor") == "now"
        or ends_trial
    ) and not (trialing and not ends_trial)
    behaviour = p.get("proration_behavior", "create_prorations")
    change = Change(targets, behaviour, since, span, resets)
    if isinstance(p.get("trial_end"), int):
        change.trial_end = p["trial_end"]
    if behaviour != "none" and not trialing:
        change.prorations = _prorations(world, subscription, change)
    if resets:
        change.periods, change.span = _periods(world, subscription, change, now, interval)
    return change


def _kept(targets: list[Target]) -> list[Target]:
    return [t for t in targets if t.quantity is not None]


def _targets(world: World, subscription: Obj, given: list[Obj]) -> list[Target]:
    """Match the request's items with the subscription's: by id, by price, or new."""
    found = {i: world.objects[i] for i in subscription["_items"]}
    # A metered item has no quantity; nought stands for that here, since None is for an item that goes.
    targets = {i: Target(o, world.objects[o["price"]], o["quantity"] or 0) for i, o in found.items()}
    fresh: list[Target] = []
    for one in given:
        identifier = one.get("id")
        if identifier is not None and identifier not in targets:
            raise invalid(f"No such subscription item: '{identifier}'", "items[id]", "resource_missing")
        if identifier is None:
            price = price_of(world, one)
            if price["id"] in {t.price["id"] for t in targets.values()}:
                message = "Cannot add multiple subscription items with the same price."
                raise invalid(message, "items[price]")
            fresh.append(Target(None, price, 0 if metered(price) else one.get("quantity", 1), one))
            continue
        target = targets[identifier]
        target.given = one
        if one.get("deleted"):
            target.quantity = None
            continue
        if "price" in one or "price_data" in one:
            target.price = price_of(world, one)
        target.quantity = one.get("quantity", target.quantity)
    for target in [*targets.values(), *fresh]:
        amounts.exact(target.price, subscription["currency"], target.quantity or 0)
    return [*targets.values(), *fresh]


def _prorations(world: World, subscription: Obj, change: Change) -> list[Obj]:
    """Credit what is unused and charge what remains, item by item that changes."""
    bill = invoices.bill_of(world, subscription)
    made = []
    for target in change.targets:
        item = target.item
        if (
            item
            and target.price["id"] == item["price"]
            and target.quantity == item["quantity"]
            and not change.resets
        ):
            continue
        if metered(target.price) or (item and metered(world.objects[item["price"]])):
            if item:  # https://docs.stripe.com/billing/subscriptions/usage-based/manage-billing-setup
                used = Span(lifecycle.span_of(world, subscription).start, world.now(subscription))
                made.append(line(world, bill, item, world.objects[item["price"]], used))
            continue
        if item:
            old = world.objects[item["price"]]
            span, quantity = lifecycle.span_of(world, subscription), item["quantity"]
            made.append(lines.proration(world, bill, item, old, quantity, change.since, span, True))
        if target.quantity is not None and not change.resets:
            subject = item or {"id": "si_new", "_tax_rates": target.given.get("tax_rates")}
            made.append(
                lines.proration(
                    world, bill, subject, target.price, target.quantity, change.since, change.span, False
                )
            )
    return made


def _periods(
    world: World, subscription: Obj, change: Change, now: int, interval: tuple[str, int]
) -> tuple[list[Obj], Span]:
    bill, span = invoices.bill_of(world, subscription), Span(now, add_interval(now, *interval, None))
    made = []
    for target in _kept(change.targets):
        if metered(target.price):
            continue
        subject = target.item or {"id": "si_new", "_tax_rates": target.given.get("tax_rates")}
        made.append(lines.period(world, bill, subject, target.price, target.quantity or 0, span))
    return made, span
