"""Filters of a list that stand behind no field of its records: has an open deal, nobody was in touch for 90 days.

They are written into the query like filters of fields (`?open_deal=1&quiet_days.gte=90`), so lists, saved views,
exports, bulk changes and segments have them alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from kehu.core.context import Actor, TenantInfo
from kehu.core.i18n import _
from kehu.core.records.fields import Field, FieldError, LoadContext
from kehu.core.records.kinds import load_value

KINDS = {"bool": ("eq",), "number": ("eq", "gte", "lte"), "choice": ("eq", "in")}
"""Kind of a criterion -> how it may be asked."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a query asks of a criterion: yes or no, a range, or some choices."""

    yes: bool = True
    low: int | None = None
    high: int | None = None
    values: Sequence[str] = ()


Build = Callable[[Any, Asked, Actor], ColumnElement[bool]]


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """A filter with its label and choices (as a field has them) and the condition that it puts.

    :param build: (entity, what is asked, actor) -> the condition; it names the tenant and keeps to the actor's rights.
    """

    field: Field
    build: Build


Source = Callable[[str], Iterable[Criterion]]

_known: dict[str, dict[str, Criterion]] = {}
_sources: list[Source] = []


def register(type_name: str, *criteria: Criterion) -> None:
    """Add filters to the lists of a record type."""
    _known.setdefault(type_name, {}).update({one.field.key: one for one in criteria})


def add_source(source: Source) -> None:
    """Add a function that returns further filters of a record type for the present tenant (plugins)."""
    _sources.append(source)


def of(type_name: str) -> dict[str, Criterion]:
    """Return the filters of a record type beside its fields, by key."""
    found = dict(_known.get(type_name, {}))
    for source in _sources:
        found.update({one.field.key: one for one in source(type_name)})
    return found


def fields(type_name: str) -> list[Field]:
    """Return them as fields, for chips and menus."""
    return [one.field for one in of(type_name).values()]


def condition(
    one: Criterion, entity: Any, given: Mapping[str, str], actor: Actor, tenant: TenantInfo
) -> ColumnElement[bool]:
    """Return the condition of a filter.

    :param given: operator -> what the query says.
    :raises FieldError: for what the filter can't be asked.
    """
    return one.build(entity, _asked(one.field, given, tenant), actor)


def _asked(field: Field, given: Mapping[str, str], tenant: TenantInfo) -> Asked:
    ctx = LoadContext(country=tenant.country, currency=tenant.currency, zone=tenant.tz)
    if any(operator not in KINDS[field.kind] for operator in given):
        raise FieldError(_("“%(label)s” can't be filtered in this way.", label=field.label))
    if field.kind == "choice":
        parts = [part.strip() for raw in given.values() for part in raw.split(",") if part.strip()]
        return Asked(values=[str(load_value(field, part, ctx)) for part in parts])
    values = {operator: load_value(field, raw, ctx) for operator, raw in given.items()}
    if field.kind == "bool":
        return Asked(yes=bool(values["eq"]))
    exact = values.get("eq")
    return Asked(low=values.get("gte", exact), high=values.get("lte", exact))
