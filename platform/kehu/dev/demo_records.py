"""The records of the demo firm: through the services, with a past that the services alone would not give."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.activities.services import ActivityService
from kehu.core import audit, clock, context
from kehu.core.records.service import RecordService
from kehu.core.text import fold
from kehu.customers.services import ContactService, CustomerService
from kehu.deals.models import Stage
from kehu.deals.setup_services import ProductService
from kehu.dev import demo_words as words
from kehu.members.models import Member
from kehu.views.services import ViewService

SEED = 1966
DAY = dt.timedelta(days=1)


@dataclass
class Demo:
    """What the parts of the demo share while it is made."""

    session: Session
    people: Sequence[Member]
    now: dt.datetime
    rng: random.Random
    customers: list[Any] = field(default_factory=list)
    contacts: list[Any] = field(default_factory=list)
    deals: list[Any] = field(default_factory=list)
    stages: dict[str, Stage] = field(default_factory=dict)

    def ago(self, days: float) -> dt.datetime:
        """Return a working hour so many days ago (a negative number lies ahead)."""
        hour, minute = self.rng.randrange(8, 17), self.rng.choice((0, 15, 30, 45))
        moment = self.now - dt.timedelta(days=days)
        moment = moment.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return moment if days < 0 else min(moment, self.now - dt.timedelta(minutes=20))

    def sellers(self) -> list[Member]:
        """Return those who own customers and deals; the two who can sign in own more."""
        return [self.people[at] for at in (0, 0, 1, 1, 1, 2, 3, 4, 7, 8)]

    def name_of(self, member_id: object) -> str:
        """Return a member's name; what nobody owns is the owner's work."""
        return next((person.name for person in self.people if person.id == member_id), self.people[0].name)

    def contact_of(self, customer_id: object) -> Any:
        """Return a contact of a customer, or None."""
        found = [one for one in self.contacts if one.customer_id == customer_id]
        return self.rng.choice(found) if found else None


def fill(session: Session, people: Sequence[Member]) -> None:
    """Fill the present tenant."""
    from kehu.dev import demo_deals, demo_tickets

    dice = random.Random(SEED)  # noqa: S311 - the same each time; nothing secret hangs on it
    demo = Demo(session=session, people=people, now=clock.now(), rng=dice)
    demo.stages = {stage.name: stage for stage in session.execute(select(Stage)).scalars()}
    products = _products(demo)
    _customers(demo)
    _contacts(demo)
    demo_deals.fill(demo, products)
    _activities(demo)
    demo_tickets.fill(demo)
    views = ViewService(session)
    for name, title, query in words.VIEWS:
        views.create(name, title, query, [], shared=name != "contacts")


def write(
    service: RecordService[Any],
    rows: Sequence[Mapping[str, Any]],
    shape: Callable[[Any, int], dt.datetime],
    demo: Demo,
) -> list[Any]:
    """Create records as they were created in the past.

    :param shape: sets on a new record what the service can't know, and returns when it was created.
    """
    usual = service.prepare_new
    born: dict[Any, dt.datetime] = {}

    def prepare_new(records: Sequence[Any]) -> None:
        usual(records)
        for at, record in enumerate(records):
            born[record.id] = record.created_at = shape(record, at)
            record.updated_at = record.updated_at or record.created_at
            record.created_by = getattr(record, service.type.owner or "created_by")

    service.prepare_new = prepare_new  # type: ignore[method-assign]
    with audit.gathered(demo.session):
        outcomes = service.create_many(rows)
        wrong = [outcome.errors for outcome in outcomes if outcome.record is None]
        if wrong:
            raise ValueError(f"The demo's {service.type.name} are wrong: {wrong[0]}")
        made: list[Any] = [outcome.record for outcome in outcomes]
        owners = {record.id: record.created_by for record in made}
        # The trail still waits in the session, so it can be told when the thing happened, and by whom.
        for entry in demo.session.info["audit_rows"]:
            member_id = owners[entry["record_id"]]
            entry |= {
                "at": born[entry["record_id"]],
                "member_id": member_id,
                "actor_name": demo.name_of(member_id),
            }
            if entry["object"] == "deals":
                entry["changes"] = {**entry["changes"], "stage_id": [None, str(demo.stages["New"].id)]}
    demo.session.flush()  # Before others are born in the same way.
    return made


def _products(demo: Demo) -> list[Any]:
    rows = [
        {"name": name, "code": code, "series": series, "price": {"minor": price}}
        for name, code, series, price in words.PRODUCTS
    ]
    return write(ProductService(demo.session), rows, lambda _record, at: demo.ago(700 - at), demo)


def _domain(name: str) -> str:
    bare = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in fold(name))
    return "-".join(part for part in bare.split("-") if part)


def _customers(demo: Demo) -> None:
    rng = demo.rng
    pairs = rng.sample(list(itertools.product(words.FIRSTS, words.TRADES)), 84)
    rows = [_english_firm(demo, first, trade, industry) for first, (trade, industry) in pairs]
    for at, name in enumerate(words.CHINESE):
        rows.append(_foreign_firm(demo, name, f"+86 21 5550 {1000 + at}", f"cn{at + 1}.example", "CN"))
    for at, name in enumerate(words.RUSSIAN):
        rows.append(
            _foreign_firm(demo, name, f"+7 495 555 {10 + at:02} {20 + at:02}", f"ru{at + 1}.example", "RU")
        )
    rng.shuffle(rows)

    def shape(record: Any, at: int) -> dt.datetime:
        created = demo.ago(rng.randrange(80, 760))
        record.updated_at = created + (demo.now - created) * (rng.random() if at % 4 else 0.2)
        return created

    demo.customers = write(CustomerService(demo.session), rows, shape, demo)


def _english_firm(demo: Demo, first: str, trade: str, industry: str) -> dict[str, Any]:
    rng, name = demo.rng, f"{first} {trade}"
    town, postcode, phone = rng.choice(words.TOWNS)
    return {
        **_about(demo),
        "name": name,
        "industry": industry,
        "country": "GB",
        "emails": f"hello@{_domain(name)}.example",
        "phones": f"{phone}{rng.randrange(100, 999)}",
        "website": f"https://{_domain(name)}.example",
        "addresses": [
            {
                "street": f"{rng.randrange(1, 90)} {rng.choice(words.STREETS)}",
                "postcode": postcode,
                "city": town,
                "country": "GB",
            }
        ],
        "employees": rng.choice((3, 6, 9, 14, 22, 40, 85, 160)),
    }


def _foreign_firm(demo: Demo, name: str, phone: str, domain: str, country: str) -> dict[str, Any]:
    return {**_about(demo), "name": name, "country": country, "emails": f"info@{domain}", "phones": phone}


def _about(demo: Demo) -> dict[str, Any]:
    rng = demo.rng
    return {
        "type_class": rng.choices(("existing", "prospect", "partner", "supplier"), (55, 33, 7, 5))[0],
        "value_class": rng.choices(("A", "B", "C", None), (18, 30, 30, 22))[0],
        "owner_id": rng.choice(demo.sellers()).id,
        "tags": rng.sample(words.TAGS, rng.choice((0, 0, 1, 1, 2))),
    }


def _contacts(demo: Demo) -> None:
    rng, rows = demo.rng, []
    names = rng.sample(list(itertools.product(words.GIVEN, words.FAMILY)), 140)
    for at, customer in enumerate(demo.customers):
        for nth in range(1 + at % 2):
            if customer.country == "CN":
                name = words.CHINESE_PEOPLE[(at + nth * 5) % len(words.CHINESE_PEOPLE)]
            elif customer.country == "RU":
                name = words.RUSSIAN_PEOPLE[(at + nth * 5) % len(words.RUSSIAN_PEOPLE)]
            else:
                name = " ".join(names.pop())
            address = customer.emails[0]["address"].partition("@")[2]
            local = ".".join(fold(name).split()) if name.isascii() else f"contact{at}{nth}"
            rows.append(
                {
                    "name": name,
                    "customer_id": customer.id,
                    "job_title": rng.choice(words.JOBS),
                    "owner_id": customer.owner_id,
                    "emails": f"{local}@{address}",
                    "phones": customer.phones[0]["number"] if nth == 0 else "",
                }
            )
    demo.contacts = write(
        ContactService(demo.session), rows, lambda _record, _at: demo.ago(rng.randrange(60, 700)), demo
    )


def _activities(demo: Demo) -> None:
    """Write what was done in the past year, and what is planned around today."""
    rows = [_done(demo) for _turn in range(215)] + _planned(demo)

    def shape(record: Any, _at: int) -> dt.datetime:
        end: dt.datetime = record.done_at or demo.ago(demo.rng.randrange(1, 12))
        return end

    write(ActivityService(demo.session), rows, shape, demo)


def _done(demo: Demo) -> dict[str, Any]:
    rng = demo.rng
    # A quarter of the customers is left alone, so that the home page has somebody to name.
    deal = rng.choice(demo.deals) if rng.random() < 0.6 else None
    customer = rng.choice(demo.customers[30:])
    kind = rng.choices(("call", "mail", "meeting", "visit", "note", "task"), (34, 20, 12, 8, 18, 8))[0]
    latest = demo.now if deal is None else (deal.closed_at or demo.now)
    earliest = demo.now - 300 * DAY if deal is None else deal.created_at
    moment = earliest + max(latest - earliest, DAY) * rng.random()
    moment = min(moment, demo.now - dt.timedelta(hours=3)).replace(second=0, microsecond=0)
    row: dict[str, Any] = {
        "kind": kind,
        "done_at": moment,
        "owner_id": deal.owner_id if deal else customer.owner_id,
        "deal_id": deal.id if deal else None,
        "customer_id": deal.customer_id if deal else customer.id,
    }
    if kind == "note":
        return {**row, "body": rng.choice(words.NOTES)}
    if kind == "call":
        row |= {"outcome": rng.choice(words.OUTCOMES), "minutes": rng.randrange(2, 35)}
    return {**row, "subject": rng.choice(words.STEPS[kind])}


def _planned(demo: Demo) -> list[dict[str, Any]]:
    rng, rows = demo.rng, []
    today = clock.now().astimezone(context.tenant().tz)
    for at, deal in enumerate(deal for deal in demo.deals if deal.status == "open"):
        if at % 4 == 3:
            continue  # These deals have no next step, and say so.
        days = (-3, -1, 0, 0, 1, 2, 4, 7, 12)[at % 9]
        kind = rng.choice(("call", "mail", "meeting", "visit", "task"))
        due = (today + days * DAY).replace(
            hour=rng.randrange(9, 17), minute=rng.choice((0, 30)), second=0, microsecond=0
        )
        rows.append(
            {
                "kind": kind,
                "subject": rng.choice(words.STEPS[kind]),
                "due_at": due,
                "deal_id": deal.id,
                "owner_id": deal.owner_id,
            }
        )
    for person in demo.people[:6]:
        for days in (-1, 0, 0, 1, 3, 6):
            kind = rng.choice(("call", "task"))
            due = (today + days * DAY).replace(hour=rng.randrange(9, 17), minute=0, second=0, microsecond=0)
            customer = rng.choice(demo.customers)
            rows.append(
                {
                    "kind": kind,
                    "subject": rng.choice(words.STEPS[kind]),
                    "due_at": due,
                    "customer_id": customer.id,
                    "owner_id": person.id,
                }
            )
    return rows
