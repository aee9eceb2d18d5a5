"""Removing all that a plugin keeps of one tenant, also when the plugin's code is gone: the catalogue says where.

What the platform keeps for a plugin carries its name: tables in the schema `p_<slug>`; rows of the core's tables
whose `object` (or `kind`) begins with `<slug>.`; rights, fields and schedules named so. `purgers` is the list of
those places; a part of the platform that keeps more adds its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Table, delete, func, select, text
from sqlalchemy.orm import Session

from kehu.addons.audits import schema_of
from kehu.addons.calls import call
from kehu.addons.models import PluginIncident, TenantPlugin
from kehu.addons.starter_rows import purge_starters
from kehu.addons.states import ON, TenantState
from kehu.addons.switching import note
from kehu.core import clock, context, db, doctor, hooks
from kehu.core.errors import Conflict, NotFound
from kehu.core.i18n import _, _l
from kehu.core.schedule import ScheduleRun
from kehu.files.models import File
from kehu.files.store import FileStore
from kehu.members.models import Role
from plugins.records import State
from plugins.relay import PluginError

KEPT_TABLES = frozenset({"audit_entries", "tenant_plugins", "plugin_incidents"})
"""The trail stays; the other two are looked after by name."""


@dataclass(kw_only=True)
class Preview:
    """What a purge takes, or took: rows by table of the plugin, things of the platform, things of its own.

    :param fault: what the plugin said when it was asked and failed; the purge goes on without it.
    """

    slug: str
    name: str
    tables: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    elsewhere: dict[str, int] = field(default_factory=dict)
    fault: str = ""

    @property
    def total(self) -> int:
        """The number of all things together."""
        return sum(sum(part.values()) for part in (self.tables, self.kept, self.elsewhere))


Purger = Callable[[Session, str, bool], int]
"""(session, slug, dry run) -> how many things of the present tenant are, or were, removed."""

WORDS: dict[str, Any] = {
    "settings": _l("Settings"),
    "rights": _l("Rights of roles"),
    "fields": _l("Records with fields of it"),
    "records": _l("Entries that belong to its records"),
    "files": _l("Files"),
    "jobs": _l("Jobs"),
    "schedules": _l("Schedules"),
    "faults": _l("Faults"),
    "starters": _l("Pipelines without deals and roles that nobody has"),
}
"""What each place of the platform holds, in words for people."""


def preview(session: Session, slug: str, name: str) -> Preview:
    """Count what a purge of the present tenant takes; nothing is changed."""
    found = Preview(slug=slug, name=name)
    for table in tables_of(session, slug):
        counted = text(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant_id")  # noqa: S608 - quoted by the catalogue
        found.tables[table] = session.execute(counted, {"tenant_id": db.tenant_id()}).scalar_one()
    for place, purger in purgers.items():
        found.kept[place] = purger(session, slug, True)
    _ask_plugin(found, dry_run=True)
    return found


def is_due(slug: str) -> bool:
    """Tell whether the notice before the purge of a plugin in the present tenant has run out."""
    with db.unit_of_work() as session:
        statement = select(TenantPlugin).where(TenantPlugin.slug == slug)
        row = session.execute(statement).scalar_one_or_none()
        return (
            row is not None
            and row.state == TenantState.PURGE_SCHEDULED
            and row.until is not None
            and row.until <= clock.now()
        )


def purge(slug: str, states: frozenset[TenantState]) -> Preview:
    """Remove everything that a plugin keeps of the present tenant, and say what it was.

    Runs as the role of cross-tenant work, whose grants reach tables that the web may only add to; each statement
    names the tenant. It waits for jobs of the plugin that run; those that start later find it off and are dropped.

    :param states: where the plugin must stand now; otherwise somebody decided anew in the meantime.
    :raises NotFound: when the plugin never was here.
    :raises Conflict: when it stands elsewhere.
    """
    tenant = context.tenant()
    with db.cross_tenant(f"purge the plugin {slug} of the tenant {tenant.address}") as session:
        here = (TenantPlugin.tenant_id == tenant.id, TenantPlugin.slug == slug)
        row = session.execute(select(TenantPlugin).where(*here).with_for_update()).scalar_one_or_none()
        if row is None:
            raise NotFound(_("This plugin never was switched on here."))
        if row.state not in states or row.state in ON:
            raise Conflict(
                _("Switch %(plugin)s off first; its data can be removed then.", plugin=row.name or slug)
            )
        report = Preview(slug=slug, name=row.name or slug)
        with db.unit_of_work():
            _ask_plugin(report, dry_run=False)
        report.tables = _empty(session, slug)
        for place, purger in purgers.items():
            report.kept[place] = purger(session, slug, False)
        session.execute(delete(TenantPlugin).where(*here))
        _keep_report(session, report)
        files = session.info.get("bytes_to_drop", ())
    store = FileStore(current_app.extensions["kehu.settings"].var / "files", 0)
    for sha256 in files:
        store.drop(tenant.id, sha256)
    return report


def _keep_report(session: Session, report: Preview) -> None:
    removed = {**report.tables, **report.kept, **report.elsewhere}
    entry = note(session, report.slug, report.name, "purged")
    entry.changes = {what: [count, 0] for what, count in removed.items() if count}
    if report.fault:
        entry.changes = {**entry.changes, report.slug: [report.fault, None]}


def _ask_plugin(found: Preview, *, dry_run: bool) -> None:
    """Let a plugin that can run remove what it keeps elsewhere; it never stands in the way of the rest."""
    record = hooks.host().installed.get(found.slug)
    if record is None or record.state is not State.READY:
        return
    try:
        report = hooks.host().relay.run_one(
            "kehu_tenant_purge", found.slug, tenant=db.tenant_id(), ctx=call(found.slug), dry_run=dry_run
        )
    except PluginError as error:
        found.fault = str(error)[:500]
        return
    if report is not None:
        found.elsewhere = {str(name): count for name, count in report.removed.items()}


# --- the plugin's own tables ------------------------------------------------------------------------------

_TABLES = text(
    "SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped "
    "WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname"
)
_KEYS = text(
    "SELECT conrelid AS source, confrelid AS target FROM pg_constraint "
    "WHERE contype = 'f' AND conrelid <> confrelid AND confrelid = ANY(:tables)"
)


def tables_of(session: Session, slug: str) -> list[str]:
    """Return the tables of a plugin, those first that others don't point at; needs no code of the plugin."""
    rows = {row.oid: row.name for row in session.execute(_TABLES, {"schema": schema_of(slug)})}
    if not rows:
        return []
    pointing = {oid: set[int]() for oid in rows}
    for key in session.execute(_KEYS, {"tables": list(rows)}):
        if key.source in rows:
            pointing[key.target].add(key.source)
    ordered: list[int] = []
    while pointing:
        # In a circle any may be first: one statement removes all, and keys are checked at its end.
        free = [oid for oid, sources in pointing.items() if not sources & pointing.keys()] or [
            next(iter(pointing))
        ]
        ordered += free
        for oid in free:
            del pointing[oid]
    return [rows[oid] for oid in ordered]


