"""The public surface for authors of plugins: a plugin imports this and `kehu.testkit`, nothing else of Kehu.

The API is 0.x: it may change with any minor version until three different modules use it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import redirect, request, url_for
from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from kehu.addons.calls import Call, Event
from kehu.addons.receiving import read_mail
from kehu.addons.settings import values as plugin_settings
from kehu.addons.starter_rows import starter_id
from kehu.addons.tasks import run_later
from kehu.addons.usage import count_usage, counted_usage
from kehu.addons.visitors import public, public_url
from kehu.booking.use import book, booking_step, free_times
from kehu.calendars.queries import business_hours
from kehu.consent.facts import opted_out
from kehu.consent.gate import Outgoing, check_send
from kehu.consent.services import ConsentService
from kehu.core import clock
from kehu.core.audit import write as audit
from kehu.core.bulk import among, insert_rows, update_rows
from kehu.core.business_hours import BusinessHours, NeverOpen
from kehu.core.context import Actor, TenantInfo, actor, tenant
from kehu.core.db import session
from kehu.core.errors import Conflict, Duplicate, Forbidden, InvalidInput, KehuError, NotFound
from kehu.core.i18n import _, _l, _n, day_text, whole
from kehu.core.ids import new_id, parse_id
from kehu.core.mailbox import file_name as mail_file_name
from kehu.core.mailbox import parse_mail
from kehu.core.migration import add_fk, record_columns, tenant_table
from kehu.core.migration import begin as begin_migration
from kehu.core.paper import paragraph as pdf_paragraph
from kehu.core.records import scope
from kehu.core.records.fields import Field, Option
from kehu.core.records.following import FollowingService
from kehu.core.records.service import Outcome, RecordService, service_for
from kehu.core.records.types import RecordType, get
from kehu.core.tables import RecordMeta, RecordRow, TenantRow, metadata, tenant_fk, tenant_index, tenant_owner
from kehu.core.text import clean, fold, normal_email, normal_phone, show_phone
from kehu.items.calendar import add_months
from kehu.members.queries import members_who_may
from kehu.merging.services import Merging
from kehu.messages.models import Message
from kehu.messages.services import Letter, MessageService
from kehu.messages.texts import Translated
from kehu.relations.mates import Mate, all_with, household_mates
from kehu.relations.parting import part_household
from kehu.reports.counting import counted, share, within
from kehu.web.access import needs
from kehu.web.records.answers import done_toast, go_to
from kehu.web.records.detail import record_page_context
from kehu.web.records.members import member_options
from kehu.web.records.once import new_key, once
from kehu.web.records.pages import RecordPages, Tab
from kehu.web.render import render_page
from kehu.web.toasts import toast
from kehu.web.widgets import reltime
from plugins.blueprint import PluginBlueprint
from plugins.deprecation import renamed
from plugins.offering import DatedThing, OfferSource
from plugins.receiving import ReceivedMail
from plugins.reporting import Cell, FigureRow, Figures, Period, Report
from plugins.results import (
    Criterion,
    CustomField,
    JobDef,
    NavItem,
    NextStep,
    Panel,
    Permission,
    PurgeReport,
    RecordAction,
    SettingsSchema,
    Suggestion,
    Veto,
)
from plugins.rules import hookimpl
from plugins.sending import MessageTemplate, MessageText, Place, Refusal
from plugins.starters import PipelineStarter, RoleStarter, SampleStarter, StageStarter, Starter
from plugins.subjects import SubjectReport


def plugin_base(slug: str) -> type[DeclarativeBase]:
    """Return a declarative base of the plugin's own, so that its mistakes stop no query of the core.

    Tables belong into the schema `p_<slug>`; see `plugin_args`.
    """

    class PluginBase(DeclarativeBase, metaclass=RecordMeta):
        """Base of one plugin's tables."""

        __abstract__ = True

    PluginBase.metadata = metadata
    PluginBase.registry.metadata = metadata
    PluginBase.__name__ = f"{slug.title()}Base"
    return PluginBase


def plugin_args(slug: str, table: str, *parts: Any) -> tuple[Any, ...]:
    """Return `__table_args__` of a plugin's tenant table."""
    return (tenant_owner(table), *parts, {"schema": f"p_{slug}", "info": {"scope": "tenant"}})


def readable(object_name: str) -> Any:
    """Return the condition that keeps a query of a record type's table within what the actor may see."""
    record_type, who = get(object_name), actor()
    model: Any = record_type.model
    reach = who.scope(f"{object_name}:read")
    # Said here as well: a statement of counts alone does not go through the hook that adds the tenant.
    return and_(
        model.tenant_id == tenant().id,
        model.deleted_at.is_(None),
        scope.condition(record_type, model, who, reach),
    )


