"""The first steps of a new firm; they tick themselves from what is really there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from kehu.addons.models import TenantPlugin
from kehu.core import context, db
from kehu.core.audit import AuditEntry
from kehu.core.context import Context
from kehu.core.i18n import _l
from kehu.customers.models import Customer
from kehu.deals.models import Deal
from kehu.members.models import Member
from kehu.web.shell import Checklist
from tenants import example
from tenants.services import TenantService

FINISHED = "checklist_done"
SKIPPED = "checklist_skipped"
PAGE = "/start"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: what to do, where, and by which right."""

    key: str
    title: Any
    text: Any
    action: Any
    url: str
    permission: str


STEPS = (
    Step(
        key="customers",
        title=_l("Bring your customers"),
        text=_l("From a CSV or Excel file, or type the first one."),
        action=_l("Import"),
        url="/imports/new",
        permission="customers:write",
    ),
    Step(
        key="members",
        title=_l("Invite your people"),
        text=_l("Each signs in with an address of their own; roles say who may do what."),
        action=_l("Invite"),
        url="/settings/members",
        permission="members:manage",
    ),
    Step(
        key="plugins",
        title=_l("Pick plugins"),
        text=_l("Functions for your trade, switched on and off at any time."),
        action=_l("Look"),
        url="/settings/plugins",
        permission="plugins:manage",
    ),
    Step(
        key="pipeline",
        title=_l("Set your pipeline"),
        text=_l("Name the stages that your deals go through."),
        action=_l("Set"),
        url="/settings/pipelines",
        permission="settings:manage",
    ),
    Step(
        key="deal",
        title=_l("Enter the first deal"),
        text=_l("Then drag it along the board."),
        action=_l("Open the board"),
        url="/deals/board",
        permission="deals:write",
    ),
)


def done_steps() -> set[str]:
    """Return the keys of the steps that are done, by one query."""
    here = context.tenant().id
    checks: dict[str, ColumnElement[bool]] = {
        "customers": exists().where(
            Customer.tenant_id == here,
            Customer.deleted_at.is_(None),
            Customer.id.not_in(example.record_ids("customers")),
        ),
        "members": exists().where(
            Member.tenant_id == here,
            Member.deleted_at.is_(None),
            Member.id != context.actor().member_id,
            Member.state.in_(("active", "invited")),
        ),
        "plugins": exists().where(TenantPlugin.tenant_id == here),
        "pipeline": exists().where(
            AuditEntry.tenant_id == here,
            # Written out: with parameters a prepared plan reads the whole trail of a big tenant to find nothing.
            AuditEntry.object.in_([literal_column("'stages'"), literal_column("'pipelines'")]),
        ),
        "deal": exists().where(
            Deal.tenant_id == here, Deal.deleted_at.is_(None), Deal.id.not_in(example.record_ids("deals"))
        ),
    }
    row = db.session().execute(select(*[check.label(key) for key, check in checks.items()])).one()
    by_hand = set(context.tenant().settings.get(SKIPPED, ()))
    return {key for key in checks if getattr(row, key)} | by_hand


def sees_checklist() -> bool:
    """Tell whether the present member is shown the first steps: who may set the firm up, until they are done."""
    now = context.current()
    if now.tenant is None or now.actor is None or now.tenant.settings.get(FINISHED):
        return False
    return now.actor.may("settings:manage")


def in_side_bar(_context: Context) -> Checklist | None:
    """Return how far the first steps have come; costs a query only until they are done."""
    if not sees_checklist():
        return None
    done = done_steps()
    if len(done) >= len(STEPS):
        finish()
        return None
    return Checklist(done=len(done), total=len(STEPS), url=PAGE)


def finish() -> None:
    """Show the first steps no more."""
    TenantService(db.session()).note(**{FINISHED: True})


def mark(key: str) -> None:
    """Take a step as done because a member says so."""
    skipped = set(context.tenant().settings.get(SKIPPED, ()))
    if key in {step.key for step in STEPS}:
        TenantService(db.session()).note(**{SKIPPED: sorted(skipped | {key})})
