"""The deals of the demo firm: two years of closed ones, an open pipeline, and how each went through it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from kehu.core import audit
from kehu.deals import ranks
from kehu.deals.services import DealService
from kehu.dev import demo_words as words
from kehu.dev.demo_records import DAY, Demo, write

OPEN = (("New", 13, 6), ("Qualified", 15, 12), ("Proposal sent", 15, 18), ("Negotiation", 10, 20))
"""Stage, how many deals, up to how many days in it."""
MONTHS = 25
CRITERIA = {
    "New": "We know what they need and who decides",
    "Qualified": "Measured on site, budget agreed",
    "Proposal sent": "They have read the offer and answered",
    "Negotiation": "Signed order and deposit",
}


def fill(demo: Demo, products: Sequence[Any]) -> None:
    """Write the deals."""
    for name, criteria in CRITERIA.items():
        demo.stages[name].exit_criteria = criteria
    plans = [*_closed(demo), *_open(demo)]
    rows = [_row(demo, plan, products) for plan in plans]

    def shape(record: Any, at: int) -> dt.datetime:
        plan = plans[at]
        record.opened_on = plan["created"].date()
        record.stage_since, record.updated_at = plan["since"], plan["since"]
        record.rank = ranks.top(plan["since"], at)
        if record.status != "open":
            record.closed_at = plan["since"]
        return plan["created"]  # type: ignore[no-any-return]

    demo.deals = write(DealService(demo.session), rows, shape, demo)
    for deal, plan in zip(demo.deals, plans, strict=True):
        _moves(demo, deal, plan)
    demo.session.flush()  # The moves are part of the story from here on.


def _closed(demo: Demo) -> list[dict[str, Any]]:
    """Plan won and lost deals: more each month, fewer in summer."""
    plans = []
    for back in range(MONTHS):
        day = demo.now - back * 30.4 * DAY
        quiet = 1 if day.month in (7, 8) else 0
        for nth in range(max(5 - back // 8 - quiet, 2) + back % 2):
            since = demo.ago(max(back * 30.4 + nth * 6.0 + 0.4, 0.4))
            outcome = "Won" if (back + nth) % 3 or not back + nth else "Lost"
            created = since - demo.rng.randrange(12, 70) * DAY
            plans.append({"stage": outcome, "since": since, "created": created})
    return plans


def _open(demo: Demo) -> list[dict[str, Any]]:
    plans = []
    for at, (name, count, longest) in enumerate(OPEN):
        for _turn in range(count):
            since = demo.ago(demo.rng.uniform(0.2, longest))
            plans.append(
                {"stage": name, "since": since, "created": since - (at * 9 + demo.rng.randrange(0, 34)) * DAY}
            )
    return plans


def _row(demo: Demo, plan: dict[str, Any], products: Sequence[Any]) -> dict[str, Any]:
    rng = demo.rng
    customer = rng.choice(demo.customers)
    titles = {"CN": words.CHINESE_DEALS, "RU": words.RUSSIAN_DEALS}.get(customer.country, words.DEALS)
    title, usual = rng.choice(titles)
    contact = demo.contact_of(customer.id)
    stage = demo.stages[plan["stage"]]
    # The past was smaller, three per cent a month, and the last weeks were good ones.
    growth = 0.97 ** ((demo.now - plan["since"]).days / 30.4)
    fresh = stage.outcome == "won" and (demo.now - plan["since"]).days < 21
    recent = 1.7 if fresh else 1.0
    minor = round(usual * rng.uniform(0.6, 1.5) * growth * recent / 5000) * 5000
    return {
        "name": title,
        "customer_id": customer.id,
        "contact_id": contact.id if contact else None,
        "stage_id": stage.id,
        "amount": {"minor": max(minor, 5000)},
        # The two who can sign in have something to show for the month.
        "owner_id": demo.people[len(demo.people) % 2 + round(minor / 5000) % 2].id
        if fresh
        else customer.owner_id,
        "source": rng.choice(words.SOURCES),
        "product_id": rng.choice(products).id if rng.random() < 0.4 else None,
        "lost_reason": rng.choice(words.LOST) if stage.outcome == "lost" else None,
        "expected_close": (plan["since"] + rng.randrange(10, 60) * DAY).date()
        if stage.outcome == "open"
        else None,
        "tags": rng.sample(words.TAGS, rng.choice((0, 0, 0, 1))),
    }


def _moves(demo: Demo, deal: Any, plan: dict[str, Any]) -> None:
    """Write the moves that brought a deal where it stands."""
    path = [demo.stages[name] for name, _count, _longest in OPEN]
    end = demo.stages[plan["stage"]]
    way = [*path[: path.index(end)], end] if end in path else [*path, end]
    span = plan["since"] - plan["created"]
    for at in range(1, len(way)):
        old, new = way[at - 1], way[at]
        action = {"open": "moved"}.get(new.outcome, new.outcome)
        entry = audit.write(
            demo.session,
            object="deals",
            record_id=deal.id,
            action=action,
            title=deal.name,
            changes={"stage_id": [str(old.id), str(new.id)]},
            version=1,
            customer_id=deal.customer_id,
        )
        entry.at = plan["created"] + span * at / (len(way) - 1)
        entry.member_id, entry.actor_name = deal.owner_id, demo.name_of(deal.owner_id)