def _empty(session: Session, slug: str) -> dict[str, int]:
    tables = tables_of(session, slug)
    if not tables:
        return {}
    parts = [
        f"d{number} AS (DELETE FROM {table} WHERE tenant_id = :tenant_id RETURNING 1)"  # noqa: S608 - quoted by the catalogue
        for number, table in enumerate(tables)
    ]
    counts = ", ".join(f"(TABLE n{number})" for number in range(len(tables)))
    parts += [f"n{number} AS (SELECT count(*) FROM d{number})" for number in range(len(tables))]  # noqa: S608 - numbers
    statement = text(f"WITH {', '.join(parts)} SELECT {counts}")
    counted = session.execute(statement, {"tenant_id": db.tenant_id()}).one()
    return dict(zip(tables, counted, strict=True))


# --- what the platform keeps for it -----------------------------------------------------------------------


def _settings(session: Session, slug: str, dry_run: bool) -> int:
    """Count the settings; they go with the plugin's row."""
    statement = select(TenantPlugin.settings).where(
        TenantPlugin.tenant_id == db.tenant_id(), TenantPlugin.slug == slug
    )
    return len(session.execute(statement).scalar_one_or_none() or {})


def _rights(session: Session, slug: str, dry_run: bool) -> int:
    count = 0
    statement = select(Role).where(Role.tenant_id == db.tenant_id())
    for role in session.execute(statement).scalars():
        left = {code: scope for code, scope in role.permissions.items() if not code.startswith(f"{slug}.")}
        count += len(role.permissions) - len(left)
        if not dry_run and len(left) < len(role.permissions):
            role.permissions = left
    return count


