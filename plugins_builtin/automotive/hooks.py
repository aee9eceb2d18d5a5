"""What the module adds to Kehu: the parts of its subjects together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from kehu.api import (
    Call,
    Event,
    JobDef,
    Merging,
    MessageTemplate,
    NavItem,
    OfferSource,
    Panel,
    Permission,
    PluginBlueprint,
    ReceivedMail,
    RecordAction,
    RecordType,
    SettingsSchema,
    Starter,
    SubjectReport,
    hookimpl,
)
from plugins_builtin.automotive.parts import parts
from plugins_builtin.automotive.pointers import follow_deal, follow_merge


@hookimpl
def kehu_register_records() -> Sequence[RecordType]:
    """The kinds of records of all subjects."""
    return [one for part in parts() for one in part.records]


@hookimpl
def kehu_register_permissions() -> Sequence[Permission]:
    """The rights of all subjects."""
    return [one for part in parts() for one in part.permissions]


@hookimpl
def kehu_register_routes() -> Sequence[PluginBlueprint]:
    """The pages under /x/automotive/."""
    return [one for part in parts() for one in part.routes]


@hookimpl
def kehu_register_navigation() -> Sequence[NavItem]:
    """The lines in the side bar."""
    return [one for part in parts() for one in part.navigation]


@hookimpl
def kehu_register_panels() -> Sequence[Panel]:
    """The cards on the platform's pages."""
    return [one for part in parts() for one in part.panels]


@hookimpl
def kehu_register_actions() -> Sequence[RecordAction]:
    """The buttons on the platform's pages."""
    return [one for part in parts() for one in part.actions]


@hookimpl
def kehu_register_jobs() -> Sequence[JobDef]:
    """The work in the background."""
    return [one for part in parts() for one in part.jobs]


@hookimpl
def kehu_register_messages() -> Sequence[MessageTemplate]:
    """The messages to customers."""
    return [one for part in parts() for one in part.messages]


@hookimpl
def kehu_offer_sources() -> Sequence[OfferSource]:
    """The things with a day before which offers are made."""
    return [one for part in parts() for one in part.offer_sources]


@hookimpl
def kehu_register_settings() -> Sequence[SettingsSchema]:
    """The one form of settings, with the fields of all subjects."""
    fields = tuple(one for part in parts() for one in part.settings)
    secrets = tuple(one for part in parts() for one in part.secrets)
    return [SettingsSchema(fields=fields, secrets=secrets)] if fields else []


@hookimpl
def kehu_register_starters() -> Sequence[Starter]:
    """What a dealer begins with."""
    return [one for part in parts() for one in part.starters]


@hookimpl
def kehu_after_change(ctx: Call, event: Event) -> None:
    """Hand a change on to each subject that listens."""
    for part in parts():
        if part.after_change is not None:
            part.after_change(ctx, event)
    follow_deal(ctx, event)


@hookimpl
def kehu_mail_received(ctx: Call, mail: ReceivedMail) -> bool | None:
    """Offer a mail to each subject until one takes it."""
    return any(part.mail(ctx, mail) for part in parts() if part.mail is not None) or None


@hookimpl
def kehu_tenant_enabled(ctx: Call, first_time: bool) -> None:
    """Prepare a tenant for each subject."""
    for part in parts():
        if part.enabled is not None:
            part.enabled(ctx, first_time)


@hookimpl
def kehu_subject_data(ctx: Call, object: str, record_id: UUID, mode: str) -> SubjectReport:
    """Answer for each subject that keeps something of a person beside its keys."""
    rows: dict[str, Sequence[Mapping[str, Any]]] = {}
    erased: dict[str, int] = {}
    forgotten: list[UUID] = []
    outlive: list[str] = []
    for part in parts():
        if part.subject is not None:
            report = part.subject(ctx, object, record_id, mode)
            rows.update(report.rows)
            erased.update(report.erased)
            forgotten += report.forgotten
            outlive += report.outlive
    return SubjectReport(rows=rows, erased=erased, forgotten=forgotten, outlive=outlive)


@hookimpl
def kehu_merge_records(ctx: Call, merge: Merging) -> None:
    """Let rows that name a contact follow the one that stays."""
    follow_merge(ctx, merge)
