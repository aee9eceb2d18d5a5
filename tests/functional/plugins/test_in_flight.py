"""A plugin is switched off or purged while its jobs and requests run: nothing is left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from kehu.addons import pages, purge
from kehu.addons.services import PluginService
from kehu.addons.states import TenantState
from kehu.addons.tasks import run_job
from kehu.api import session
from kehu.core import context, hooks, jobs
from kehu.core.ids import new_id
from kehu.testkit.fixtures import Shop
from plugins.declarations import Declarations
from plugins.results import JobDef

SLUG = "automotive"
PAGE, ENDPOINT = "/x/automotive/panel", "automotive_vehicles.customer_panel"
real = pages.runs
OFF = frozenset({TenantState.DISABLED})
COUNT = text("SELECT count(*) FROM p_automotive.vehicles WHERE tenant_id = :tenant")


class Gate:
    """Work that has begun and waits for a word."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.begun, self.word = threading.Event(), threading.Event()
        self.runs = 0

    def write(self, *_arguments: Any, **_named: Any) -> str:
        """Write a row of the plugin after the word."""
        self.runs += 1
        self.begun.set()
        assert self.word.wait(5)
        self.keep()
        return "written"

    def keep(self) -> None:
        """Keep one vehicle without an owner's page."""
        session().execute(
            text(
                "INSERT INTO p_automotive.vehicles (tenant_id, id, customer_id, make, model) "
                "SELECT :tenant, :id, id, 'Kia', 'Rio' FROM customers WHERE tenant_id = :tenant LIMIT 1"
            ),
            {"tenant": self.shop.tenant.id, "id": new_id()},
        )


@pytest.fixture
def gate(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """The built-in plugin on, with a job and a page that wait."""
    from kehu.customers.services import CustomerService

    made = Gate(shop)
    declared = hooks.host().declarations
    extra = Declarations(jobs=[(SLUG, JobDef(name="slow", run=made.write, title="Slow"))])
    both = Declarations()
    both.extend(declared)
    both.extend(extra)
    monkeypatch.setattr(hooks.host(), "_declarations", both)
    monkeypatch.setitem(shop.app.view_functions, ENDPOINT, pages._contained(SLUG, ENDPOINT, made.write))
    with shop.work() as work:
        CustomerService(work).create({"name": "Harbour Taxis"})
        PluginService(work).enable(SLUG)
    yield made
    made.word.set()


def disable(shop: Shop) -> None:
    with shop.work() as work:
        PluginService(work).disable(SLUG)


def purged(shop: Shop) -> purge.Preview:
    with shop.app.app_context(), context.use(tenant=shop.tenant, actor=context.SYSTEM):
        return purge.purge(SLUG, OFF)


def left(shop: Shop) -> int:
    with shop.work() as work:
        return int(work.execute(COUNT, {"tenant": shop.tenant.id}).scalar_one())


def run_slow(shop: Shop) -> None:
    run_job(tenant_id=str(shop.tenant.id), slug=SLUG, name="slow")


def begin(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    return thread, found


def test_a_purge_waits_for_a_job_that_runs_and_takes_what_it_wrote(shop: Shop, gate: Gate) -> None:
    job, _none = begin(lambda: run_slow(shop))
    assert gate.begun.wait(5)
    disable(shop)
    purging, reports = begin(lambda: purged(shop))
    purging.join(0.3)
    assert purging.is_alive()
    gate.word.set()
    job.join(5)
    purging.join(5)
    assert reports[0].tables["p_automotive.vehicles"] == 1
    assert left(shop) == 0


def test_jobs_that_wait_go_with_the_purge_and_one_that_comes_late_does_nothing(
    shop: Shop, gate: Gate
) -> None:
    gate.word.set()
    with shop.work() as work:
        jobs.enqueue(work, run_job, slug=SLUG, name="slow")
    disable(shop)
    waiting = text(
        "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' "
        "AND args->>'tenant_id' = :tenant AND args->>'slug' = :slug"
    )
    with shop.work() as work:
        asked = work.execute(waiting, {"tenant": str(shop.tenant.id), "slug": SLUG}).scalar_one()
    assert purged(shop).kept["jobs"] == asked >= 1, "the job, and what the switch itself has asked for"
    with shop.work() as work:
        assert work.execute(waiting, {"tenant": str(shop.tenant.id), "slug": SLUG}).scalar_one() == 0
    run_slow(shop)
    assert (gate.runs, left(shop)) == (0, 0)


def test_a_request_ends_well_and_the_next_finds_nothing(shop: Shop, gate: Gate) -> None:
    client = shop.client()
    running, answers = begin(lambda: client.get(PAGE))
    assert gate.begun.wait(5)
    disable(shop)
    assert shop.client().get(PAGE).status_code == 404
    gate.word.set()
    running.join(5)
    assert (answers[0].status_code, answers[0].text) == (200, "written")
    assert left(shop) == 1


def test_a_write_that_began_before_sees_that_it_is_off(
    shop: Shop, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.word.set()
    rule = next(
        rule
        for rule in shop.app.url_map.iter_rules()
        if rule.rule.startswith("/x/automotive/") and "POST" in (rule.methods or ())
    )
    name = rule.endpoint
    url = shop.app.url_map.bind("localhost").build(name, {key: new_id() for key in rule.arguments}, "POST")
    monkeypatch.setitem(shop.app.view_functions, name, pages._contained(SLUG, name, gate.write))
    # The tenant as the request knew it, from before the plugin went off.
    monkeypatch.setattr(pages, "runs", lambda session, slug: (disable(shop), real(session, slug))[1])
    assert shop.client().post(url).status_code == 404
    assert (gate.runs, left(shop)) == (0, 0)
