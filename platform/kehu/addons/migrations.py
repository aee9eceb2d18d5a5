"""Migrations of plugins: an environment and a PostgreSQL schema for each (PLUGINS.md 4.1, layout B)."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from kehu.addons import installs
from kehu.addons.audits import schema_of
from kehu.addons.drift import against_models
from kehu.core import migration
from plugins.finder import manifest_path
from plugins.loader import find_plugins
from plugins.manifest import ManifestError
from plugins.records import PluginRecord

__all__ = ["PluginMigrated", "folder_of", "head_of", "schema_of", "sql_of", "upgrade_all", "upgrade_one"]

log = structlog.get_logger(__name__)

ENVIRONMENT = Path(__file__).parent / "migration_env"

_FAILURES = (Exception, SystemExit)
"""What code of a plugin may raise at us; one that calls `sys.exit` must not end a deployment."""


@dataclass(frozen=True, kw_only=True)
class PluginMigrated:
    """What became of one plugin's schema; `error` says why it stayed where it was."""

    slug: str
    before: str | None
    after: str | None
    error: str = ""


def folder_of(record: PluginRecord) -> Path | None:
    """Return the folder of a plugin's migrations, or None when it has no tables."""
    try:
        folder = manifest_path(record.module).parent / "migrations"
    except ManifestError:
        return None
    return folder if folder.is_dir() else None


def migratable(blocked: Iterable[str] = ()) -> list[PluginRecord]:
    """Return the compatible plugins that have migrations, found on disk; none of their code runs."""
    return [
        record
        for record in find_plugins(system=("tenants", "billing"), blocked=blocked)
        if record.usable and not record.system and folder_of(record) is not None
    ]


def upgrade_all(
    url: str, *, builtin: bool | None = None, blocked: Iterable[str] = ()
) -> list[PluginMigrated]:
    """Bring the schemas of all compatible plugins to their newest revision; one that fails stops no other.

    :param builtin: only those that are, or are not, part of Kehu.
    :param blocked: slugs that the operator keeps out.
    """
    return [upgrade_one(url, record) for record in migratable(blocked) if builtin in (None, record.builtin)]


def upgrade_one(url: str, record: PluginRecord, revision: str = "head") -> PluginMigrated:
    """Bring one plugin's schema to its newest revision, or to `base`: nothing of it is left then."""
    folder = folder_of(record)
    if folder is None:
        return PluginMigrated(slug=record.slug, before=None, after=None)
    needs = record.manifest.requires_core_revision if record.manifest else ""
    engine = migration.owner_engine(url)
    with engine.connect() as connection:
        done = _upgrade(connection, record.slug, folder, revision, needs=needs)
        installs.keep(connection, done.slug, done.after, done.error)
    engine.dispose()
    return done


def _upgrade(
    connection: Connection, slug: str, folder: Path, revision: str = "head", *, needs: str = ""
) -> PluginMigrated:
    schema = schema_of(slug)
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": migration.LOCK_KEY})
    connection.commit()
    before, error = None, ""
    try:
        if needs and needs not in migration.applied(connection):
            raise LookupError(f"It needs the migration {needs} of Kehu. Run `kehu db upgrade` first.")
        for statement in _opening(schema):
            connection.execute(text(statement))
        before = current(connection, slug)
        connection.commit()
        act = command.downgrade if revision == "base" else command.upgrade
        act(_config(connection, slug, folder), revision)
        connection.commit()
    except _FAILURES as failure:
        connection.rollback()
        log.exception("plugin_migration_failed", plugin=slug)
        first = next(iter(str(failure).splitlines()), "")
        error = f"{type(failure).__name__}: {first}"
    try:
        # Where several are to run, those before the one that failed are kept.
        return PluginMigrated(slug=slug, before=before, after=current(connection, slug), error=error)
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": migration.LOCK_KEY})
        connection.commit()


def _opening(schema: str) -> tuple[str, ...]:
    return (
        f"CREATE SCHEMA IF NOT EXISTS {schema}",
        f"GRANT USAGE ON SCHEMA {schema} TO {migration.APP_ROLE}, {migration.CROSS_ROLE}",
    )


def drop(url: str, slug: str) -> None:
    """Drop a plugin's tables with all rows of all firms, as if it had never been migrated."""
    engine = migration.owner_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout TO '10s'"))
        connection.execute(text(f"DROP SCHEMA IF EXISTS {schema_of(slug)} CASCADE"))
    engine.dispose()


def differences(url: str, slug: str) -> list[str]:
    """Return where a plugin's tables are not those of its models."""
    engine = migration.owner_engine(url)
    with engine.connect() as connection:
        found = against_models(connection, slug)
    engine.dispose()
    return found


def current(connection: Connection, slug: str) -> str | None:
    """Return the revision that a plugin's schema has; for the owner of the tables."""
    context = MigrationContext.configure(connection, opts={"version_table_schema": schema_of(slug)})
    return context.get_current_revision()


def sql_of(url: str, record: PluginRecord) -> str:
    """Return the statements that bring a plugin's schema to its newest revision; nothing is run."""
    folder = folder_of(record)
    if folder is None:
        return ""
    engine = migration.owner_engine(url)
    with engine.connect() as connection:
        before = current(connection, record.slug)
    engine.dispose()
    if before == head_of(folder):
        return ""
    config = _config(None, record.slug, folder)
    config.output_buffer = buffer = io.StringIO()
    command.upgrade(config, f"{before}:head" if before else "head", sql=True)
    opening = "".join(f"{statement};\n\n" for statement in _opening(schema_of(record.slug)))
    return opening + buffer.getvalue()


def _config(connection: Connection | None, slug: str, folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("version_locations", str(folder))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, slug=slug)
    return config


def head_of(folder: Path) -> str | None:
    """Return the newest revision of a plugin's code."""
    return ScriptDirectory.from_config(_config(None, "", folder)).get_current_head()
