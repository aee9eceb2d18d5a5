"""Making what a plugin gives a firm to start with, once, and finding it again (`plugins.starters`)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.addons.models import PluginStarter
from kehu.core import audit, context, hooks
from kehu.core.i18n import _l
from kehu.core.ids import new_id
from kehu.core.text import fold
from kehu.deals.setup_services import ReadyPipelines
from kehu.members.models import Role
from kehu.members.roles import RECORDS, default_grants
from plugins.host import PluginHost
from plugins.starters import PipelineStarter, RoleStarter, SampleStarter, Starter

_MAKES = ("pipelines:read", "pipelines:write", "stages:read", "stages:write")


def join(host: PluginHost) -> None:
    """Look at what plugins give to start with; a role that reaches too far breaks its plugin."""
    for slug in dict.fromkeys(slug for slug, _one in host.declarations.starters):
        for starter in of_plugin(host, slug):
            far = [code for code in _rights(starter) if not _grantable(slug, code)]
            if far:
                host.refuse(
                    slug,
                    f"kehu_register_starters: the role {starter.key!r} gives {far[0]!r}. Give the plugin's own rights "
                    "and those over the platform's records only.",
                )
                break


def of_plugin(host: PluginHost, slug: str) -> list[Starter]:
    """Return what a plugin declares, in its order."""
    return [one for owner, one in host.declarations.starters if owner == slug]


def _rights(starter: Starter) -> Mapping[str, str | None]:
    return starter.rights if isinstance(starter, RoleStarter) else {}


def _grantable(slug: str, code: str) -> bool:
    resource, _colon, action = code.partition(":")
    over_records = resource in RECORDS and action in ("read", "write", "delete", "export", "import")
    return over_records or code.startswith(f"{slug}.") or code in ("messages:send", "views:share")


def make(session: Session, slug: str, name: str) -> list[str]:
    """Make the pipelines and roles of a plugin that this firm has not had yet; return what they are called.

    What was made before is the firm's: it is neither made again nor changed, whatever became of it.
    """
    had = set(session.execute(select(PluginStarter.key).where(PluginStarter.slug == slug)).scalars())
    who = context.Actor(kind="plugin", name=name, role="plugin", permissions=dict.fromkeys(_MAKES, "all"))
    made: list[str] = []
    with context.use(actor=who), force_locale(context.tenant().locale):
        for starter in of_plugin(hooks.host(), slug):
            if starter.key in had:
                continue
            if isinstance(starter, PipelineStarter):
                _make_pipeline(session, slug, starter)
            elif isinstance(starter, RoleStarter):
                _make_role(session, slug, name, starter)
            else:
                continue
            made.append(str(starter.name))
    return made


def _make_pipeline(session: Session, slug: str, starter: PipelineStarter) -> None:
    steps = [(str(one.name), one.probability, one.outcome, one.usual_days) for one in starter.stages]
    pipeline, stages = ReadyPipelines(session).make(str(starter.name), steps)
    _keep(session, slug, starter.key, "pipelines", pipeline.id)
    for one, stage in zip(starter.stages, stages, strict=True):
        _keep(session, slug, f"{starter.key}.{one.key}", "stages", stage.id)


def _make_role(session: Session, slug: str, plugin: str, starter: RoleStarter) -> None:
    """Make a role from what the built-in one may do here now; a name that is taken gets the plugin's behind it."""
    roles = list(session.execute(select(Role).limit(500)).scalars())
    model = next((role for role in roles if role.builtin and role.code == starter.like), None)
    rights: dict[str, Any] = dict(model.permissions if model else default_grants(starter.like))
    rights |= starter.rights
    name = str(starter.name)
    if fold(name) in {fold(role.name) for role in roles}:
        name = f"{name} ({plugin})"
    role = Role(
        id=new_id(),
        code=f"{slug}_{starter.key}_{new_id().hex[-6:]}",
        name=name,
        permissions={code: scope for code, scope in rights.items() if scope},
        builtin=False,
    )
    session.add(role)
    session.flush()  # A refusal by the database has to come before the entry.
    audit.write(
        session,
        object="roles",
        record_id=role.id,
        action="created",
        title=name,
        changes={"name": [None, name]},
    )
    _keep(session, slug, starter.key, "roles", role.id)


def _keep(session: Session, slug: str, key: str, kind: str, record_id: uuid.UUID) -> None:
    session.add(PluginStarter(slug=slug, key=key, kind=kind, record_id=record_id))


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Something that an admin sees before the plugin is switched on.

    :param kind: pipelines, roles, texts or samples.
    """

    kind: str
    name: Any
    description: Any = ""
    parts: tuple[Any, ...] = ()


KINDS = {PipelineStarter: "pipelines", RoleStarter: "roles", SampleStarter: "samples"}


def offers(session: Session, slug: str) -> tuple[Offer, ...]:
    """Return what this firm gets by switching a plugin on: what is made now, its texts, samples on request."""
    had = set(session.execute(select(PluginStarter.key).where(PluginStarter.slug == slug)).scalars())
    host = hooks.host()
    found = [
        Offer(
            kind=KINDS[type(one)],
            name=one.name,
            description=one.description,
            parts=tuple(stage.name for stage in one.stages) if isinstance(one, PipelineStarter) else (),
        )
        for one in of_plugin(host, slug)
        if one.key not in had
    ]
    texts = tuple(template.label for owner, template in host.declarations.messages if owner == slug)
    if texts:
        found.append(Offer(kind="texts", name=_l("Texts to customers"), parts=texts))
    return tuple(found)


def sample_of(slug: str) -> SampleStarter | None:
    """Return the sample data that a plugin offers."""
    found = [one for one in of_plugin(hooks.host(), slug) if isinstance(one, SampleStarter)]
    return found[0] if found else None
