"""Where each plugin of the installation stands, why, and what to do about it; also what is left of removed ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.addons import audits, drift, installs
from kehu.addons.models import PluginInstall, TenantPlugin
from kehu.addons.orphans import schemas
from kehu.addons.states import ON
from kehu.core import db
from plugins.records import Installed, PluginRecord, State

MISSING = "missing"
"""Firms have it switched on, but its code is not installed; it has no tables."""

FINE = frozenset({State.READY.value, State.BLOCKED.value})
"""States that need nobody: what is blocked is so on purpose."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One plugin as an operator should see it.

    :param state: as in `plugins.records.State`, or `missing`.
    :param tenants: how many have it switched on.
    :param problems: what is wrong with its tables, each with the remedy.
    :param resting: held for all firms after faults.
    """

    slug: str
    name: str
    state: str
    version: str = ""
    api: str = ""
    builtin: bool = False
    reason: str = ""
    remedy: str = ""
    tenants: int = 0
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    resting: str = ""

    @property
    def trouble(self) -> bool:
        """Tell whether somebody has to do something."""
        return self.state not in FINE or bool(self.problems or self.resting)


def checkup(installed: Installed) -> list[Standing]:
    """Look at all plugins, those that are gone behind those that are there."""
    with db.cross_tenant("look at the plugins of the installation") as session:
        on, known, left = _on(session), installs.rows(session), schemas(session)
        # A part of the platform is looked at only when there is something to say of it.
        records = [record for record in installed if not record.system or record.warnings]
        found = [_standing(session, record, known.get(record.slug), on) for record in records]
        have = {record.slug for record in records}
        return found + [
            _gone(slug, slug in left, on.get(slug, 0)) for slug in sorted((left | on.keys()) - have)
        ]


def _on(session: Session) -> dict[str, int]:
    """Count the tenants that have each plugin switched on."""
    statement = (
        select(TenantPlugin.slug, func.count())
        .where(TenantPlugin.state.in_([state.value for state in ON]))
        .group_by(TenantPlugin.slug)
    )
    return {row.slug: row[1] for row in session.execute(statement)}


def _standing(
    session: Session, record: PluginRecord, row: PluginInstall | None, on: dict[str, int]
) -> Standing:
    now = installs.standing(record, row)
    # Without its code there are no models to compare with; before a migration they differ as they should.
    look = drift.problems if now.state is State.READY else audits.problems
    return Standing(
        slug=record.slug,
        name=record.name,
        state=now.state.value,
        version=record.version,
        api=str(record.manifest.api) if record.manifest else "",
        builtin=record.builtin,
        reason=now.reason,
        remedy=now.remedy,
        tenants=on.get(record.slug, 0),
        problems=tuple(look(session.connection(), record.slug)),
        warnings=record.warnings,
        resting=(row.held_reason or "") if row is not None and installs.resting(row) else "",
    )


def _gone(slug: str, has_tables: bool, tenants: int) -> Standing:
    if has_tables:
        reason = "Its tables are in the database, its code is not installed."
        remedy = f"Install it again, or remove what is left with `kehu plugin orphans --drop {slug}`."
    else:
        reason = "It is switched on, but its code is not installed."
        remedy = f"Install it again, or switch it off with `kehu plugin disable ADDRESS {slug}`."
    state = State.ORPHAN.value if has_tables else MISSING
    return Standing(slug=slug, name=slug, state=state, reason=reason, remedy=remedy, tenants=tenants)


def troubles(found: Iterable[Standing]) -> list[Standing]:
    """Return those that need somebody."""
    return [one for one in found if one.trouble]
