"""What the installation knows of each plugin's tables: where they stand, and why they stayed there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.addons.models import PluginInstall
from kehu.core import clock
from plugins.records import PluginRecord, State

TABLE = PluginInstall.__tablename__


def keep(connection: Connection, slug: str, revision: str | None, error: str) -> None:
    """Keep what became of a plugin's migrations; without the platform's own tables there is no place for it."""
    seen = inspect(connection)
    if not seen.has_table(TABLE) or "revision" not in {one["name"] for one in seen.get_columns(TABLE)}:
        connection.rollback()
        return
    facts = {"revision": revision, "migration_error": error[:2_000] or None, "changed_at": func.now()}
    statement = insert(PluginInstall).values(slug=slug, **facts)
    connection.execute(statement.on_conflict_do_update(index_elements=["slug"], set_=facts))
    connection.commit()


def rows(session: Session) -> dict[str, PluginInstall]:
    """Return what is known of each plugin, by slug."""
    found = session.execute(select(PluginInstall).limit(1_000)).scalars()
    return {row.slug: row for row in found}


def resting(row: PluginInstall | None) -> bool:
    """Tell whether a plugin is held for the whole installation now."""
    return row is not None and row.held_until is not None and row.held_until > clock.now()


@cache
def _head(folder: Path) -> str | None:
    from kehu.addons.migrations import head_of

    return head_of(folder)


def standing(record: PluginRecord, row: PluginInstall | None) -> PluginRecord:
    """Return a plugin whose tables are not those of its code as broken or waiting, with the remedy."""
    from kehu.addons.migrations import folder_of

    folder = folder_of(record) if record.state is State.READY and not record.system else None
    if folder is None:
        return record
    if row is not None and row.migration_error:
        return record.moved(
            State.BROKEN,
            f"Its migration failed: {row.migration_error}",
            f"Install a version that mends it, then run `kehu plugin migrate {record.slug}`.",
        )
    head, have = _head(folder), row.revision if row is not None else None
    if have == head:
        return record
    return record.moved(
        State.COMPATIBLE,
        f"Its tables are at {have or 'nothing'}, its code needs {head}.",
        f"Run `kehu plugin migrate {record.slug}`.",
    )


def behind(session: Session, records: Iterable[PluginRecord]) -> dict[str, PluginRecord]:
    """Return those of the ready plugins whose tables are not those of their code."""
    known = rows(session)
    stands = ((record, standing(record, known.get(record.slug))) for record in records)
    return {now.slug: now for before, now in stands if now is not before}
