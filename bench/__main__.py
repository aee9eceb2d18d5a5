"""`python -m bench`: fill, serve with two workers, measure in turns, print the table."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from bench.fill import Filled, fill
from kehu.app import create_app
from kehu.config import Settings
from kehu.testkit.database import TestServer
from kehu.testkit.leases import leased

PORT = 8765
SECRET = "bench-bench-bench-bench-bench-bench-bench"


@dataclass
class Request:
    """One request to measure."""

    name: str
    path: str
    limit: str = ""
    method: str = "GET"
    host: str = "localhost"
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    times: list[float] = field(default_factory=list)
    queries: int = 0
    size: int = 0
    turn: int = 0

    def send(self, connection: http.client.HTTPConnection) -> float:
        """Send it once and return the milliseconds until the whole answer was read."""
        headers = {"Host": f"{self.host}:{PORT}", **self.headers}
        payload = None
        if self.body is not None:
            self.turn += 1
            payload = json.dumps({**self.body, "name": f"{self.body['name']} {self.turn}"})
            headers["Content-Type"] = "application/json"
        started = time.perf_counter()
        connection.request(self.method, self.path, body=payload, headers=headers)
        answer = connection.getresponse()
        data = answer.read()
        taken = (time.perf_counter() - started) * 1000
        if answer.status >= 400 or answer.status in (302, 303):
            raise SystemExit(
                f"{self.name}: {self.method} {self.path} answered {answer.status}: {data[:400]!r}"
            )
        self.queries, self.size = int(answer.headers.get("X-Bench-Queries", 0)), len(data)
        return taken


def requests_for(label: str, filled: Filled) -> list[Request]:
    """Return the requests of the table for one tenant."""
    shop = filled.shop
    cookie = "; ".join(f"{one.key}={one.value}" for one in shop.client()._cookies.values())
    host = f"{shop.tenant.address}.localhost"
    page: dict[str, Any] = {"host": host, "headers": {"Cookie": cookie}}
    rest: dict[str, Any] = {"headers": {"Authorization": f"Bearer {filled.token}"}}
    customer = filled.sample[7]
    found = [
        Request(
            "REST list of 50, filtered and sorted",
            "/api/v1/customers?type_class=existing&sort=name&limit=50",
            "8x/5",
            **rest,
        ),
        Request("HTML list of 50", "/customers", "12x/8", **page),
        Request("HTML customer page with time line", f"/customers/{customer}", "12x/10", **page),
        Request(
            "REST create with audit and event",
            "/api/v1/customers",
            "10x/8",
            method="POST",
            body={"name": "Bench customer"},
            **rest,
        ),
        Request("Search, Latin", "/palette?q=harb", "8x/5", **page),
        Request("Search, Chinese", f"/palette?q={quote('明德')}", "8x/5", **page),
        Request("Search, Cyrillic", f"/palette?q={quote('самар')}", "8x/5", **page),
        Request("Search, phone digits", "/palette?q=460123", "8x/5", **page),
        Request("Board, 200 cards in 6 stages", f"/deals/board?pipeline={filled.board}", "20x/8", **page),
    ]
    for one in found:
        one.name = f"{label}: {one.name}"
    return found


@contextmanager
def served(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run gunicorn with two workers until the block ends."""
    command = [sys.executable, "-m", "gunicorn", "--config", "python:kehu.gunicorn_conf", "--workers", "2",
               "--bind", f"127.0.0.1:{PORT}", "bench.server:wsgi"]  # fmt: skip
    server = subprocess.Popen(command, env={**os.environ, **environment, "KEHU_BENCH": "1"})
    try:
        for _turn in range(200):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
                connection.request("GET", "/floor/empty")
                connection.getresponse().read()
                break
            except OSError:
                time.sleep(0.1)
        yield server
    finally:
        server.terminate()
        server.wait(20)


