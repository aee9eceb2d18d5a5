"""Plugins that exist for one test: a record, a manifest, hooks, as if they were installed and ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from kehu.core import hooks, migration
from plugins.manifest import parse_manifest
from plugins.records import PluginRecord, State
from plugins.rules import hookimpl

MANIFEST = 'slug = "{slug}"\nname = "{name}"\nversion = "1.0"\nsummary = "What it does"\napi = "0.1"\n'

Fake = Callable[..., PluginRecord]


@pytest.fixture
def fake(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """Install plugins; `hooks` are functions by the name of the hook, failures are contained as in production."""
    host = hooks.host()
    relay, installed = host.relay, host.installed
    monkeypatch.setattr(relay, "strict", False)
    kept, manager = dict(installed._records), relay._manager
    made: list[str] = []

    def install(slug: str, extra: str = "", *, state: State = State.READY, **functions: Any) -> PluginRecord:
        manifest = parse_manifest(MANIFEST.format(slug=slug, name=slug.title()) + extra)
        record = PluginRecord(
            slug=slug, module=f"fake_{slug}", version=manifest.version, manifest=manifest, state=state
        )
        installed.put(record)
        if slug in made:
            manager.unregister(name=slug)
        module = ModuleType(f"fake_{slug}")
        vars(module).update({name: hookimpl(function) for name, function in functions.items()})
        manager.register(module, name=slug)
        made.append(slug)
        _forget()
        return record

    def _forget() -> None:
        relay.forget()
        host._live.clear()

    yield install
    for slug in set(made):
        manager.unregister(name=slug)
    installed._records.clear()
    installed._records.update(kept)
    _forget()


TABLES = """
CREATE SCHEMA p_alpha;
GRANT USAGE ON SCHEMA p_alpha TO kehu_app, kehu_cross;
CREATE TABLE p_alpha.alembic_version (version_num text PRIMARY KEY);
CREATE TABLE p_alpha.chairs (tenant_id uuid, id uuid, visit_id uuid, PRIMARY KEY (tenant_id, id));
CREATE TABLE p_alpha.visits (tenant_id uuid, id uuid, chair_id uuid, PRIMARY KEY (tenant_id, id));
CREATE TABLE p_alpha.notes (tenant_id uuid, id uuid, visit_id uuid, PRIMARY KEY (tenant_id, id));
ALTER TABLE p_alpha.notes ADD CONSTRAINT notes_visit FOREIGN KEY (tenant_id, visit_id) REFERENCES p_alpha.visits;
ALTER TABLE p_alpha.visits ADD CONSTRAINT visits_chair FOREIGN KEY (tenant_id, chair_id) REFERENCES p_alpha.chairs;
ALTER TABLE p_alpha.chairs ADD CONSTRAINT chairs_visit FOREIGN KEY (tenant_id, visit_id) REFERENCES p_alpha.visits;
"""


@pytest.fixture
def tables(app: Flask) -> Iterator[None]:
    """Tables of the plugin `alpha`: two that point at each other, and one that may only be added to."""
    engine = migration.owner_engine(app.extensions["kehu.settings"].database_url)
    with engine.begin() as connection:
        connection.execute(text(TABLES))
        for table in ("chairs", "visits", "notes"):
            rights = "SELECT, INSERT" if table == "notes" else "SELECT, INSERT, UPDATE, DELETE"
            for statement in (
                f"ALTER TABLE p_alpha.{table} ENABLE ROW LEVEL SECURITY",
                f"CREATE POLICY own ON p_alpha.{table} USING ({migration.POLICY}) WITH CHECK ({migration.POLICY})",
                f"GRANT {rights} ON p_alpha.{table} TO kehu_app",
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON p_alpha.{table} TO kehu_cross",
            ):
                connection.execute(text(statement))
    yield
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA p_alpha CASCADE"))
    engine.dispose()
