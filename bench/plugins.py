"""`python -m bench.plugins`: what installed plugins cost core pages, what a sleeping one does, how fast a switch acts.

Three questions, on two real gunicorn workers with a tenant of some thousand customers:

1. Does a page take under 5 % longer with 50 plugins installed and 5 of them on than with none? Two servers, asked in
   turns, so that a slow moment of the machine meets both.
2. Do core pages keep their median within 10 % while members have pages open whose panel sleeps 30 seconds? Quiet and
   busy turns alternate.
3. Does switching a plugin on or off act on the next request of every worker?
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.fill import Filled, fill
from bench.shelf import SLEEPER, slugs, write
from kehu.app import create_app
from kehu.config import Settings
from kehu.testkit.database import TestServer
from kehu.testkit.leases import leased

SECRET = "bench-bench-bench-bench-bench-bench-bench"
PORTS = {"without": 8766, "with": 8767}
INSTALLED, ON = 50, 5
WORKERS = 2


class Asker:
    """Asks one server as the owner of a filled firm."""

    def __init__(self, port: int, filled: Filled) -> None:
        shop = filled.shop
        self.host, self.port = f"{shop.tenant.address}.localhost:{port}", port
        self.cookie = "; ".join(f"{one.key}={one.value}" for one in shop.client()._cookies.values())
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, path: str, **headers: str) -> tuple[int, float, str]:
        """Return status, milliseconds and the worker that answered."""
        sent = {"Host": self.host, "Cookie": self.cookie, **headers}
        started = time.perf_counter()
        self.connection.request("GET", path, headers=sent)
        answer = self.connection.getresponse()
        answer.read()
        taken = (time.perf_counter() - started) * 1000
        return answer.status, taken, answer.headers.get("X-Bench-Worker", "")

    def anew(self) -> Asker:
        """Go on with a connection of its own, which another worker may take."""
        self.connection.close()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        return self


@contextmanager
def served(port: int, environment: dict[str, str]) -> Iterator[psutil.Process]:
    """Run gunicorn with two workers until the block ends, and hand out its process."""
    command = [sys.executable, "-m", "gunicorn", "--config", "python:kehu.gunicorn_conf", "--workers", str(WORKERS),
               "--bind", f"127.0.0.1:{port}", "bench.server:wsgi"]  # fmt: skip
    server = subprocess.Popen(command, env={**os.environ, **environment, "KEHU_BENCH": "1"})
    try:
        for _turn in range(300):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/floor/empty")
                connection.getresponse().read()
                break
            except OSError:
                time.sleep(0.2)
        yield psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(60)


def kehu(environment: dict[str, str], *arguments: str) -> None:
    """Run a command as an operator does, in a process of its own."""
    subprocess.run(
        [sys.executable, "-m", "kehu.cli.main", *arguments],
        env={**os.environ, **environment}, check=True, capture_output=True,
    )  # fmt: skip


def pages(filled: Filled) -> dict[str, str]:
    """Return the core pages that are measured."""
    return {"home": "/", "list of 50": "/customers", "customer": f"/customers/{filled.sample[7]}"}


def spent(server: psutil.Process) -> float:
    """Return the milliseconds of work that the workers of a server have done so far."""
    times = [one.cpu_times() for one in server.children()]
    return sum(one.user + one.system for one in times) * 1000


def cost(
    askers: dict[str, Asker],
    servers: dict[str, psutil.Process],
    paths: dict[str, str],
    rounds: int,
    each: int,
) -> bool:
    """Measure the same pages with and without plugins, in turns; tell whether all are within 5 %.

    What counts is the work of the workers: other work on the machine lengthens the time of an answer, not that.
    """
    times: dict[tuple[str, str], list[float]] = {(name, side): [] for name in paths for side in askers}
    work = dict.fromkeys(times, 0.0)
    for turn in range(rounds + 1):
        for name, path in paths.items():
            for side in sorted(askers, reverse=bool(turn % 2)):
                before = spent(servers[side])
                found = [askers[side].ask(path)[1] for _n in range(each)]
                if turn:  # The first round warms up.
                    times[name, side] += found
                    work[name, side] += spent(servers[side]) - before
    print(f"\n{INSTALLED} installed, {ON} on, against none (work of the workers and median answer, ms)")
    print(
        "| page | work without | with | more | limit | answer without | with |\n|---|---|---|---|---|---|---|"
    )
    fine = True
    for name in paths:
        without, with_ = (work[name, side] / rounds / each for side in ("without", "with"))
        took = [statistics.median(times[name, side]) for side in ("without", "with")]
        fine &= with_ / without < 1.05
        more = f"{with_ / without - 1:+.1%}"
        print(f"| {name} | {without:.2f} | {with_:.2f} | {more} | 5% | {took[0]:.1f} | {took[1]:.1f} |")
    return fine


class Sleepers:
    """Members who keep pages open whose panel sleeps, and whose browsers ask again as told."""

    def __init__(self, asker: Asker, path: str, members: int) -> None:
        self.on = threading.Event()
        self.threads = [
            threading.Thread(target=self._ask, args=(asker, path), daemon=True) for _n in range(members)
        ]
        for thread in self.threads:
            thread.start()

    def _ask(self, asker: Asker, path: str) -> None:
        own = object.__new__(Asker)
        own.__dict__.update(asker.__dict__)
        own.connection = http.client.HTTPConnection("127.0.0.1", asker.port, timeout=120)
        while True:
            self.on.wait()
            own.anew().ask(path, **{"HX-Request": "true", "HX-Request-Type": "partial"})
            time.sleep(1)


def asleep(asker: Asker, paths: dict[str, str], panel: str, rounds: int, each: int) -> bool:
    """Measure core pages in quiet turns and in turns with sleeping panels; tell whether all are within 10 %.

    All busy turns come behind all quiet ones but the last, because a panel that sleeps can't be called back.
    """
    quiet: dict[str, list[float]] = {name: [] for name in paths}
    busy: dict[str, list[float]] = {name: [] for name in paths}
    for kept in (quiet, busy, quiet):
        sleepers = Sleepers(asker, panel, 8) if kept is busy else None
        if sleepers:
            sleepers.on.set()
            time.sleep(2)
        asker.anew().ask("/")  # The server has closed what was idle.
        for _turn in range(rounds if kept is busy else max(1, rounds // 2)):
            for name, path in paths.items():
                kept[name] += [asker.ask(path)[1] for _n in range(each)]
        if sleepers:
            sleepers.on.clear()
            time.sleep(35)  # Until the last of them has slept its fill.
    print("\nA panel that sleeps 30 s, 8 members have it open (median ms)")
    print("| page | quiet | with sleepers | more | limit |\n|---|---|---|---|---|")
    fine = True
    for name in paths:
        before, during = statistics.median(quiet[name]), statistics.median(busy[name])
        fine &= during / before < 1.1
        print(f"| {name} | {before:.2f} | {during:.2f} | {during / before - 1:+.1%} | 10% |")
    return fine


def switching(asker: Asker, environment: dict[str, str], address: str, turns: int) -> bool:
    """Switch a plugin on and off and ask every worker at once; tell whether each answered rightly at once."""
    slug, wrong, asked = slugs(INSTALLED)[-1], 0, 0
    for _turn in range(turns):
        for act, status in (("enable", 200), ("disable", 404)):
            kehu(environment, "plugin", act, address, slug)
            workers: set[str] = set()
            for _n in range(60):
                got, _time, worker = asker.anew().ask(f"/x/{slug}/page")
                if worker not in workers:  # Its first request after the switch.
                    asked, wrong = asked + 1, wrong + (got != status)
                workers.add(worker)
                if len(workers) == WORKERS:
                    break
            if len(workers) < WORKERS:
                raise SystemExit("One worker did not answer; run it again.")
    print(
        f"\nSwitches: {2 * turns}; first requests after them, of {WORKERS} workers: {asked}, wrong: {wrong}"
    )
    return wrong == 0


def main() -> None:
    """Fill, serve, measure; the status is 1 when a limit is passed."""
    parser = argparse.ArgumentParser(prog="python -m bench.plugins")
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--each", type=int, default=15)
    parser.add_argument("--switches", type=int, default=5)
    chosen = parser.parse_args()
    var = Path(os.environ.get("KEHU_VAR", "var"))
    with leased(var / "pg-bench") as cluster, tempfile.TemporaryDirectory() as folder:
        lender = TestServer(cluster.url(), None)
        lender.clean()
        urls = lender.make()
        try:
            fine = run(urls, var, write(Path(folder), INSTALLED), chosen)
        finally:
            lender.drop(urls)
    sys.exit(0 if fine else 1)


def run(urls: Any, var: Path, shelf: Path, chosen: argparse.Namespace) -> bool:
    """Fill the database, switch plugins on, and ask the three questions."""
    settings = Settings(
        environment="production", secret_key=SECRET, database_url=urls.owner, app_database_url=urls.app,
        cross_database_url=urls.cross, https=False, var=var, log_level="ERROR", api_rate="10000000 per minute",
    )  # fmt: skip
    filled = fill(create_app(settings), urls.owner, {"large": chosen.customers}, 3)["large"]
    bare = {
        "KEHU_ENV": "production", "KEHU_SECRET_KEY": SECRET, "KEHU_DATABASE_URL": urls.owner, "KEHU_HTTPS": "0",
        "KEHU_APP_DATABASE_URL": urls.app, "KEHU_CROSS_DATABASE_URL": urls.cross, "KEHU_VAR": str(var),
        "KEHU_LOG_LEVEL": "ERROR", "KEHU_API_RATE": "10000000 per minute",
    }  # fmt: skip
    path = os.pathsep.join([str(shelf), os.environ.get("PYTHONPATH", "")])
    full = {**bare, "PYTHONPATH": path}
    address = filled.shop.tenant.address
    for slug in slugs(ON):
        kehu(full, "plugin", "enable", address, slug)
    with ExitStack() as stack:
        servers = {
            "without": stack.enter_context(served(PORTS["without"], bare)),
            "with": stack.enter_context(served(PORTS["with"], full)),
        }
        askers = {side: Asker(port, filled) for side, port in PORTS.items()}
        paths = pages(filled)
        fine = cost(askers, servers, paths, chosen.rounds, chosen.each)
        fine &= switching(askers["with"], full, address, chosen.switches)
        kehu(full, "plugin", "enable", address, SLEEPER)
        panel = f"/x/{SLEEPER}/panel?customer_id={filled.sample[7]}"
        return asleep(askers["with"], paths, panel, chosen.rounds, chosen.each) and fine


if __name__ == "__main__":
    main()
