"""What removed plugins have left in the database, and taking it away for all firms."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from kehu.addons.audits import VERSIONS, schema_of
from kehu.addons.models import PluginInstall, TenantPlugin
from kehu.addons.purge import purge
from kehu.addons.rows import locked
from kehu.addons.states import ON, TenantState
from kehu.addons.switching import switch_off
from kehu.core import context, db, hooks, migration
from kehu.core.errors import Conflict, NotFound
from plugins.manifest import SLUG

_SCHEMAS = text("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'p_') ORDER BY nspname")
_TABLES = text(
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> :versions"
)


@dataclass(frozen=True, kw_only=True)
class Orphan:
    """The schema of a plugin whose code is gone."""

    slug: str
    rows: dict[str, int]
    tenants: int


def schemas(session: Session) -> frozenset[str]:
    """Return the slugs of all plugins that have a schema."""
    names = (name.removeprefix("p_") for name in session.execute(_SCHEMAS).scalars())
    return frozenset(slug for slug in names if SLUG.fullmatch(slug))


def orphans() -> list[Orphan]:
    """Return what is left of plugins that are not installed any more, with the rows of all firms."""
    installed = {record.slug for record in hooks.host().installed}
    with db.cross_tenant("look for what removed plugins have left") as session:
        return [_orphan(session, slug) for slug in sorted(schemas(session) - installed)]


def _orphan(session: Session, slug: str) -> Orphan:
    names = session.execute(_TABLES, {"schema": schema_of(slug), "versions": VERSIONS}).scalars().all()
    counts = {
        name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608 - quoted by the catalogue
        for name in sorted(names)
    }
    return Orphan(slug=slug, rows=counts, tenants=len(_tenants(session, slug)))


def _tenants(session: Session, slug: str) -> list[object]:
    return list(session.execute(select(TenantPlugin.tenant_id).where(TenantPlugin.slug == slug)).scalars())


def drop(url: str, slug: str) -> int:
    """Purge a removed plugin in every firm, then drop its schema; return in how many firms it was.

    :param url: the owner's address of the database.
    :raises Conflict: while its code is installed.
    :raises NotFound: when nothing of it is left.
    """
    if hooks.host().installed.get(slug) is not None:
        raise Conflict(f"{slug} is installed. Uninstall its distribution first; its data stays until then.")
    with db.cross_tenant(f"remove what is left of the plugin {slug}") as session:
        if slug not in schemas(session):
            raise NotFound(f"Nothing of {slug} is left in the database.")
        tenants = _tenants(session, slug)
    for tenant_id in tenants:
        with db.unit_of_work():
            tenant = hooks.tenant_by_id(tenant_id)  # type: ignore[arg-type]
        if tenant is not None:
            _leave(tenant, slug)
    engine = migration.owner_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout TO '10s'"))
        connection.execute(text(f"DROP SCHEMA {schema_of(slug)} CASCADE"))
        connection.execute(delete(PluginInstall).where(PluginInstall.slug == slug))
    engine.dispose()
    return len(tenants)


def _leave(tenant: context.TenantInfo, slug: str) -> None:
    with context.use(tenant=tenant, actor=context.SYSTEM, source="command"):
        with db.unit_of_work() as session:
            found = locked(session)
            if slug in found and found[slug].state in ON | {TenantState.SUSPENDED}:
                switch_off(session, found, slug, TenantState.DISABLED)
        # One that never got further than a try stands as available.
        purge(slug, frozenset(TenantState) - ON)
