"""Switching plugins on and off for one tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.addons.calls import call
from kehu.addons.models import PluginIncident, TenantPlugin
from kehu.core import audit, clock, context, hooks
from kehu.core.errors import Conflict, Forbidden, NotFound
from kehu.core.i18n import _
from kehu.members.models import Role
from plugins.records import PluginRecord, State
from plugins.relay import PluginError

ON, OFF = "enabled", "disabled"


@dataclass(frozen=True, kw_only=True)
class PluginCard:
    """What the page of plugins shows of one.

    :param usable: whether it runs in this installation.
    :param why: what is wrong, and what to do about it.
    """

    slug: str
    name: str
    summary: str
    version: str
    builtin: bool
    usable: bool
    why: str
    on: bool
    entitled: bool
    permissions: Sequence[Any]
    faults: Sequence[PluginIncident]
    settable: bool = False


class PluginService:
    """Decide about plugins for the present tenant."""

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()
        self.actor.require("plugins:manage")
        self.tenant = context.tenant()

    def cards(self) -> list[PluginCard]:
        """Return all installed plugins with their state here and their latest faults."""
        host = hooks.host()
        faults = self._faults()
        declared: dict[str, list[Any]] = {}
        settable = {slug for slug, _schema in host.declarations.settings}
        for slug, permission in host.declarations.permissions:
            declared.setdefault(slug, []).append(permission)
        return [
            PluginCard(
                slug=record.slug,
                name=record.manifest.name if record.manifest else record.slug,
                summary=record.manifest.summary if record.manifest else "",
                version=record.version,
                builtin=record.builtin,
                usable=record.state is State.READY,
                why=f"{record.reason} {record.remedy}".strip(),
                on=record.slug in self.tenant.plugins,
                entitled=self._entitled(record.slug),
                permissions=declared.get(record.slug, []),
                faults=faults.get(record.slug, []),
                settable=record.slug in settable,
            )
            for record in host.installed
            if not record.system
        ]

    def switch_on(self, slug: str) -> PluginRecord:
        """Switch a plugin on and let it prepare the tenant, in one transaction.

        :raises NotFound: when it is not installed.
        :raises Conflict: when it can't be used, or its preparation failed.
        :raises Forbidden: when the tenant's plan does not hold it.
        """
        record = self._record(slug)
        if slug in self.tenant.plugins:
            return record
        if record.state is not State.READY:
            raise Conflict(_("%(plugin)s can't be used in this installation now.", plugin=self._name(record)))
        if not self._entitled(slug):
            raise Forbidden(_("Your plan does not hold %(plugin)s.", plugin=self._name(record)))
        missing = [
            need
            for need in (record.manifest.requires if record.manifest else ())
            if need not in self.tenant.plugins
        ]
        if missing:
            raise Conflict(
                _("Switch on %(plugins)s first; this one builds on it.", plugins=", ".join(missing))
            )
        row = self._row(slug)
        first_time = row is None
        if row is None:
            row = TenantPlugin(
                slug=slug, data_version=record.manifest.data_version if record.manifest else 1, settings={}
            )
            self.session.add(row)
        row.state, row.reason, row.changed_at = ON, None, clock.now()
        self._store({*self.tenant.plugins, slug})
        if first_time:
            self._grant(slug)
        try:
            hooks.host().relay.run_one(
                "kehu_tenant_enabled", slug, tenant=self.tenant.id, ctx=call(slug), first_time=first_time
            )
        except PluginError as error:
            raise Conflict(
                _(
                    "%(plugin)s could not be switched on; nothing was changed. It said: %(words)s",
                    plugin=self._name(record),
                    words=str(error)[:300],
                )
            ) from error
        self._note(record, "enabled")
        return record

    def switch_off(self, slug: str) -> PluginRecord:
        """Switch a plugin off; its data stays for the day it is switched on again.

        :raises Conflict: when another plugin that is on builds on it.
        """
        record = self._record(slug)
        if slug not in self.tenant.plugins:
            return record
        users = [
            other.slug
            for other in hooks.host().installed
            if other.slug in self.tenant.plugins and other.manifest and slug in other.manifest.requires
        ]
        if users:
            raise Conflict(
                _("Switch off %(plugins)s first; it builds on this one.", plugins=", ".join(users))
            )
        reason = None
        try:
            if record.state is State.READY:
                hooks.host().relay.run_one(
                    "kehu_tenant_disabled", slug, tenant=self.tenant.id, ctx=call(slug)
                )
        except PluginError as error:
            # It is switched off all the same; what it could not let go of is kept for the page.
            reason = str(error)[:500]
        row = self._row(slug)
        if row is None:
            row = TenantPlugin(slug=slug, settings={})
            self.session.add(row)
        row.state, row.reason, row.changed_at = OFF, reason, clock.now()
        self._store(set(self.tenant.plugins) - {slug})
        self._note(record, "disabled")
        return record

    # --- parts --------------------------------------------------------------------------------------------

    def _record(self, slug: str) -> PluginRecord:
        record = hooks.host().installed.get(slug)
        if record is None or record.system:
            raise NotFound(_("There is no such plugin in this installation."))
        return record

    def _name(self, record: PluginRecord) -> str:
        return record.manifest.name if record.manifest else record.slug

    def _row(self, slug: str) -> TenantPlugin | None:
        return self.session.execute(
            select(TenantPlugin).where(TenantPlugin.slug == slug)
        ).scalar_one_or_none()

    def _entitled(self, slug: str) -> bool:
        return hooks.first("kehu_entitled", tenant_id=self.tenant.id, slug=slug) is not False

    def _store(self, slugs: set[str]) -> None:
        self.session.flush()  # The plugin's own hook may read its row.
        hooks.first("kehu_store_plugins", tenant_id=self.tenant.id, slugs=sorted(slugs))
        self.tenant = context.tenant()

    def _grant(self, slug: str) -> None:
        """Let the built-in roles use the plugin: all of it, or to read for viewers. Admins may change that."""
        codes = [
            permission.code for owner, permission in hooks.host().declarations.permissions if owner == slug
        ]
        for role in self.session.execute(select(Role).where(Role.builtin)).scalars():
            given = [code for code in codes if role.code != "viewer" or code.endswith(":read")]
            role.permissions = {**dict.fromkeys(given, "all"), **role.permissions}

    def _faults(self) -> dict[str, list[PluginIncident]]:
        statement = select(PluginIncident).order_by(PluginIncident.last_at.desc()).limit(100)
        found: dict[str, list[PluginIncident]] = {}
        for fault in self.session.execute(statement).scalars():
            if len(found.setdefault(fault.slug, [])) < 3:
                found[fault.slug].append(fault)
        return found

    def _note(self, record: PluginRecord, action: str) -> None:
        audit.write(
            self.session,
            object="plugins",
            record_id=self.tenant.id,
            action=action,
            title=self._name(record),
            changes={record.slug: [action != "enabled", action == "enabled"]},
        )
