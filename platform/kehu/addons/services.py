"""Deciding about plugins for one tenant: on, off, purge, back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from kehu.addons import installs, purge, starters
from kehu.addons.cards import PluginCard, cards, declared_permissions, entitled, why_not
from kehu.addons.models import PluginIncident, TenantPlugin
from kehu.addons.plan import Plan, plan_off, plan_on, unusable
from kehu.addons.rows import locked, rows, store
from kehu.addons.states import HELD, ON, PURGE_AFTER, TenantState
from kehu.addons.switching import Rows, SwitchFailed, move, note, switch_off, switch_on
from kehu.core import clock, context, db, hooks, jobs
from kehu.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from kehu.core.i18n import _


class PluginService:
    """Decide about plugins for the present tenant."""

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()
        self.actor.require("plugins:manage")

    # --- looking ------------------------------------------------------------------------------------------

    def cards(self) -> list[PluginCard]:
        """Return all plugins that tenants decide about, with their state here and their latest faults."""
        return cards(self.session)

    def card(self, slug: str) -> PluginCard:
        """Return one of them.

        :raises NotFound: when there is none of the name.
        """
        for card in self.cards():
            if card.slug == slug:
                return card
        raise NotFound(_("There is no such plugin in this installation."))

    def plan(self, slug: str) -> Plan:
        """Return what switching a plugin on does: which others come with it, and what stands against it.

        :raises NotFound: when it is not installed.
        """
        self._known(slug)
        on = self._on(rows(self.session))
        plan = plan_on(hooks.host().installed, slug, on, entitled, declared_permissions(), why_not)
        steps = tuple(replace(step, starters=starters.offers(self.session, step.slug)) for step in plan.steps)
        plan = replace(plan, steps=steps)
        held = self._held_back(plan)
        return replace(plan, problems=(*plan.problems, *held)) if held else plan

    def plan_off(self, slug: str) -> Plan:
        """Return what goes off with a plugin: those that build on it, before it."""
        return plan_off(hooks.host().installed, slug, self._on(rows(self.session)))

    def purge_preview(self, slug: str) -> purge.Preview:
        """Count what a purge would take from this tenant; nothing is changed.

        :raises NotFound: when the plugin never was here.
        """
        row = self._row(rows(self.session), slug)
        return purge.preview(self.session, slug, row.name or slug)

    # --- on and off ---------------------------------------------------------------------------------------

    def enable(self, slug: str, agreed: Sequence[str] | None = None) -> Plan:
        """Switch a plugin on, after those that it needs, in one transaction; return what was done.

        :param agreed: the slugs of the plan that was shown; another plan by now is refused.
        :raises NotFound: when it is not installed.
        :raises Conflict: when it can't be used, refused, or its preparation failed; nothing is changed then.
        :raises Forbidden: when the tenant's plan does not hold it.
        """
        found = locked(self.session)
        plan = self.plan(slug)
        if plan.problems:
            raise (Forbidden if plan.locked else Conflict)(" ".join(plan.problems))
        if agreed is not None and tuple(agreed) != plan.slugs:
            raise Conflict(_("What would be switched on has changed in the meantime. Look at it again."))
        before = context.tenant()
        try:
            with self.session.begin_nested():
                for step in plan.steps:
                    record = hooks.host().installed.get(step.slug)
                    assert record is not None
                    switch_on(self.session, found, record)
        except SwitchFailed as failure:
            db.bind_tenant(before)
            keep_reason(failure.record.slug, failure.record.name, failure.reason)
            raise Conflict(
                _(
                    "%(plugin)s could not be switched on; nothing was changed. It said: %(words)s",
                    plugin=failure.record.name,
                    words=failure.reason[:300],
                )
            ) from failure
        return plan

    def disable(self, slug: str, *, dependants: bool = False) -> Plan:
        """Switch a plugin off; its data stays for the day it is switched on again.

        :param dependants: switch off those that build on it as well, before it.
        :raises NotFound: when it never was here.
        :raises Conflict: when others that are on build on it.
        """
        found = locked(self.session)
        if slug not in found:
            self._known(slug)
            return Plan()
        plan = plan_off(hooks.host().installed, slug, self._on(found))
        others = [step.name for step in plan.steps if step.why == "needed"]
        if others and not dependants:
            raise Conflict(
                _("Switch off %(plugins)s first; it builds on this one.", plugins=", ".join(others))
            )
        for other in plan.slugs:
            if found[other].state in ON | {TenantState.SUSPENDED}:
                switch_off(self.session, found, other, TenantState.DISABLED)
        return plan

    def resume(self, slug: str) -> None:
        """Let a plugin that rests after faults run again, or try once more to bring its data up to date.

        :raises Conflict: when it does neither.
        """
        found = locked(self.session)
        row = self._row(found, slug)
        if row.state == TenantState.QUARANTINED:
            move(row, TenantState.ENABLED)
            self._forget_trips(slug)
        elif row.state in (TenantState.UPGRADE_ERROR, TenantState.UPGRADE_PENDING):
            move(row, TenantState.UPGRADE_PENDING)
            jobs.enqueue(self.session, "addons.upgrade", slug=slug)
        else:
            raise Conflict(_("%(plugin)s does not rest.", plugin=row.name or slug))
        store(self.session, found)
        note(self.session, slug, row.name or slug, "resumed")

    # --- purge --------------------------------------------------------------------------------------------

    def schedule_purge(self, slug: str, typed: str) -> TenantPlugin:
        """Have everything that a plugin keeps of this tenant removed in 30 days.

        :param typed: the plugin's name, written by the admin so that it does not happen by mistake.
        :raises InvalidInput: when the name is another.
        :raises Conflict: while the plugin is on.
        """
        found = locked(self.session)
        row = self._row(found, slug)
        name = row.name or slug
        if row.state in ON:
            raise Conflict(_("Switch %(plugin)s off first; its data can be removed then.", plugin=name))
        if typed.strip().casefold() not in (name.casefold(), slug):
            message = _("Write “%(plugin)s” to have its data removed.", plugin=name)
            raise InvalidInput(message, fields={"name": [message]})
        move(row, TenantState.PURGE_SCHEDULED, until=clock.now() + PURGE_AFTER)
        note(self.session, slug, name, "purge_scheduled")
        return row

    def call_back(self, slug: str) -> None:
        """Keep the data after all.

        :raises Conflict: when no purge is waiting.
        """
        row = self._row(locked(self.session), slug)
        if row.state != TenantState.PURGE_SCHEDULED:
            raise Conflict(_("No removal of the data of %(plugin)s is waiting.", plugin=row.name or slug))
        move(row, TenantState.DISABLED)
        note(self.session, slug, row.name or slug, "purge_called_back")

    # --- parts --------------------------------------------------------------------------------------------

    def _known(self, slug: str) -> None:
        record = hooks.host().installed.get(slug)
        if record is None or not record.switchable:
            raise NotFound(_("There is no such plugin in this installation."))

    def _row(self, found: Rows, slug: str) -> TenantPlugin:
        if slug not in found:
            raise NotFound(_("This plugin never was switched on here."))
        return found[slug]

    def _held_back(self, plan: Plan) -> list[str]:
        """Say which plugins of a plan the whole installation can't switch on now."""
        if not plan.steps:
            return []
        found = []
        known = installs.rows(self.session)
        for step in plan.steps:
            record, row = hooks.host().installed.get(step.slug), known.get(step.slug)
            if installs.resting(row):
                found.append(
                    _(
                        "%(plugin)s rests for all firms after repeated faults. Try again later.",
                        plugin=step.name,
                    )
                )
            elif record is not None and installs.standing(record, row) is not record:
                found.append(unusable(step.name))
        return found

    def _on(self, found: Rows) -> set[str]:
        return {slug for slug, row in found.items() if row.state in HELD | {TenantState.ENABLED}}

    def _forget_trips(self, slug: str) -> None:
        self.session.execute(
            update(PluginIncident)
            .where(PluginIncident.tenant_id == db.tenant_id(), PluginIncident.slug == slug)
            .values(trips=0, tripped_at=None)
        )


def keep_reason(slug: str, name: str, reason: str) -> None:
    """Keep why a plugin could not be switched on, in a transaction of its own: that of the try is rolled back."""
    with db.unit_of_work() as session:
        found = rows(session)
        row: Any = found.get(slug)
        if row is None:
            row = TenantPlugin(slug=slug, settings={}, state=TenantState.AVAILABLE.value, name=name)
            session.add(row)
        row.reason = reason[:500]
