"""The platform's own filters on customers beside their fields, and those of plugins; all are put in the same way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, not_, or_
from sqlalchemy.orm import aliased

from kehu.addons.calls import call
from kehu.core import clock, context, db, hooks
from kehu.core.context import Actor
from kehu.core.i18n import _, _l
from kehu.core.records import criteria, scope
from kehu.core.records.criteria import Asked, Criterion
from kehu.core.records.fields import Field, FieldError, Option
from kehu.core.records.types import get as get_type
from kehu.core.records.types import key_of
from plugins.relay import PluginError
from plugins.results import Criterion as PluginCriterion

OPEN_TICKETS = ("new", "open", "waiting")
FURTHEST = 40_000
"""Days; more than a hundred years are taken as so many."""


def _linked(name: str, entity: Any, actor: Actor, *more: Any) -> ColumnElement[bool]:
    """Return the condition that a record of a type, which the actor sees, points at the customer."""
    kind = get_type(name)
    reach = actor.scope(f"{name}:read")
    if reach is None:
        return false()
    row: Any = aliased(kind.model)
    return exists().where(
        row.tenant_id == entity.tenant_id,
        row.customer_id == entity.id,
        row.deleted_at.is_(None),
        scope.condition(kind, row, actor, reach),
        *(part(row) for part in more),
    )


def _asked(found: ColumnElement[bool], asked: Asked) -> ColumnElement[bool]:
    return found if asked.yes else not_(found)


def _days_ago(days: int) -> dt.datetime:
    return clock.now() - dt.timedelta(days=max(0, min(days, FURTHEST)))


def _open_deal(entity: Any, asked: Asked, actor: Actor) -> ColumnElement[bool]:
    return _asked(_linked("deals", entity, actor, lambda row: row.status == "open"), asked)


def _open_ticket(entity: Any, asked: Asked, actor: Actor) -> ColumnElement[bool]:
    return _asked(_linked("tickets", entity, actor, lambda row: row.status.in_(OPEN_TICKETS)), asked)


def _next_step(entity: Any, asked: Asked, actor: Actor) -> ColumnElement[bool]:
    return _asked(_linked("activities", entity, actor, lambda row: row.done_at.is_(None)), asked)


def _household(entity: Any, asked: Asked, actor: Actor) -> ColumnElement[bool]:
    return _asked(_linked("household_members", entity, actor, lambda row: row.to_on.is_(None)), asked)


def _quiet(entity: Any, asked: Asked, actor: Actor) -> ColumnElement[bool]:
    """At least so many days without contact (also never), or at most so many."""
    parts = []
    if asked.low is not None:
        since = _days_ago(asked.low)
        parts.append(not_(_linked("activities", entity, actor, lambda row: row.done_at > since)))
    if asked.high is not None:
        until = _days_ago(asked.high + 1)
        parts.append(_linked("activities", entity, actor, lambda row: row.done_at > until))
    return and_(*parts)


def _won(entity: Any, asked: Asked, actor: Actor) -> ColumnElement[bool]:
    bounds: list[Any] = [lambda row: row.status == "won"]
    if asked.low is not None:
        newest = _days_ago(asked.low)
        bounds.append(lambda row: row.closed_at <= newest)
    if asked.high is not None:
        oldest = _days_ago(asked.high + 1)
        bounds.append(lambda row: row.closed_at > oldest)
    return _linked("deals", entity, actor, *bounds)


def _term(entity: Any, asked: Asked, actor: Actor) -> ColumnElement[bool]:
    today = clock.today(context.tenant().tz)
    first = today + dt.timedelta(days=min(asked.low or 0, FURTHEST))
    bounds: list[Any] = [
        lambda row: row.state == "active",
        lambda row: row.item_in_use,
        lambda row: row.effective_end >= first,
    ]
    if asked.high is not None:
        last = today + dt.timedelta(days=max(0, min(asked.high, FURTHEST)))
        bounds.append(lambda row: row.effective_end <= last)
    return _linked("owned_item_terms", entity, actor, *bounds)


def _in_segment(entity: Any, asked: Asked, actor: Actor) -> ColumnElement[bool]:
    from kehu.segments.services import conditions_of

    return or_(*(conditions_of(db.session(), one, entity, actor) for one in asked.values))


def _segments_of(type_name: str) -> Any:
    def options() -> list[Option]:
        from kehu.segments.services import names

        return [Option(value=str(row.id), label=row.name) for row in names(db.session(), type_name)]

    return options


def _own(key: str, label: Any, kind: str, build: Any, minimum: int | None = 0) -> Criterion:
    return Criterion(field=Field(key=key, label=label, kind=kind, minimum=minimum), build=build)


def join() -> None:
    """Put the platform's filters and those of plugins into the lists."""
    for name in ("customers", "contacts"):
        spec = Field(key="segment", label=_l("Segment"), kind="choice", options=_segments_of(name))
        criteria.register(name, Criterion(field=spec, build=_in_segment))
    criteria.register(
        "customers",
        _own("open_deal", _l("Has an open deal"), "bool", _open_deal),
        _own("open_ticket", _l("Has an open ticket"), "bool", _open_ticket),
        _own("next_step", _l("Has a next step"), "bool", _next_step),
        _own("in_household", _l("Belongs to a household"), "bool", _household),
        _own("quiet_days", _l("Days without contact"), "number", _quiet),
        _own("won_days", _l("Days since a deal was won"), "number", _won),
        _own("term_days", _l("Days until a term ends"), "number", _term),
    )
    criteria.add_source(_of_plugins)


def _of_plugins(type_name: str) -> Iterable[Criterion]:
    if type_name != "customers" or not (enabled := hooks.enabled()):
        return
    for slug, one in hooks.host().declarations.segments:
        if slug in enabled:
            yield _of_plugin(slug, one)


def _of_plugin(slug: str, one: PluginCriterion) -> Criterion:
    options = tuple(Option(value=value, label=label) for value, label in one.options)
    spec = Field(key=key_of(one.key), label=one.label, kind=one.kind, options=options)

    def build(entity: Any, asked: Asked, _actor: Actor) -> ColumnElement[bool]:
        relay = hooks.host().relay
        try:
            found = relay.run_declared(
                f"segment {one.key}",
                slug,
                one.condition,
                call(slug),
                entity.id,
                asked,
                tenant=context.tenant().id,
            )
        except PluginError as error:
            raise FieldError(
                _("The filter “%(label)s” does not answer just now.", label=one.label)
            ) from error
        if not isinstance(found, ColumnElement):
            raise FieldError(_("The filter “%(label)s” does not answer just now.", label=one.label))
        return found

    return Criterion(field=spec, build=build)
