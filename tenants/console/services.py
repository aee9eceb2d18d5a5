"""One firm as an operator sees it, and what an operator does to it: each act with a reason, in the firm's trail."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from kehu.core import context, db, hooks
from kehu.core.context import TenantInfo
from kehu.core.errors import InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.text import clean
from tenants.console.registry import REASON, REQUEST, Action, Field, Section, all_of
from tenants.models import Tenant

LONGEST_REASON = 300


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A part of a firm's page with what it shows."""

    key: str
    title: str
    template: str
    part: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Firm:
    """A firm's page."""

    tenant: TenantInfo
    created_at: dt.datetime
    sections: Sequence[Shown]
    actions: Sequence[Action]


class ConsoleService:
    """Look at one firm and act on it, as an operator.

    :param operator: made by `kehu.accounts.operators`, which is where the right is checked.
    """

    def __init__(self, operator: context.Actor) -> None:
        self.operator = operator

    def firm(self, tenant_id: uuid.UUID) -> Firm:
        """Return all that the page of a firm shows; that it was looked at is kept.

        :raises NotFound: when there is no such firm.
        """
        with (
            context.use(actor=self.operator),
            db.cross_tenant(f"an operator looks at the firm {tenant_id}") as session,
        ):
            created_at = session.execute(
                select(Tenant.created_at).where(Tenant.id == tenant_id)
            ).scalar_one_or_none()
        tenant = self._tenant(tenant_id)
        assert created_at is not None
        with db.unit_of_work(tenant=tenant, actor=self.operator) as own:
            sections = [
                Shown(key=one.key, title=str(one.title), template=one.template, part=one.load(own, tenant))
                for one in all_of(Section)
            ]
        actions = [one for one in all_of(Action) if one.fits(tenant)]
        return Firm(tenant=tenant, created_at=created_at, sections=sections, actions=actions)

    def act(self, tenant_id: uuid.UUID, key: str, given: Mapping[str, str]) -> str:
        """Do something to a firm and return the sentence that says so.

        :raises NotFound: when there is no such firm, or nothing of this name that fits it now.
        :raises InvalidInput: names the field and the remedy.
        """
        tenant = self._tenant(tenant_id)
        action = next((one for one in all_of(Action) if one.key == key and one.fits(tenant)), None)
        if action is None:
            raise NotFound(_("This can't be done to the firm as it is now. Load the page again."))
        values = _checked(action, given)
        with db.unit_of_work(tenant=tenant, actor=self.operator, source="operator") as session:
            return action.run(session, values)

    def _tenant(self, tenant_id: uuid.UUID) -> TenantInfo:
        tenant = hooks.tenant_by_id(tenant_id)
        if tenant is None:
            raise NotFound(_("There is no such firm."))
        return tenant


def _checked(action: Action, given: Mapping[str, str]) -> dict[str, str]:
    values = {one.name: clean(given.get(one.name, ""))[:500] for one in action.fields}
    values[REASON], values[REQUEST] = clean(given.get(REASON, "")), given.get(REQUEST, "")[:40]
    errors: dict[str, list[str]] = {}
    for one in action.fields:
        message = _wrong(one, values[one.name])
        if message:
            errors[one.name] = [message]
    if not 3 <= len(values[REASON]) <= LONGEST_REASON:
        errors[REASON] = [
            _("Write why, with 3 to %(most)s characters: it stands in the firm's trail.", most=LONGEST_REASON)
        ]
    if errors:
        raise InvalidInput(_("Some answers need another look; what you typed is kept."), fields=errors)
    return values


def _wrong(field: Field, value: str) -> str:
    """Return what is wrong with an answer, or nothing."""
    if not value:
        return _("Fill this in.") if field.required and field.kind != "checkbox" else ""
    if field.options is not None and value not in dict(field.options()):
        return _("Choose one of the list.")
    if field.kind == "number" and not (value.isascii() and value.isdigit() and len(value) < 10):
        return _("Write a whole number.")
    if field.kind == "date":
        try:
            dt.date.fromisoformat(value) + dt.timedelta(days=366)
        except (ValueError, OverflowError):
            return _("Write a day as 2027-01-31.")
    return ""
