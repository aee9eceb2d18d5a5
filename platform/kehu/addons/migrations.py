"""Migrations of plugins: an environment and a PostgreSQL schema for each (PLUGINS.md 4.1, layout B)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from kehu.core import migration
from plugins.finder import manifest_path
from plugins.loader import find_plugins
from plugins.records import PluginRecord

log = structlog.get_logger(__name__)

ENVIRONMENT = Path(__file__).parent / "migration_env"


@dataclass(frozen=True, kw_only=True)
class PluginMigrated:
    """What became of one plugin's schema; `error` says why it stayed where it was."""

    slug: str
    before: str | None
    after: str | None
    error: str = ""


def schema_of(slug: str) -> str:
    """Return the name of a plugin's schema."""
    return f"p_{slug}"


def folder_of(record: PluginRecord) -> Path | None:
    """Return the folder of a plugin's migrations, or None when it has no tables."""
    folder = manifest_path(record.module).parent / "migrations"
    return folder if folder.is_dir() else None


def upgrade_all(url: str, *, builtin: bool | None = None) -> list[PluginMigrated]:
    """Bring the schemas of all compatible plugins to their newest revision; one that fails stops no other.

    :param builtin: only those that are, or are not, part of Kehu.
    """
    results: list[PluginMigrated] = []
    engine = migration.owner_engine(url)
    for record in find_plugins(system=("tenants", "billing")):
        if record.system or not record.usable or builtin not in (None, record.builtin):
            continue
        folder = folder_of(record)
        if folder is not None:
            with engine.connect() as connection:
                results.append(_upgrade(connection, record.slug, folder))
    engine.dispose()
    return results


def _upgrade(connection: Connection, slug: str, folder: Path, revision: str = "head") -> PluginMigrated:
    schema = schema_of(slug)
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": migration.LOCK_KEY})
    connection.commit()
    before = None
    try:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        connection.execute(
            text(f"GRANT USAGE ON SCHEMA {schema} TO {migration.APP_ROLE}, {migration.CROSS_ROLE}")
        )
        before = _current(connection, schema)
        connection.commit()
        act = command.downgrade if revision == "base" else command.upgrade
        act(_config(connection, schema, folder), revision)
        connection.commit()
        return PluginMigrated(slug=slug, before=before, after=_current(connection, schema))
    except Exception as error:
        connection.rollback()
        log.exception("plugin_migration_failed", plugin=slug)
        return PluginMigrated(
            slug=slug, before=before, after=before, error=f"{type(error).__name__}: {error}"
        )
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": migration.LOCK_KEY})
        connection.commit()


def _current(connection: Connection, schema: str) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
    return context.get_current_revision()


def _config(connection: Connection, schema: str, folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("version_locations", str(folder))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, schema=schema)
    return config


def head_of(folder: Path) -> str | None:
    """Return the newest revision of a plugin's code."""
    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("version_locations", str(folder))
    config.set_main_option("path_separator", "newline")
    return ScriptDirectory.from_config(config).get_current_head()
