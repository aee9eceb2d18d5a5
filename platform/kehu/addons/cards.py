"""What the pages of plugins show: each plugin of the installation with its state in the present tenant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.addons.models import PluginIncident, TenantPlugin
from kehu.addons.rows import rows
from kehu.addons.states import HELD, ON, TenantState
from kehu.core import context, hooks, permissions
from kehu.core.i18n import _
from kehu.core.records.types import registered
from plugins.addon_offers import AddonOffer
from plugins.manifest import Manifest
from plugins.records import PluginRecord, State

FAULTS_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class PluginCard:
    """What the page of plugins shows of one.

    :param usable: whether it runs in this installation; `why` says what is wrong and what to do about it.
    :param state: where it stands in this tenant; `reason` is what it last said or the platform says of it there.
    :param until: when a quarantine ends, or the day of the purge.
    :param on: switched on, as an admin sees it; `held` when it may not run just now.
    :param pictures: name of the file and what it shows.
    :param installed: False when only its rows and data are left.
    """

    slug: str
    name: str
    summary: str = ""
    version: str = ""
    builtin: bool = False
    installed: bool = True
    manifest: Manifest | None = None
    usable: bool = False
    why: str = ""
    state: TenantState = TenantState.AVAILABLE
    reason: str = ""
    until: dt.datetime | None = None
    on: bool = False
    held: bool = False
    entitled: bool = True
    permissions: Sequence[Any] = ()
    faults: Sequence[PluginIncident] = ()
    settable: bool = False
    personal_data: Sequence[str] = ()
    basis: str = ""
    pictures: Sequence[tuple[str, str]] = ()


def entitled(slug: str) -> bool:
    """Tell whether the present tenant may have a plugin switched on."""
    return hooks.first("kehu_entitled", tenant_id=context.tenant().id, slug=slug) is not False


def offer(slug: str) -> AddonOffer | None:
    """Return what billing says of an add-on; None where nothing is charged for it."""
    found: AddonOffer | None = hooks.first("kehu_addon_offer", tenant_id=context.tenant().id, slug=slug)
    return found


def why_not(slug: str, name: str) -> str:
    """Return why the present tenant may not have a plugin, and the next step."""
    found = offer(slug)
    return str(found.text) if found is not None else _("Your plan does not hold %(plugin)s.", plugin=name)


def brings(slug: str) -> list[tuple[str, list[str]]]:
    """Return in words what a firm gets with a plugin, on or off: records, fields, jobs and reports."""
    made = hooks.host().declarations
    types = registered()
    fields = [
        f"{types[one.object].label}: {one.field.label}" if one.object in types else str(one.field.label)
        for owner, one in made.custom_fields
        if owner == slug
    ]
    jobs = [str(one.title) for owner, one in made.jobs if owner == slug and (one.at or one.every_minutes)]
    reports = [str(one.title) for owner, one in made.reports if owner == slug]
    kept = [str(one.plural) for owner, one in made.records if owner == slug]
    found = [
        (_("Records"), kept),
        (_("Fields"), fields),
        (_("Work that comes back"), jobs),
        (_("Reports"), reports),
    ]
    return [(label, texts) for label, texts in found if texts]


def declared_permissions() -> dict[str, tuple[Any, ...]]:
    """Return what each plugin's rights are, by slug, those over its records too."""
    found: dict[str, tuple[Any, ...]] = {}
    for one in permissions.registered().values():
        if one.plugin:
            found[one.plugin] = (*found.get(one.plugin, ()), one)
    return found


def cards(session: Session) -> list[PluginCard]:
    """Return all plugins that tenants decide about, and those that are gone but left something here."""
    kept, faults = rows(session), _faults(session)
    host = hooks.host()
    rights = declared_permissions()
    settable = {slug for slug, _schema in host.declarations.settings}
    shown = [
        _card(record, kept.get(record.slug), faults, rights, settable)
        for record in host.installed
        if record.switchable and record.state is not State.ORPHAN
    ]
    gone = [row for slug, row in kept.items() if _is_gone(slug) and row.state != TenantState.AVAILABLE]
    return shown + [_left_over(row, faults) for row in sorted(gone, key=lambda row: row.slug)]


def _is_gone(slug: str) -> bool:
    record = hooks.host().installed.get(slug)
    return record is None or record.state is State.ORPHAN


def _card(
    record: PluginRecord,
    row: TenantPlugin | None,
    faults: Mapping[str, list[PluginIncident]],
    rights: Mapping[str, tuple[Any, ...]],
    settable: set[str],
) -> PluginCard:
    manifest = record.manifest
    may = entitled(record.slug)
    return PluginCard(
        slug=record.slug,
        name=_(record.name),
        summary=_(manifest.summary) if manifest else "",
        personal_data=[_(one) for one in manifest.personal_data.categories] if manifest else (),
        basis=_(manifest.personal_data.basis) if manifest and manifest.personal_data.basis else "",
        pictures=[(Path(file).name, _(text)) for file, text in manifest.pictures.items()] if manifest else (),
        version=record.version,
        builtin=record.builtin,
        manifest=manifest,
        usable=record.state is State.READY,
        why=f"{record.reason} {record.remedy}".strip(),
        entitled=may,
        permissions=rights.get(record.slug, ()),
        faults=faults.get(record.slug, ()),
        settable=record.slug in settable,
        **_standing(row, may),
    )


def _left_over(row: TenantPlugin, faults: Mapping[str, list[PluginIncident]]) -> PluginCard:
    return PluginCard(
        slug=row.slug,
        name=row.name or row.slug,
        installed=False,
        why=_(
            "Its code is not installed any more. Its data is still here; ask whoever runs this installation."
        ),
        faults=faults.get(row.slug, ()),
        **_standing(row, True),
    )


def _standing(row: TenantPlugin | None, may: bool) -> dict[str, Any]:
    state = TenantState(row.state) if row is not None else TenantState.AVAILABLE
    if state is TenantState.AVAILABLE and not may:
        state = TenantState.LOCKED
    reason = (row.reason or "") if row is not None else ""
    if row is not None and state is TenantState.SUSPENDED:
        reason = why_not(row.slug, row.name or row.slug)  # As it is now, in the reader's language.
    return {
        "state": state,
        "reason": reason,
        "until": row.until if row is not None else None,
        "on": state in ON,
        "held": state in HELD,
    }


def _faults(session: Session) -> dict[str, list[PluginIncident]]:
    statement = select(PluginIncident).order_by(PluginIncident.last_at.desc()).limit(100)
    found: dict[str, list[PluginIncident]] = {}
    for fault in session.execute(statement).scalars():
        if len(found.setdefault(fault.slug, [])) < FAULTS_SHOWN:
            found[fault.slug].append(fault)
    return found
