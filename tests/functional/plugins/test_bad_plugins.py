"""Plugins that are wrong in every way, installed for real: each is told with a remedy, none harms anybody else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from kehu.addons import migrations
from kehu.core import migration
from kehu.dev.roles import DatabaseUrls
from kehu.testkit.database import TestServer

HEAD = """
import sqlalchemy as sa
from alembic import op
from kehu.api import add_fk, begin_migration, tenant_table
revision = "{revision}"
down_revision = {before!r}
def columns():
    return [sa.Column("tenant_id", sa.UUID(), nullable=False), sa.Column("id", sa.UUID(), nullable=False),
            sa.Column("customer_id", sa.UUID()), sa.PrimaryKeyConstraint("tenant_id", "id")]
def downgrade():
    op.drop_table("rows", schema="p_{slug}")
def upgrade():
    begin_migration()
"""
TABLE = 'tenant_table("rows", *columns(), schema="p_{slug}")'
KEY = 'add_fk("rows_c", "rows", ["tenant_id", "customer_id"], "{target}", ["tenant_id", "id"], {how}schema="p_{slug}")'
FOREIGN = (
    'op.execute("ALTER TABLE p_abroad.rows ADD CONSTRAINT rows_c FOREIGN KEY (tenant_id, customer_id) {to}")'
)
UNDER = "ALTER TABLE {core} ADD CONSTRAINT x_y FOREIGN KEY (tenant_id, id) REFERENCES p_under.rows"

WRAPS = """
from kehu.api import hookimpl
@hookimpl(wrapper=True)
def kehu_register_panels():
    yield
    return []
"""
SHADOW = """
from kehu.api import PluginBlueprint, hookimpl
@hookimpl
def kehu_register_routes():
    return [PluginBlueprint("shadow", __name__, template_folder="templates")]
"""
ASKS = """
from kehu.api import hookimpl
@hookimpl
def kehu_register_panels(app):
    return []
"""
SLOTS = """
from kehu.api import Panel, hookimpl
@hookimpl
def kehu_register_panels():
    return [Panel(slot="customer.left", endpoint="slots.panel", title="x", permission="slots.thing:read")]
"""
KNOBS = """
from kehu.api import Field, SettingsSchema, hookimpl
@hookimpl
def kehu_register_settings():
    return [SettingsSchema(fields=(Field(key="days", label="Days", kind="number", default="six"),))]
"""


class Shelf:
    """A folder of installed distributions."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, slug: str, hooks: str = "", *migrations: str, api: str = "0.1", dist: str = "") -> None:
        """Install a plugin; its migrations are the bodies of `upgrade`, one after another."""
        package = self.root / f"bad_{slug}"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text(hooks)
        manifest = (
            f'slug = "{slug}"\nname = "{slug.title()}"\nversion = "1.0"\nsummary = "Bad"\napi = "{api}"\n'
        )
        (package / "plugin.toml").write_text(manifest)
        for number, body in enumerate(migrations):
            folder = package / "migrations"
            folder.mkdir(exist_ok=True)
            before = f"r{number}" if number else None
            head = HEAD.format(slug=slug, revision=f"r{number + 1}", before=before)
            (folder / f"r{number + 1}.py").write_text(f"{head}    {body.format(slug=slug)}\n")
        facts = self.root / f"{dist or slug}_dist-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist or slug}-dist\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[kehu.plugins]\n{slug} = bad_{slug}\n")


def fill(shelf: Shelf) -> None:
    """Install one of each kind."""
    shelf.add("future", api="0.99")
    shelf.add("raises", 'raise RuntimeError("no such library")')
    shelf.add("leaves", "import sys\nsys.exit(3)")
    shelf.add("twice")
    shelf.add("twice", dist="again")
    shelf.add("automotive", 'raise RuntimeError("not mine")', dist="evil")
    shelf.add("wraps", WRAPS)
    shelf.add("asks", ASKS)
    shelf.add("slots", SLOTS)
    shelf.add("knobs", KNOBS)
    shelf.add("shadow", SHADOW)
    (shelf.root / "bad_shadow/templates/kehu").mkdir(parents=True)
    (shelf.root / "bad_shadow/templates/kehu/app.html").write_text("mine now")
    shelf.add("fails", "", TABLE, 'op.execute("SELECT 1 / 0")')
    shelf.add("exits", "", "raise SystemExit(4)")
    shelf.add("holds", "", TABLE, KEY.replace("{target}", "customers").replace("{how}", ""))
    shelf.add("bare", "", 'op.create_table("rows", *columns(), schema="p_{slug}")')
    shelf.add("loose", "", 'op.create_table("rows", sa.Column("id", sa.UUID()), schema="p_{slug}")')
    shelf.add("abroad", "", TABLE, FOREIGN.format(to="REFERENCES p_good.rows ON DELETE CASCADE"))
    shelf.add("under", "", TABLE, f'op.execute("{UNDER.format(core="customers")}")')
    for slug in ("good", "goods"):
        shelf.add(slug, "", TABLE, KEY.replace("{target}", "customers").replace("{how}", "'CASCADE', "))


