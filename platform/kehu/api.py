"""The public surface for authors of plugins: a plugin imports this and `kehu.testkit`, nothing else of Kehu.

The API is 0.x: it may change with any minor version until three different modules use it.
"""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from kehu.addons.calls import Call, Event
from kehu.addons.tasks import run_later
from kehu.addons.visitors import public, public_url
from kehu.calendars.queries import business_hours
from kehu.core import clock
from kehu.core.audit import write as audit
from kehu.core.business_hours import BusinessHours, NeverOpen
from kehu.core.context import Actor, TenantInfo, actor, tenant
from kehu.core.db import session
from kehu.core.errors import Conflict, Duplicate, Forbidden, InvalidInput, KehuError, NotFound
from kehu.core.i18n import _, _l, _n
from kehu.core.ids import new_id, parse_id
from kehu.core.migration import add_fk, tenant_table
from kehu.core.migration import begin as begin_migration
from kehu.core.records import scope
from kehu.core.records.fields import Field, Option
from kehu.core.records.service import service_for
from kehu.core.records.types import get
from kehu.core.tables import RecordRow, TenantRow, metadata, tenant_fk, tenant_index, tenant_owner
from kehu.core.text import clean, fold
from kehu.web.access import needs
from kehu.web.render import render_page
from kehu.web.toasts import toast
from plugins.blueprint import PluginBlueprint
from plugins.results import (
    JobDef,
    NavItem,
    Panel,
    Permission,
    PurgeReport,
    RecordAction,
    Section,
    SettingsSchema,
    Veto,
    Width,
)
from plugins.rules import hookimpl


def plugin_base(slug: str) -> type[DeclarativeBase]:
    """Return a declarative base of the plugin's own, so that its mistakes stop no query of the core.

    Tables belong into the schema `p_<slug>`; see `plugin_args`.
    """

    class PluginBase(DeclarativeBase):
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
    return and_(model.deleted_at.is_(None), scope.condition(record_type, model, who, reach))


__all__ = [
    "Actor",
    "BusinessHours",
    "Call",
    "Conflict",
    "DeclarativeBase",
    "Duplicate",
    "Event",
    "Field",
    "Forbidden",
    "InvalidInput",
    "JobDef",
    "KehuError",
    "Mapped",
    "NavItem",
    "NeverOpen",
    "NotFound",
    "Option",
    "Panel",
    "Permission",
    "PluginBlueprint",
    "PurgeReport",
    "RecordAction",
    "RecordRow",
    "Section",
    "Session",
    "SettingsSchema",
    "TenantInfo",
    "TenantRow",
    "Veto",
    "Width",
    "_",
    "_l",
    "_n",
    "actor",
    "add_fk",
    "and_",
    "audit",
    "begin_migration",
    "business_hours",
    "clean",
    "clock",
    "fold",
    "func",
    "hookimpl",
    "mapped_column",
    "needs",
    "new_id",
    "or_",
    "parse_id",
    "plugin_args",
    "plugin_base",
    "public",
    "public_url",
    "readable",
    "redirect",
    "render_page",
    "request",
    "run_later",
    "select",
    "service_for",
    "session",
    "tenant",
    "tenant_fk",
    "tenant_index",
    "tenant_table",
    "toast",
    "url_for",
]
