"""`python -m bench.stripe_inbox`: events of Stripe as fast as asked for, with copies; none may be lost or doubled.

Gunicorn serves with two workers as in production. The sender signs before it starts and speaks HTTP over bare sockets,
because it runs on the same cores: what it costs is printed beside what the workers and the database cost.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import stripe

from billing import modes
from billing.stripe.gateway import Gateway
from billing.stripe.views import EXTENSION
from kehu.app import create_app
from kehu.core import clock
from kehu.testkit.database import TestServer
from kehu.testkit.leases import leased
from plugins.results import BillingMode

PORT, SECRET, THREADS = 8767, "whsec_bench", 12
# Held for as long as the process lives: its end would switch the mode back.
IN_MODE = modes.use(BillingMode.STRIPE)
APP_SECRET = "bench-bench-bench-bench-bench-bench-bench"
FILLER = "x" * 2500
"""Stripe's subscriptions are some kilobytes long."""


def make() -> Any:
    """Return the application in the mode stripe, with a gateway that is never asked anything."""
    app = create_app()
    IN_MODE.__enter__()
    app.extensions[EXTENSION] = Gateway("sk_test_bench", secrets=[SECRET])
    return app


def _request(number: int, customers: int) -> bytes:
    """Return the whole request of an event, signed now."""
    now = int(clock.now().timestamp())
    which = number % customers
    found = {"object": "subscription", "id": f"sub_{which}", "customer": f"cus_bench{which}"}
    event = {"id": f"evt_bench{number}", "object": "event", "type": "customer.subscription.updated"}
    event |= {"livemode": False, "api_version": stripe.api_version, "created": now}
    body = json.dumps(event | {"data": {"object": found | {"metadata": {"text": FILLER}}}})
    header = stripe.WebhookSignature.generate_signature_header(body, SECRET, now)
    return (
        f"POST /api/stripe/events HTTP/1.1\r\nHost: 127.0.0.1\r\nStripe-Signature: {header}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _post(connection: socket.socket, request: bytes) -> bool:
    """Post over an open connection and tell whether 200 was answered."""
    connection.sendall(request)
    found = b""
    while (end := found.find(b"\r\n\r\n")) < 0:
        part = connection.recv(4096)
        if not part:
            return False
        found += part
    size = int(found[:end].lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(found) < end + 4 + size:
        found += connection.recv(4096)
    return found.startswith(b"HTTP/1.1 200")


def _send(rate: float, requests: list[bytes], copies: int) -> tuple[list[float], int, float]:
    """Post at the rate; every n-th comes twice. Return milliseconds of each answer, how many were bad, seconds."""
    times: list[float] = []
    bad = 0
    start = time.perf_counter() + 0.5

    def work(first: int) -> None:
        nonlocal bad
        with socket.create_connection(("127.0.0.1", PORT), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for place in range(first, len(requests), THREADS):
                if (wait := start + place / rate - time.perf_counter()) > 0:
                    time.sleep(wait)
                for _copy in range(2 if place % copies == 0 else 1):
                    began = time.perf_counter()
                    good = _post(connection, requests[place])
                    times.append((time.perf_counter() - began) * 1000)
                    bad += not good

    threads = [threading.Thread(target=work, args=(first,)) for first in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sorted(times), bad, time.perf_counter() - start


def _cpu(processes: Callable[[], list[psutil.Process]]) -> float:
    """Return the seconds of work that processes have done, user and system."""
    total = 0.0
    for one in processes():
        try:
            spent = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += spent.user + spent.system
    return total


def main() -> None:
    """Serve, post, count and print."""
    asked = argparse.ArgumentParser(prog="python -m bench.stripe_inbox")
    asked.add_argument("--rate", type=float, default=500)
    asked.add_argument("--seconds", type=int, default=60)
    asked.add_argument("--copies", type=int, default=20, help="every n-th event comes twice")
    asked.add_argument("--customers", type=int, default=500, help="more of them, more jobs")
    options = asked.parse_args()
    var = Path(os.environ.get("KEHU_VAR", "var"))
    with leased(var / "pg-bench") as cluster:
        lender = TestServer(cluster.url(), None)
        lender.clean()
        urls = lender.make()
        try:
            run(urls, var, options)
        finally:
            lender.drop(urls)


def run(urls: Any, var: Path, options: argparse.Namespace) -> None:
    """Serve, post, then count what the database holds."""
    environment = {
        "KEHU_ENV": "production", "KEHU_SECRET_KEY": APP_SECRET, "KEHU_DATABASE_URL": urls.owner, "KEHU_HTTPS": "0",
        "KEHU_APP_DATABASE_URL": urls.app, "KEHU_CROSS_DATABASE_URL": urls.cross, "KEHU_VAR": str(var),
        "KEHU_LOG_LEVEL": "ERROR", "KEHU_BENCH_INBOX": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "--config", "python:kehu.gunicorn_conf", "--workers", "2",
               "--bind", f"127.0.0.1:{PORT}", "bench.stripe_inbox:wsgi"]  # fmt: skip
    postmaster = int((var / "pg-bench" / "data" / "postmaster.pid").read_text().split()[0])
    served = subprocess.Popen(command, env={**os.environ, **environment})
    server = psutil.Process(served.pid)
    parts: dict[str, Callable[[], list[psutil.Process]]] = {
        "workers": lambda: server.children(recursive=True),
        "database": lambda: psutil.Process(postmaster).children(),
        "sender": lambda: [psutil.Process()],
    }
    try:
        _wait()
        requests = [_request(n, options.customers) for n in range(int(options.rate * options.seconds))]
        before = {name: _cpu(found) for name, found in parts.items()}
        times, bad, took = _send(options.rate, requests, options.copies)
        spent = {name: _cpu(found) - before[name] for name, found in parts.items()}
    finally:
        served.terminate()
        served.wait(20)
    each = ", ".join(f"{name} {seconds * 1000 / len(times):.2f}" for name, seconds in spent.items())
    print(
        f"{len(requests)} events, {len(times)} deliveries in {took:.1f} s ({len(times) / took:.0f}/s), {bad} bad"
    )
    p = statistics.quantiles(times, n=100)
    print(f"answer ms: median {p[49]:.1f}, 95 % {p[94]:.1f}, 99 % {p[98]:.1f}, most {times[-1]:.1f}")
    print(f"work ms a delivery: {each}; load average {os.getloadavg()[0]:.1f}")
    _check(urls, len(requests), bad)


def _check(urls: Any, total: int, bad: int) -> None:
    with psycopg.connect(urls.owner) as connection:
        rows = connection.execute("SELECT count(*), count(DISTINCT id) FROM billing_stripe_events").fetchone()
        wants = connection.execute("SELECT sum(want), count(*) FROM billing_sync").fetchone()
        jobs = connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone()
    assert rows is not None
    assert wants is not None
    assert jobs is not None
    print(f"rows {rows[0]} (distinct {rows[1]}), wanted {wants[0]} of {wants[1]} customers, jobs {jobs[0]}")
    if bad or rows[0] != total or wants[0] != total or jobs[0] != wants[1]:
        raise SystemExit("lost or doubled")


def _wait() -> None:
    for _turn in range(200):
        try:
            with socket.create_connection(("127.0.0.1", PORT), timeout=5) as connection:
                connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                connection.recv(100)
                return
        except OSError:
            time.sleep(0.1)


wsgi = make() if os.environ.get("KEHU_BENCH_INBOX") else None

if __name__ == "__main__":
    main()
