"""A purge takes everything of one plugin in one tenant, and nothing else."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from kehu.addons import purge
from kehu.addons.calls import Call
from kehu.addons.models import PluginIncident, TenantPlugin
from kehu.addons.purge import Preview
from kehu.addons.services import PluginService
from kehu.addons.states import TenantState
from kehu.addons.tasks import purge_plugin, sweep_all
from kehu.core import clock, context, db, hooks, jobs
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, NotFound
from kehu.core.ids import new_id
from kehu.core.schedule import ScheduleRun
from kehu.core.search import SearchTerm
from kehu.customers.models import Customer
from kehu.customers.services import CustomerService
from kehu.files.models import File
from kehu.members.models import Role
from kehu.testkit.fixtures import Shop
from kehu.views.models import SavedView
from plugins.results import PurgeReport
from tests.unit.addons.conftest import Fake

OFF = frozenset({TenantState.DISABLED})
SHA = "ab" + "0" * 62


def fill(shop: Shop) -> uuid.UUID:
    """Switch the plugin on and keep something of it in each place; returns the customer."""
    with shop.work() as session:
        PluginService(session).enable("alpha")
        customer = CustomerService(session).create({"name": "Harbour Taxis"}).id
        tenant = db.tenant_id()
        for statement in (
            "INSERT INTO p_alpha.visits (tenant_id, id) VALUES (:t, :id)",
            "INSERT INTO p_alpha.chairs (tenant_id, id, visit_id) VALUES (:t, :id, :id)",
            "UPDATE p_alpha.visits SET chair_id = :id WHERE tenant_id = :t",
            "INSERT INTO p_alpha.notes (tenant_id, id, visit_id) VALUES (:t, :id, :id)",
        ):
            session.execute(text(statement), {"t": tenant, "id": new_id()} | {"id": customer})
        session.execute(
            text("UPDATE customers SET custom = :custom WHERE tenant_id = :t AND id = :id"),
            {
                "custom": '{"alpha.tooth": 7, "alpha": {"x": 1}, "alphabet": "stays", "own": 1}',
                "t": tenant,
                "id": customer,
            },
        )
        row = session.execute(select(TenantPlugin)).scalar_one()
        row.settings = {"days": 3, "mode": "a"}
        role = session.execute(select(Role).where(Role.code == "member")).scalar_one()
        role.permissions = {**role.permissions, "alpha.visits:read": "all", "alphabet:read": "all"}
        session.add_all(
            [
                _file("alpha.visits", SHA),
                _file("customers", "cd" + SHA[2:]),
                SearchTerm(kind="alpha.visits", term="molar", record_id=customer),
                SearchTerm(kind="customers", term="molar", record_id=customer),
                _view("alpha.visits"),
                _view("customers"),
                ScheduleRun(name="x.alpha.recall", due_at=clock.now()),
                PluginIncident(id=new_id(), slug="alpha", hook="h", fingerprint="f", message="m"),
            ]
        )
        jobs.enqueue(session, "addons.run_job", slug="alpha", name="recall")
        jobs.enqueue(session, "addons.run_job", slug="other", name="recall")
    return customer


def _file(object_name: str, sha: str) -> File:
    return File(
        id=new_id(),
        object=object_name,
        record_id=new_id(),
        name="a",
        media_type="text/plain",
        size=1,
        sha256=sha,
    )


def _view(object_name: str) -> SavedView:
    return SavedView(id=new_id(), object=object_name, name="Mine", sharing="all", position=1)


def disable(shop: Shop) -> None:
    with shop.work() as session:
        PluginService(session).disable("alpha")


def rows(session: Session, shop: Shop) -> int:
    counted = text(
        "SELECT (SELECT count(*) FROM p_alpha.chairs WHERE tenant_id = :t)"
        " + (SELECT count(*) FROM p_alpha.visits WHERE tenant_id = :t)"
        " + (SELECT count(*) FROM p_alpha.notes WHERE tenant_id = :t)"
    )
    return int(session.execute(counted, {"t": shop.tenant.id}).scalar_one())


def run(shop: Shop, states: frozenset[TenantState] = OFF) -> Preview:
    with shop.app.app_context(), context.use(tenant=shop.tenant, actor=context.SYSTEM):
        return purge.purge("alpha", states)


def goodbye(ctx: Call, dry_run: bool) -> PurgeReport:
    return PurgeReport(removed={"subscriptions": 2})


@pytest.mark.usefixtures("tables")
class TestPurge:
    def test_it_takes_what_the_preview_counts_and_nothing_else(
        self, shop: Shop, other_shop: Shop, fake: Fake
    ) -> None:
        fake("alpha", kehu_tenant_purge=goodbye)
        customer = fill(shop)
        fill(other_shop)
        disable(shop)
        with shop.work() as session:
            shown = PluginService(session).purge_preview("alpha")
        assert shown.tables == {"p_alpha.notes": 1, "p_alpha.visits": 1, "p_alpha.chairs": 1}
        assert shown.kept == {
            "settings": 2,
            "rights": 1,
            "fields": 1,
            "files": 1,
            "records": 2,
            "jobs": 1,
            "schedules": 1,
            "faults": 1,
            "starters": 0,
        }
        assert shown.elsewhere == {"subscriptions": 2}
        assert shown.total == 15
        assert run(shop) == shown
        with shop.work() as session:
            assert rows(session, shop) == 0
            assert PluginService(session).card("alpha").state is TenantState.AVAILABLE
            kept = session.get(Customer, (shop.tenant.id, customer))
            assert kept is not None
            assert kept.custom == {"alphabet": "stays", "own": 1}
            assert kept.version == 2
            role = session.execute(select(Role).where(Role.code == "member")).scalar_one()
            assert [code for code in role.permissions if code.startswith("alpha")] == ["alphabet:read"]
            for model, column in (
                (File, File.object),
                (SavedView, SavedView.object),
                (SearchTerm, SearchTerm.kind),
            ):
                kinds = set(
                    session.execute(select(column).where(model.tenant_id == shop.tenant.id)).scalars()
                )
                assert "alpha.visits" not in kinds
                assert "customers" in kinds
            entry = session.execute(select(AuditEntry).where(AuditEntry.action == "purged")).scalar_one()
            assert entry.changes["p_alpha.notes"] == [1, 0]
            assert entry.changes["subscriptions"] == [2, 0]
        with other_shop.work() as session:
            assert rows(session, other_shop) == 3
            again = PluginService(session).purge_preview("alpha")
            assert again.total == 15

    def test_it_works_when_the_code_is_gone(self, shop: Shop, fake: Fake) -> None:
        fake("alpha", kehu_tenant_purge=goodbye)
        fill(shop)
        del hooks.host().installed._records["alpha"]
        hooks.host()._live.clear()
        disable(shop)
        done = run(shop)
        assert (done.name, done.elsewhere, sum(done.tables.values())) == ("Alpha", {}, 3)
        with shop.work() as session:
            assert rows(session, shop) == 0

    def test_a_failing_farewell_does_not_stop_it(self, shop: Shop, fake: Fake) -> None:
        def fail(ctx: Call, dry_run: bool) -> PurgeReport:
            ctx.session.execute(text("SELECT 1 / 0"))
            return PurgeReport()

        fake("alpha", kehu_tenant_purge=fail)
        fill(shop)
        disable(shop)
        with shop.work() as session:
            assert "division by zero" in PluginService(session).purge_preview("alpha").fault
        assert "division by zero" in run(shop).fault
        with shop.work() as session:
            assert rows(session, shop) == 0

    def test_bytes_that_nobody_names_go(self, shop: Shop, fake: Fake) -> None:
        root: Path = shop.app.extensions["kehu.settings"].var / "files" / str(shop.tenant.id)
        old, shared, fresh = root / "ab" / SHA, root / "cd" / ("cd" + SHA[2:]), root / "ef" / ("ef" + SHA[2:])
        for path in (old, shared, fresh):
            path.parent.mkdir(parents=True)
            path.write_bytes(b"x")
            if path is not fresh:
                os.utime(path, (time.monotonic(), 1_000_000))
        fake("alpha")
        fill(shop)
        with shop.work() as session:
            session.add_all([_file("alpha.visits", shared.name), _file("alpha.visits", fresh.name)])
        disable(shop)
        run(shop)
        assert (old.exists(), shared.exists(), fresh.exists()) == (False, True, True)

    def test_it_is_refused_while_on_and_when_somebody_decided_anew(self, shop: Shop, fake: Fake) -> None:
        fake("alpha")
        with pytest.raises(NotFound):
            run(shop)
        fill(shop)
        for states in (OFF, frozenset({TenantState.ENABLED})):
            with pytest.raises(Conflict, match="Switch Alpha off first"):
                run(shop, states)
        with shop.work() as session:
            assert rows(session, shop) == 3

    def test_after_the_notice_the_job_purges(
        self, shop: Shop, fake: Fake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake("alpha")
        fill(shop)
        disable(shop)
        with shop.work() as session:
            until = PluginService(session).schedule_purge("alpha", "alpha").until
        assert until is not None
        tenant = str(shop.tenant.id)
        purge_plugin(tenant_id=tenant, slug="alpha")
        with shop.work() as session:
            assert rows(session, shop) == 3
        monkeypatch.setattr(clock, "now", lambda: until)
        sweep_all()
        with shop.work() as session:
            waiting = text(
                "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'addons.purge' AND args->>'tenant_id' = :t"
            )
            assert session.execute(waiting, {"t": tenant}).scalar_one() == 1
        purge_plugin(tenant_id=tenant, slug="alpha")
        purge_plugin(tenant_id=tenant, slug="alpha")
        with shop.work() as session:
            assert rows(session, shop) == 0


def test_a_report_counts_things(fake: Fake) -> None:
    with pytest.raises(ValueError, match="Map words to whole numbers"):
        broken: Any = {"things": "many"}
        PurgeReport(removed=broken)
