"""Fills a database for measuring: 200 tenants, one of them with many customers and all that hangs on them."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from flask import Flask

from kehu.core.context import TenantInfo
from kehu.core.ids import new_id
from kehu.core.search_terms import terms
from kehu.core.text import fold
from kehu.testkit.fixtures import Shop, make_shop

NOW = dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC)
FIRST = (
    "North South East West Harbour Tide Oak Elm Copper Silver Kestrel Heron Juniper Redwood Quarry Ferry Paper"
).split()
SECOND = "wind water field stone bridge gate lane mill port wood yard works light ford".split()
TRADE = "Joinery Bakery Optics Tutors Marine Cycles Dental Vets Catering Studio Electrical Landscaping Builders".split()
CHINESE = "上海 北京 明德 光点 华强 贸易 设计 科技 建筑 物流".split()
RUSSIAN = "Самара Логистик Волга Строй Север Торг Мебель Сервис Восток Групп".split()
INDUSTRIES = "Retail Trade Crafts Health Education Transport Food Marine".split()
STAGES = 6
BOARD_CARDS = 200


@dataclass
class Filled:
    """What the measuring needs to know of a filled tenant."""

    shop: Shop
    token: str
    sample: list[uuid.UUID]
    board: uuid.UUID


def _name(rng: random.Random, number: int) -> str:
    if number % 10 == 3:
        return "".join(rng.sample(CHINESE, 3))
    if number % 10 == 7:
        return " ".join(rng.sample(RUSSIAN, 2))
    return f"{rng.choice(FIRST)}{rng.choice(SECOND)} {rng.choice(TRADE)} {number % 9973}"


def _copy(
    cursor: psycopg.Cursor[Any], table: str, columns: Iterable[str], rows: Iterator[tuple[Any, ...]]
) -> None:
    names = ", ".join(columns)
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


class Filler:
    """Fills one tenant as the owner role, past the services: a bench needs rows, not rights."""

    def __init__(self, connection: psycopg.Connection[Any], shop: Shop, customers: int) -> None:
        self.cursor = connection.cursor()
        self.shop, self.count = shop, customers
        self.tenant: TenantInfo = shop.tenant
        self.rng = random.Random(customers)
        self.ids = [new_id() for _number in range(customers)]

    def fill(self) -> None:
        """Write customers with terms, activities, the trail, and deals."""
        self.owners = self._members()
        _copy(self.cursor, "customers", _CUSTOMER, self._customers())
        _copy(self.cursor, "search_terms", ("tenant_id", "kind", "term", "record_id"), self._terms())
        _copy(self.cursor, "activities", _ACTIVITY, self._activities())
        _copy(self.cursor, "audit_entries", _AUDIT, self._audit())
        self._deals()
        self.cursor.execute(
            "INSERT INTO counters (tenant_id, name, value) VALUES (%s, 'customers', %s) "
            "ON CONFLICT (tenant_id, name) DO UPDATE SET value = excluded.value",
            (self.tenant.id, self.count + 1000),
        )

    def _members(self) -> list[uuid.UUID]:
        rows = self.cursor.execute(
            "SELECT id FROM members WHERE tenant_id = %s", (self.tenant.id,)
        ).fetchall()
        return [row[0] for row in rows]

    def _customers(self) -> Iterator[tuple[Any, ...]]:
        for number, customer in enumerate(self.ids):
            name = _name(self.rng, number)
            mail, phone = f"info{number}@{fold(name).split()[0]}.example", f"+4420{79460000 + number:08d}"
            yield (
                self.tenant.id,
                customer,
                "company",
                number + 1,
                name,
                fold(name),
                ("prospect", "existing")[number % 2],
                "ABC"[number % 3],
                INDUSTRIES[number % 8],
                "Leeds",
                "GB",
                "GBP",
                json.dumps([{"label": "", "address": mail}]),
                mail,
                json.dumps([{"label": "", "number": phone}]),
                phone,
                "[]",
                ["Wholesale"] if number % 5 == 0 else [],
                self.rng.choice(self.owners),
                NOW - dt.timedelta(minutes=number),
                NOW - dt.timedelta(minutes=number),
            )

    def _terms(self) -> Iterator[tuple[Any, ...]]:
        rng = random.Random(self.count)
        for number, customer in enumerate(self.ids):
            name = _name(rng, number)
            rng.choice(self.owners)
            parts = [
                ("name", name),
                ("code", str(number + 1)),
                ("email", f"info{number}@{fold(name).split()[0]}.example"),
                ("phone", f"+4420{79460000 + number:08d}"),
            ]
            if number % 5 == 0:
                parts.append(("tag", "Wholesale"))
            for term in terms(parts):
                yield self.tenant.id, "customers", term, customer

    def _activities(self) -> Iterator[tuple[Any, ...]]:
        for number, customer in enumerate(self.ids):
            for turn in range(1 if number % 20 else 12):
                at = NOW - dt.timedelta(days=turn, minutes=number)
                yield (
                    self.tenant.id,
                    new_id(),
                    ("call", "note", "mail", "meeting")[turn % 4],
                    "Talked about delivery",
                    "talked about delivery",
                    "Call back on Thursday.",
                    at,
                    at,
                    customer,
                    self.owners[0],
                    at,
                    at,
                )

    def _audit(self) -> Iterator[tuple[Any, ...]]:
        for number, customer in enumerate(self.ids):
            for action in ("created",) if number % 20 else ("created", "updated", "updated", "updated"):
                yield (
                    self.tenant.id,
                    new_id(),
                    NOW,
                    new_id(),
                    "member",
                    self.owners[0],
                    "Mira Sol",
                    "web",
                    "bench",
                    "customers",
                    customer,
                    action,
                    "Customer",
                    json.dumps({"industry": [None, "Retail"]}),
                    1,
                    customer,
                )

    def _deals(self) -> None:
        found = self.cursor.execute(
            "SELECT s.id, s.pipeline_id, s.outcome FROM stages s JOIN pipelines p "
            "ON p.tenant_id = s.tenant_id AND p.id = s.pipeline_id AND p.is_default "
            "WHERE s.tenant_id = %s ORDER BY s.position",
            (self.tenant.id,),
        ).fetchall()
        self.board = found[0][1]

        def rows() -> Iterator[tuple[Any, ...]]:
            for number in range(BOARD_CARDS):
                stage, pipeline, outcome = found[number % STAGES]
                yield (
                    self.tenant.id,
                    new_id(),
                    number + 1,
                    f"Maintenance contract {number}",
                    f"maintenance contract {number}",
                    self.ids[number % len(self.ids)],
                    pipeline,
                    stage,
                    NOW,
                    120_000 + number,
                    "GBP",
                    outcome,
                    NOW if outcome != "open" else None,
                    "price" if outcome == "lost" else None,
                    f"a{number:05d}",
                    self.owners[0],
                    [],
                )

        _copy(self.cursor, "deals", _DEAL, rows())


_CUSTOMER = (
    "tenant_id id kind number name name_norm type_class value_class industry region country currency emails email_norm "
    "phones phone_norm addresses tags owner_id created_at updated_at"
).split()
_ACTIVITY = (
    "tenant_id id kind subject subject_norm body due_at done_at customer_id owner_id created_at updated_at"
).split()
_AUDIT = (
    "tenant_id id at batch_id actor_kind member_id actor_name source request_id object record_id action title changes "
    "version customer_id"
).split()
_DEAL = (
    "tenant_id id number name name_norm customer_id pipeline_id stage_id stage_since amount currency status closed_at "
    "lost_reason rank owner_id tags"
).split()


def fill(app: Flask, owner_url: str, sizes: dict[str, int], tenants: int) -> dict[str, Filled]:
    """Fill the named tenants to their sizes, and as many more with a few customers.

    :returns: the named ones.
    """
    filled: dict[str, Filled] = {}
    with psycopg.connect(owner_url) as connection:
        for label, size in [
            *sizes.items(),
            *((f"small {number}", 20) for number in range(tenants - len(sizes))),
        ]:
            shop = make_shop(app, name=f"Bench {label}")
            if label in sizes:
                for number in range(5):
                    shop.member("member", name=f"Seller {number}")
            filler = Filler(connection, shop, size)
            filler.fill()
            connection.commit()
            if label in sizes:
                filled[label] = Filled(
                    shop=shop, token=shop.token(), sample=filler.ids[::20][:400], board=filler.board
                )
        connection.autocommit = True
        connection.execute("VACUUM (ANALYZE)")
    return filled
