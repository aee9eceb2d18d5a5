"""Items of a subscription: one for seats and one for each paid add-on, with the steps to what is wanted of them.

An add-on is known by the lookup key of its price; the plugin's name in the metadata is for people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from billing import addon_prices, quantities
from billing.quantities import QuantityStep
from billing.snapshot import SubscriptionState
from billing.stripe import plain
from billing.stripe.words import Live, LiveAddon, Wanted, WantedAddon


def live_of(state: SubscriptionState) -> Live:
    """Return the running subscription with its items."""
    seat = plain.seat_item(state.raw)
    return Live(
        subscription_id=state.provider_id,
        item_id=str(seat.get("id", "")),
        seats=state.seats,
        plan=state.plan,
        trialing=state.status == "trialing",
        interval=state.interval,
        since=state.period_start,
        addons=live_addons(state.raw),
        meters=plain.meter_items(state.raw),
    )


def live_addons(found: Mapping[str, Any]) -> tuple[LiveAddon, ...]:
    """Return the add-ons of a subscription as Stripe has them."""
    return tuple(
        LiveAddon(
            slug=slug,
            item_id=str(item["id"]),
            quantity=int(item.get("quantity") or 0),
            price_id=str((item.get("price") or {}).get("id", "")),
            marked=(item.get("metadata") or {}).get("plugin") == slug,
        )
        for slug, _version, item in plain.addon_items(found)
    )


def steps(live: Live, wanted: Wanted, floor: int, paid: Mapping[str, int]) -> list[QuantityStep]:
    """Return the steps to what is wanted: first what costs nothing, then the rest, which is charged at once.

    :param floor: seats that are paid until the end of the period.
    :param paid: how often each add-on is.
    """
    seats = quantities.steps(live.seats, wanted.seats if live.trialing else floor, wanted.seats)
    if wanted.addons is None:
        if (live.plan, live.interval) != (wanted.plan, wanted.interval):
            return [QuantityStep(quantity=wanted.seats, charge=not live.trialing)]
        return seats
    now = {one.slug: one.quantity for one in live.addons}
    final = {one.slug: one.quantity for one in wanted.addons}
    if (live.plan, live.interval) != (wanted.plan, wanted.interval):
        return [QuantityStep(quantity=wanted.seats, charge=not live.trialing, addons=final)]
    floors = {slug: max(now.get(slug, 0), paid.get(slug, 0)) for slug in final}
    free = final if live.trialing else {slug: min(number, floors[slug]) for slug, number in final.items()}
    free = {slug: number for slug, number in free.items() if number}
    free_seats = next((step.quantity for step in seats if not step.charge), live.seats)
    found = []
    if (free_seats, free) != (live.seats, now):
        found.append(QuantityStep(quantity=free_seats, charge=False, addons=free))
    if (wanted.seats, final) != (free_seats, free):
        found.append(QuantityStep(quantity=wanted.seats, charge=True, addons=final))
    return found


def as_it_was(before: Live) -> QuantityStep:
    """Return the step back to a subscription as it was, which costs nothing."""
    had = {one.slug: one.quantity for one in before.addons}
    return QuantityStep(quantity=before.seats, charge=False, addons=had)


def asked(
    live: Live, wanted: Wanted, step: QuantityStep, price: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Return the items as a step asks for them; what a step does not name stays as it is.

    :param price: returns Stripe's id of a price by its lookup key.
    """
    found: list[dict[str, Any]] = [
        {"id": live.item_id, "quantity": step.quantity, "price": price(wanted.price_key)}
    ]
    if step.addons is None or wanted.addons is None:
        return found
    there = {one.slug: one for one in live.addons}
    found += [{"id": one.item_id, "deleted": True} for one in live.addons if one.slug not in step.addons]
    for one in wanted.addons:
        number = step.addons.get(one.slug)
        if number is None:
            continue
        item, price_id = there.get(one.slug), price(one.price_key)
        if item is None:
            found.append({"price": price_id, "quantity": number})
        elif (item.quantity, item.price_id) != (number, price_id):
            found.append({"id": item.item_id, "price": price_id, "quantity": number})
        found += _meters(live, one, price)
    return found


def _meters(live: Live, wanted: WantedAddon, price: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the items for what an add-on counts.

    They stay when the add-on is taken off the bill, so that what is used until the period ends is billed; without
    use they cost nothing.
    """
    found: list[dict[str, Any]] = []
    for key in wanted.meters:
        named, price_id = addon_prices.of_lookup_key(key), price(key)
        item_id, old = live.meters.get((wanted.slug, named[2] if named else ""), ("", ""))
        if not item_id:
            found.append({"price": price_id})
        elif old != price_id:
            found.append({"id": item_id, "price": price_id})
    return found


def end_of(step: QuantityStep) -> str:
    """Return a short name of a step's end, for its key: whoever goes on after a crash asks for the same one."""
    if not step.addons:
        return str(step.quantity)
    text = ",".join(f"{slug}={number}" for slug, number in sorted(step.addons.items()))
    return f"{step.quantity}:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def after(live: Live, found: Mapping[str, Any]) -> Live:
    """Return what runs after a step, as Stripe answered it."""
    return replace(live, addons=live_addons(found), meters=plain.meter_items(found))