def send_message(session: Session, template: str, **letter: Any) -> Message:
    """Send a message to a customer or contact: in the recipient's language, through the gate, by a job.

    What becomes of it stands on the time line and in `state`: queued, sent, refused or failed.

    :param template: key of a message that is returned from `kehu_register_messages`.
    :param letter: `customer_id` or `contact_id`, `data` for the places of the text (a day is written in the
        recipient's language), `purpose` when it is another than the template's, `once`: a second message with the
        same word is not sent, so that a job may run twice.
    """
    return MessageService(session).send(Letter(template=template, **letter))


def consent_of(session: Session, object_name: str, record_id: Any, channel: str, purpose: str) -> str | None:
    """Return what a person said to messages of a kind: given, withdrawn, or None when nobody knows.

    :param object_name: `customers` or `contacts`.
    """
    service = ConsentService(session)
    return service.state(service.person(object_name, record_id), channel, purpose)


def record_consent(
    session: Session,
    object_name: str,
    record_id: Any,
    channel: str,
    purpose: str,
    *,
    agrees: bool,
    how: str = "web",
    **proof: Any,
) -> None:
    """Write down what a person said to messages of a kind; whoever may write the person's record may do so.

    Somebody who agreed before a refusal that is known stays refused; the history shows both.

    :param object_name: `customers` or `contacts`.
    :param how: form, web, phone, person or mail.
    :param proof: `said_at` (a moment), `source_text` (what the person agreed to), `proof` (where that can be seen).
    """
    state = "given" if agrees else "withdrawn"
    ConsentService(session).record(object_name, record_id, channel, purpose, state, how=how, **proof)


def member_names(session: Session, ids: Iterable[Any]) -> dict[str, str]:
    """Return the names of members by id as text, of those who have left, too."""
    wanted = [one for one in set(ids) if one is not None]
    if not wanted:
        return {}
    members = metadata.tables["members"]
    statement = select(members.c.id, members.c.name).where(
        members.c.tenant_id == tenant().id, members.c.id.in_(wanted)
    )
    return {str(row.id): row.name for row in session.execute(statement)}


if not TYPE_CHECKING:  # A checker of types should see the names that there are, and no others.

    def __getattr__(name: str) -> Any:
        """Hand on what is called otherwise by now, and tell who asked."""
        new = renamed(name)
        if new is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return globals()[new]


__all__ = [
    "Actor",
    "BusinessHours",
    "Call",
    "Cell",
    "Conflict",
    "Criterion",
    "CustomField",
    "DatedThing",
    "DeclarativeBase",
    "Duplicate",
    "Event",
    "Field",
    "FigureRow",
    "Figures",
    "FollowingService",
    "Forbidden",
    "InvalidInput",
    "JobDef",
    "KehuError",
    "Mapped",
    "Mate",
    "Merging",
    "Message",
    "MessageTemplate",
    "MessageText",
    "NavItem",
    "NeverOpen",
    "NextStep",
    "NotFound",
    "OfferSource",
    "Option",
    "Outcome",
    "Outgoing",
    "Panel",
    "Period",
    "Permission",
    "PipelineStarter",
    "Place",
    "PluginBlueprint",
    "PurgeReport",
    "ReceivedMail",
    "RecordAction",
    "RecordPages",
    "RecordRow",
    "RecordService",
    "RecordType",
    "Refusal",
    "Report",
    "RoleStarter",
    "SampleStarter",
    "Session",
    "SettingsSchema",
    "StageStarter",
    "Starter",
    "SubjectReport",
    "Suggestion",
    "Tab",
    "TenantInfo",
    "TenantRow",
    "Translated",
    "Veto",
    "_",
    "_l",
    "_n",
    "actor",
    "add_fk",
    "add_months",
    "all_with",
    "among",
    "and_",
    "audit",
    "begin_migration",
    "book",
    "booking_step",
    "business_hours",
    "check_send",
    "clean",
    "clock",
    "consent_of",
    "count_usage",
    "counted",
    "counted_usage",
    "day_text",
    "done_toast",
    "fold",
    "free_times",
    "func",
    "go_to",
    "hookimpl",
    "household_mates",
    "insert",
    "insert_rows",
    "mail_file_name",
    "mapped_column",
    "member_names",
    "member_options",
    "members_who_may",
    "needs",
    "new_id",
    "new_key",
    "normal_email",
    "normal_phone",
    "once",
    "opted_out",
    "or_",
    "parse_id",
    "parse_mail",
    "part_household",
    "pdf_paragraph",
    "plugin_args",
    "plugin_base",
    "plugin_settings",
    "public",
    "public_url",
    "read_mail",
    "readable",
    "record_columns",
    "record_consent",
    "record_page_context",
    "redirect",
    "reltime",
    "render_page",
    "request",
    "run_later",
    "select",
    "send_message",
    "service_for",
    "session",
    "share",
    "show_phone",
    "starter_id",
    "tenant",
    "tenant_fk",
    "tenant_index",
    "tenant_table",
    "toast",
    "update_rows",
    "url_for",
    "whole",
    "within",
]