_OWN_KEYS = (
    "SELECT key FROM jsonb_object_keys(custom) AS key WHERE key = :slug OR starts_with(key, :slug || '.')"
)


def _fields(session: Session, slug: str, dry_run: bool) -> int:
    """Take the keys `<slug>` and `<slug>.…` out of the custom values of the core's records."""
    count = 0
    values = {"tenant_id": db.tenant_id(), "slug": slug}
    for table in doctor.tenant_tables():
        if "custom" not in table.c:
            continue
        where = f"tenant_id = :tenant_id AND custom <> '{{}}' AND EXISTS ({_OWN_KEYS})"
        if dry_run:
            counted = text(f"SELECT count(*) FROM {table.name} WHERE {where}")  # noqa: S608 - our own names
            count += session.execute(counted, values).scalar_one()
            continue
        # With a new version: what somebody has open and saves later can't bring the values back.
        changed = text(
            f"UPDATE {table.name} SET version = version + 1, custom = custom - ARRAY({_OWN_KEYS}) WHERE {where}"  # noqa: S608 - our own names
        )
        done: Any = session.execute(changed, values)
        count += done.rowcount
    return count


def _belonging(table: Table) -> ColumnElement[Any] | None:
    """Return the column of a core table that names the record type a row belongs to."""
    return table.c.get({"search_terms": "kind", "drafts": "key"}.get(table.name, "object"))


def _records(session: Session, slug: str, dry_run: bool) -> int:
    """Remove views, files' entries, search terms and the like that belong to the plugin's records."""
    count = 0
    for table in reversed(doctor.tenant_tables()):
        column = _belonging(table)
        if column is None or table.name in KEPT_TABLES or table.name == File.__tablename__:
            continue
        where = (table.c.tenant_id == db.tenant_id(), func.starts_with(column, f"{slug}."))
        count += _count_or_delete(session, table, where, dry_run)
    return count


def _files(session: Session, slug: str, dry_run: bool) -> int:
    """Remove the entries of files, and note the bytes that nobody else names: they go after the commit."""
    table: Any = File.__table__
    mine = func.starts_with(table.c.object, f"{slug}.")
    here = table.c.tenant_id == db.tenant_id()
    if not dry_run:
        others = select(table.c.sha256).where(here, ~mine)
        alone = select(table.c.sha256).where(here, mine, table.c.sha256.not_in(others)).distinct()
        session.info["bytes_to_drop"] = list(session.execute(alone).scalars())
    return _count_or_delete(session, table, (here, mine), dry_run)


def _schedules(session: Session, slug: str, dry_run: bool) -> int:
    table: Any = ScheduleRun.__table__
    where = (table.c.tenant_id == db.tenant_id(), func.starts_with(table.c.name, f"x.{slug}."))
    return _count_or_delete(session, table, where, dry_run)


def _faults(session: Session, slug: str, dry_run: bool) -> int:
    table: Any = PluginIncident.__table__
    return _count_or_delete(
        session, table, (table.c.tenant_id == db.tenant_id(), table.c.slug == slug), dry_run
    )


def _jobs(session: Session, slug: str, dry_run: bool) -> int:
    """Remove the jobs that wait or have failed; one that runs ends by itself."""
    what = (
        "procrastinate_jobs WHERE task_name LIKE 'addons.%' AND status IN ('todo', 'failed') "
        "AND args ->> 'tenant_id' = :tenant_id AND args ->> 'slug' = :slug AND task_name <> 'addons.purge'"
    )
    values = {"tenant_id": str(db.tenant_id()), "slug": slug}
    if dry_run:
        return int(session.execute(text(f"SELECT count(*) FROM {what}"), values).scalar_one())  # noqa: S608 - constants
    done: Any = session.execute(text(f"DELETE FROM {what}"), values)  # noqa: S608 - constants
    return int(done.rowcount)


def _count_or_delete(session: Session, table: Any, where: tuple[Any, ...], dry_run: bool) -> int:
    if dry_run:
        return int(session.execute(select(func.count()).select_from(table).where(*where)).scalar_one())
    done: Any = session.execute(delete(table).where(*where))
    return int(done.rowcount)


purgers: dict[str, Purger] = {
    "settings": _settings,
    "rights": _rights,
    "fields": _fields,
    "files": _files,
    "records": _records,
    "jobs": _jobs,
    "schedules": _schedules,
    "faults": _faults,
    "starters": purge_starters,
}
"""Where the platform keeps things for a plugin; more places are added by name."""