def measure(requests: list[Request], rounds: int, each: int) -> None:
    """Send all requests in turns, so that a slow minute of the machine meets them all."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    for one in requests:
        for _turn in range(6):
            one.send(connection)
    for _round in range(rounds):
        for one in requests:
            one.times += [one.send(connection) for _turn in range(each)]


def memory(pid: int) -> list[tuple[str, float]]:
    """Return role and memory in MB of a process and its children: proportional, as shared pages count once."""
    process = psutil.Process(pid)
    found = []
    for number, one in enumerate([process, *process.children(recursive=True)]):
        info = one.memory_full_info()
        found.append(("master" if number == 0 else f"worker {number}", info.pss / 2**20, info.rss / 2**20))
    return [(f"{role}: rss {rss:.0f} MB, pss", pss) for role, pss, rss in found]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--compare", type=int, default=10_000)
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--each", type=int, default=15)
    parser.add_argument("--only", default="", help="part of a request's name")
    chosen = parser.parse_args()
    var = Path(os.environ.get("KEHU_VAR", "var"))
    with leased(var / "pg-bench") as cluster:
        lender = TestServer(cluster.url(), None)
        lender.clean()
        urls = lender.make()
        try:
            run(urls, var, chosen)
        finally:
            lender.drop(urls)


def run(urls: Any, var: Path, chosen: argparse.Namespace) -> None:
    """Fill the database, serve and measure."""
    settings = Settings(
        environment="production", secret_key=SECRET, database_url=urls.owner, app_database_url=urls.app,
        cross_database_url=urls.cross, https=False, var=var, log_level="ERROR", api_rate="10000000 per minute",
    )  # fmt: skip
    app = create_app(settings)
    started = time.perf_counter()
    filled = fill(app, urls.owner, {"large": chosen.customers, "small": chosen.compare}, chosen.tenants)
    print(
        f"filled {chosen.tenants} tenants, {chosen.customers:,} customers in one: {time.perf_counter() - started:.0f} s"
    )
    environment = {
        "KEHU_ENV": "production", "KEHU_SECRET_KEY": SECRET, "KEHU_DATABASE_URL": urls.owner, "KEHU_HTTPS": "0",
        "KEHU_APP_DATABASE_URL": urls.app, "KEHU_CROSS_DATABASE_URL": urls.cross, "KEHU_VAR": str(var),
        "KEHU_LOG_LEVEL": "ERROR", "KEHU_API_RATE": "10000000 per minute",
    }  # fmt: skip
    floor = Request("floor: 50 rows as JSON", f"/floor/rows/{filled['large'].shop.tenant.id}")
    empty = Request("floor: empty answer", "/floor/empty")
    requests = [one for label in ("large", "small") for one in requests_for(label, filled[label])]
    requests = [one for one in requests if chosen.only.lower() in one.name.lower()]
    with served(environment) as server:
        measure([empty, floor, *requests], chosen.rounds, chosen.each)
        report(empty, floor, requests)
        for role, megabytes in memory(server.pid):
            print(f"memory {role} {megabytes:.0f} MB")


def report(empty: Request, floor: Request, requests: list[Request]) -> None:
    """Print the table: medians, the ratio to the rows floor, queries, bytes."""
    base = statistics.median(floor.times)
    medians = {one.name: statistics.median(one.times) for one in (empty, floor, *requests)}
    print(f"| {'request':58} | median ms | p95 ms | x floor | limit | queries | bytes |")
    print(f"|{'-' * 60}|---|---|---|---|---|---|")
    for one in (empty, floor, *requests):
        p95 = statistics.quantiles(one.times, n=20)[-1]
        print(
            f"| {one.name:58} | {medians[one.name]:.2f} | {p95:.2f} | {medians[one.name] / base:.1f} | {one.limit} "
            f"| {one.queries} | {one.size:,} |"
        )
    for one in requests:
        if one.name.startswith("large: "):
            small = medians.get(one.name.replace("large", "small"))
            if small:
                print(f"large against small, {one.name[7:]}: {medians[one.name] / small:.2f}")


main()
