"""`python -m bench.fields`: lists by a firm's own fields beside the same lists by built-in ones.

One firm among 200 has 200,000 customers with 30 own fields each. Every request is a REST list of 50, in turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import Any

import psycopg

from bench.fill import Filled, fill
from bench.firm import fresh
from kehu.core.records.service import service_for

OWN = 30
LIMIT = 2.0
KINDS = ("choice", "text", "number", "date", "bool", "decimal")
"""The kinds of the thirty fields, in turns."""

VALUES = {
    # What a customer's value is, from its number n: as kept in the record, and as its index row holds it.
    "choice": ("to_jsonb('o' || mod(n, 8))", "'o' || mod(n, 8)"),
    "text": ("to_jsonb('Word ' || n)", "'word ' || n"),
    "number": ("to_jsonb(n)", "n"),
    "date": ("to_jsonb((date '2020-01-01' + mod(n, 2000)::int)::text)", "737425 + mod(n, 2000)"),
    "bool": ("to_jsonb(mod(n, 2) = 0)", "1 - mod(n, 2)"),
    "decimal": ("to_jsonb((n / 100.0)::text)", "n / 100.0"),
}
PAIRS = (
    ("a frequent choice (1 in 8)", "industry=Retail", "{choice}=o0"),
    ("the same, sorted by number", "industry=Retail&sort=number", "{choice}=o0&sort={number}"),
    ("a rare value (1 in all)", "number=777", "{number}=777"),
    ("sort by a text", "sort=name", "sort={text}"),
    ("sort by a text, down", "sort=-name", "sort=-{text}"),
    ("sort by a number", "sort=number", "sort={number}"),
    ("two frequent choices", "industry=Retail&type_class=prospect", "{choice}=o0&{bool}=true"),
)


def main() -> None:
    """Fill, measure in turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=40)
    chosen = parser.parse_args()
    with fresh() as (app, urls):
        started = time.perf_counter()
        filled = fill(app, urls.owner, {"large": chosen.customers}, chosen.tenants)["large"]
        keys = shape_firm(filled, urls.owner)
        print(
            f"filled {chosen.tenants} firms, {chosen.customers:,} customers with {OWN} own fields in one: "
            f"{time.perf_counter() - started:.0f} s"
        )
        measure(app, filled, keys, chosen.rounds)


def shape_firm(filled: Filled, owner_url: str) -> dict[str, str]:
    """Give a firm thirty own fields and every customer a value in each; return a key of each kind."""
    made: list[tuple[str, str, Any]] = []
    with filled.shop.work() as session:
        service = service_for("custom_fields", session)
        for number in range(OWN):
            kind = KINDS[number % len(KINDS)]
            options = "\n".join(f"o{option}" for option in range(8))
            values: dict[str, Any] = {"object": "customers", "label": f"{kind} {number}", "kind": kind}
            if kind == "choice":
                values["options"] = options
            field = service.create(values)
            made.append((kind, field.slot, field.id))
    tenant = filled.shop.tenant.id
    with psycopg.connect(owner_url, autocommit=True) as connection:
        parts = ", ".join(f"'{slot}', {VALUES[kind][0]}" for kind, slot, _id in made)
        connection.execute(
            f"UPDATE customers SET custom = jsonb_build_object('c', jsonb_build_object({parts})) "
            "FROM (SELECT id AS own_id, number::bigint AS n FROM customers WHERE tenant_id = %s) AS own "
            "WHERE tenant_id = %s AND id = own.own_id",
            (tenant, tenant),
        )
        for kind, _slot, field_id in made:
            column = "word" if kind in ("choice", "text") else "number"
            connection.execute(
                f"INSERT INTO custom_values (tenant_id, field_id, record_id, place, {column}) "
                f"SELECT tenant_id, %s, id, 0, {VALUES[kind][1]} "
                "FROM (SELECT tenant_id, id, number::bigint AS n FROM customers WHERE tenant_id = %s) AS own",
                (field_id, tenant),
            )
        connection.execute("VACUUM (ANALYZE)")
    keys: dict[str, str] = {}
    with filled.shop.work() as session:
        service = service_for("custom_fields", session)
        for kind, _slot, field_id in made:
            keys.setdefault(kind, service.get(field_id).key)
    return keys


def measure(app: Any, filled: Filled, keys: dict[str, str], rounds: int) -> None:
    """Ask each pair in turns and print medians and their ratio."""
    client = app.test_client()
    headers = {"Authorization": f"Bearer {filled.token}"}

    def ask(query: str) -> float:
        started = time.perf_counter()
        answer = client.get(f"/api/v1/customers?limit=50&{query}", headers=headers)
        taken = (time.perf_counter() - started) * 1000
        if answer.status_code != 200:
            raise SystemExit(f"{query}: {answer.status_code} {answer.text[:300]}")
        return taken

    pairs = [(name, built_in, own.format(**keys)) for name, built_in, own in PAIRS]
    times: dict[str, list[float]] = {query: [] for pair in pairs for query in pair[1:]}
    for query in times:
        for _turn in range(4):
            ask(query)
    for _round in range(rounds):
        for query, found in times.items():
            found.append(ask(query))
    print("| list of 50 by | built-in ms | own ms | x | limit |\n|---|---|---|---|---|")
    for name, built_in, own in pairs:
        first, second = _median(times[built_in]), _median(times[own])
        print(f"| {name} | {first:.1f} | {second:.1f} | {second / first:.2f} | {LIMIT:g} |")


def _median(times: Sequence[float]) -> float:
    return statistics.median(times)


if __name__ == "__main__":
    main()