REFUSED = {
    "fails": ("r1", "division by zero"),
    "exits": (None, "SystemExit: 4"),
    "holds": ("r1", "r2 was refused and taken back. rows: the key rows_c would forbid the platform"),
    "bare": (None, "rows are not kept to their tenant. Create it with tenant_table()"),
    "loose": (None, "no column tenant_id"),
    "abroad": ("r1", "the key rows_c points into another plugin"),
    "under": ("r1", "rows: the key x_y of public.customers points into the plugin. Drop it."),
}
GOOD = dict.fromkeys(("good", "goods"), ("r2", ""))
TOLD = {
    "future": "incompatible|It needs plugin API 0.99 or later|Install a version of the plugin that fits",
    "raises": "broken|RuntimeError: no such library (__init__.py:1)|Tell the plugin's author",
    "leaves": "broken|SystemExit: 3|Tell the plugin's author",
    "twice": "conflict|claimed more than once: again-dist, twice-dist|Uninstall all but one",
    "automotive": "ready|evil-dist claims this name, too, and is left out. Uninstall it.",
    "wraps": "broken|marked with wrapper|Tell the plugin's author",
    "asks": "broken|asks for 'app', which the hook does not hand over. It takes no arguments. (bad_asks:3)|Tell",
    "slots": "broken|There is no slot 'customer.left'. Did you mean 'customer.tabs'? (bad_slots:5)|Tell",
    "knobs": "broken|the default 'six' of 'days' can't be read: “six” is no number. (bad_knobs:3)|Tell",
    "shadow": "broken|'kehu/app.html' lies outside the plugin's own folder|Tell the plugin's author",
    "holds": "broken|Its migration failed: RefusedMigration|run `kehu plugin migrate holds`",
    "gone": "orphan|its code is not installed|kehu plugin orphans --drop gone",
    "lost": "missing|switched on, but its code is not installed|kehu plugin disable",
    "good": "ready||",
    "spoilt": "ready|rows are not kept to their tenant|",
}


@pytest.fixture
def urls(database_server: TestServer) -> Iterator[DatabaseUrls]:
    """A migrated database that one test may spoil."""
    made = database_server.make()
    yield made
    database_server.drop(made)


@pytest.mark.slow
def test_each_is_told_with_its_remedy_and_the_others_go_on(
    urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path)
    fill(shelf)
    shelf.add("spoilt", "", TABLE)
    monkeypatch.syspath_prepend(str(tmp_path))
    # The good one first: another wants to point into it.
    order = {"good": 0}
    records = sorted(migrations.migratable(), key=lambda one: (order.get(one.slug, 1), one.slug))
    done = {one.slug: migrations.upgrade_one(urls.owner, one) for one in records if not one.builtin}
    for slug, (after, said) in {**REFUSED, **GOOD}.items():
        assert done[slug].after == after, (slug, done[slug])
        assert said in done[slug].error if said else not done[slug].error, (slug, done[slug])
    engine = migration.owner_engine(urls.owner)
    with engine.begin() as connection:
        seen = inspect(connection)
        assert not seen.has_table("rows", schema="p_bare")
        assert not seen.get_foreign_keys("rows", schema="p_holds")
        assert [key["name"] for key in seen.get_foreign_keys("rows", schema="p_good")] == ["rows_c"]
        tenant = "00000000-0000-7000-8000-000000000001"
        for statement in (
            "CREATE SCHEMA p_gone",
            "ALTER TABLE p_spoilt.rows DISABLE ROW LEVEL SECURITY",
            (
                "INSERT INTO tenants (id, address, name, country, currency, zone, locale) VALUES "
                f"('{tenant}', 'told', 'Told', 'GB', 'GBP', 'Europe/London', 'en')"
            ),
            (
                "INSERT INTO tenant_plugins (tenant_id, slug, state, data_version, settings, changed_at, name) "
                f"VALUES ('{tenant}', 'lost', 'enabled', 1, '{{}}', now(), 'Lost')"
            ),
        ):
            connection.execute(text(statement))
    engine.dispose()
    told = _kehu(urls, tmp_path, "plugin", "doctor")
    assert told.returncode == 1, told.stderr
    blocks = {
        block.split()[1]: block for block in ("\n" + told.stdout).replace("\n ", "\r").split("\n") if block
    }
    for slug, words in TOLD.items():
        for word in words.split("|"):
            assert word in blocks[slug], (slug, word, blocks[slug])
    for slug, block in blocks.items():
        fine = slug in {"automotive", *GOOD}
        assert block.startswith("ok " if fine else "FAIL"), block


def _kehu(urls: DatabaseUrls, shelf: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        **urls.environment(),
        "KEHU_ENV": "production",
        "KEHU_SECRET_KEY": "s3cret" * 8,
        "KEHU_VAR": str(shelf / "var"),
        "PYTHONPATH": os.pathsep.join([str(shelf), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "kehu.cli.main", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_its_statements_can_be_read_before_and_it_goes_down(
    urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path)
    shelf.add("plain", "", TABLE)
    monkeypatch.syspath_prepend(str(tmp_path))
    (record,) = [one for one in migrations.migratable() if one.slug == "plain"]
    read = migrations.sql_of(urls.owner, record)
    assert read.startswith("CREATE SCHEMA IF NOT EXISTS p_plain;")
    assert "CREATE TABLE p_plain.rows" in read
    assert "ENABLE ROW LEVEL SECURITY" in read
    assert migrations.upgrade_one(urls.owner, record).after == "r1"
    assert migrations.sql_of(urls.owner, record) == ""
    assert migrations.upgrade_one(urls.owner, record, "base").after is None
    assert record.manifest is not None
    later = replace(record, manifest=replace(record.manifest, requires_core_revision="20990101_01"))
    assert "Run `kehu db upgrade` first" in migrations.upgrade_one(urls.owner, later).error
    assert [one.slug for one in migrations.migratable(["plain"]) if one.slug == "plain"] == []
