"""`python -m bench.stripe_inbox`: events of Stripe as fast as asked for, with copies; none may be lost or doubled.

Gunicorn serves with two workers as in production; four processes sign and post. The events name 500 customers.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

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

PORT, SECRET, CUSTOMERS, SENDERS, THREADS = 8767, "whsec_bench", 500, 2, 6
# Held for as long as the process lives: its end would switch the mode back.
IN_MODE = modes.use(BillingMode.STRIPE)
APP_SECRET = "bench-bench-bench-bench-bench-bench-bench"


def make() -> Any:
    """Return the application in the mode stripe, with a gateway that is never asked anything."""
    app = create_app()
    IN_MODE.__enter__()
    app.extensions[EXTENSION] = Gateway("sk_test_bench", secrets=[SECRET])
    return app


def _event(number: int) -> bytes:
    found = {
        "object": "subscription",
        "id": f"sub_{number % CUSTOMERS}",
        "customer": f"cus_bench{number % CUSTOMERS}",
    }
    filler = {"metadata": {"text": "x" * 2500}}  # Stripe's subscriptions are some kilobytes long.
    event = {"id": f"evt_bench{number}", "object": "event", "type": "customer.subscription.updated"}
    event |= {"livemode": False, "api_version": stripe.api_version, "created": int(clock.now().timestamp())}
    return json.dumps(event | {"data": {"object": found | filler}}).encode()


def _send(lane: int, lanes: int, rate: float, total: int, copies: int, out: Any) -> None:
    """Post this lane's share of the events at its share of the rate; every n-th comes twice."""
    times: list[float] = []
    bad = 0
    lock = threading.Lock()
    start = time.perf_counter() + 1
    mine = list(range(lane, total, lanes))

    def work(first: int) -> None:
        nonlocal bad
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        for place in range(first, len(mine), THREADS):
            due = start + place * lanes / rate
            if (wait := due - time.perf_counter()) > 0:
                time.sleep(wait)
            body = _event(mine[place])
            header = stripe.WebhookSignature.generate_signature_header(
                body.decode(), SECRET, int(clock.now().timestamp())
            )
            for _copy in range(2 if mine[place] % copies == 0 else 1):
                began = time.perf_counter()
                connection.request("POST", "/api/stripe/events", body, {"Stripe-Signature": header})
                answer = connection.getresponse()
                answer.read()
                taken = (time.perf_counter() - began) * 1000
                with lock:
                    times.append(taken)
                    bad += answer.status != 200

    threads = [threading.Thread(target=work, args=(first,)) for first in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    out.put((times, bad, time.perf_counter() - start))


def _measure(rate: float, seconds: int, copies: int) -> tuple[int, list[float], int, float]:
    total = int(rate * seconds)
    out: Any = multiprocessing.Queue()
    lanes = [
        multiprocessing.Process(target=_send, args=(lane, SENDERS, rate, total, copies, out))
        for lane in range(SENDERS)
    ]
    for one in lanes:
        one.start()
    found = [out.get() for _ in lanes]
    for one in lanes:
        one.join()
    times = sorted(t for part in found for t in part[0])
    return total, times, sum(part[1] for part in found), max(part[2] for part in found)


def main() -> None:
    """Serve, post, count and print."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--rate", type=float, default=500)
    asked.add_argument("--seconds", type=int, default=60)
    asked.add_argument("--copies", type=int, default=20, help="every n-th event comes twice")
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
    served = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        _wait()
        total, times, bad, took = _measure(options.rate, options.seconds, options.copies)
    finally:
        served.terminate()
        served.wait(20)
    with psycopg.connect(urls.owner) as connection:
        rows = connection.execute("SELECT count(*), count(DISTINCT id) FROM billing_stripe_events").fetchone()
        wants = connection.execute("SELECT sum(want), count(*) FROM billing_sync").fetchone()
        jobs = connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone()
    assert rows is not None
    assert wants is not None
    assert jobs is not None
    print(
        f"{total} events, {len(times)} deliveries in {took:.1f} s ({len(times) / took:.0f}/s), {bad} not answered 200"
    )
    p = statistics.quantiles(times, n=100)
    print(f"answer ms: median {p[49]:.1f}, 95 % {p[94]:.1f}, 99 % {p[98]:.1f}, most {times[-1]:.1f}")
    print(f"rows {rows[0]} (distinct {rows[1]}), wanted {wants[0]} of {wants[1]} customers, jobs {jobs[0]}")
    if bad or rows[0] != total or wants[0] != total:
        raise SystemExit("lost or doubled")


def _wait() -> None:
    for _turn in range(200):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)


wsgi = make() if os.environ.get("KEHU_BENCH_INBOX") else None

if __name__ == "__main__":
    main()
