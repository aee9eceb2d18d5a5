"""What switching a plugin on or off takes along: what it needs first, what needs it first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kehu.core.i18n import _
from plugins.manifest import Manifest
from plugins.records import Installed, PluginRecord, State


@dataclass(frozen=True, kw_only=True)
class PlanStep:
    """One plugin that is switched, with what an admin agrees to.

    :param why: `asked`, `needed` (another step builds on it) or `joins` (it comes with the others by itself).
    :param starters: what is made for the firm (`plugins.starters`).
    """

    slug: str
    name: str
    why: str
    manifest: Manifest | None = None
    permissions: tuple[Any, ...] = ()
    starters: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that one press of a button does, in its order.

    :param problems: sentences that say what stands against it; with any of them nothing is done.
    :param locked: the tenant's plan is among the problems.
    """

    steps: tuple[PlanStep, ...] = ()
    problems: tuple[str, ...] = ()
    locked: bool = False

    @property
    def slugs(self) -> tuple[str, ...]:
        """The plugins in the order in which they are switched."""
        return tuple(step.slug for step in self.steps)


def plan_on(
    installed: Installed,
    slug: str,
    on: Iterable[str],
    entitled: Callable[[str], bool],
    permissions: Mapping[str, tuple[Any, ...]],
    why_not: Callable[[str, str], str],
) -> Plan:
    """Return what is switched on with a plugin: what it needs before it, what joins it behind.

    :param why_not: says why the tenant may not have one, by its slug and name.
    """
    have = set(on)
    wanted: dict[str, str] = {}
    _add_needs(installed, slug, "asked", have, wanted)
    joins = [record.slug for record in installed if _joins(record, have | set(wanted), have, wanted)]
    for other in joins:
        extra: dict[str, str] = {}
        _add_needs(installed, other, "joins", have | set(wanted), extra)
        # What merely joins never stands in the way of what was asked for.
        if all(_usable(installed.get(one)) and entitled(one) for one in extra):
            wanted |= extra
    problems, locked = [], False
    for other in wanted:
        record = installed.get(other)
        if not _usable(record):
            name = record.name if record is not None else other
            problems.append(unusable(name))
        elif not entitled(other):
            locked = True
            problems.append(why_not(other, _name(installed, other)))
    return Plan(
        steps=tuple(_step(installed, other, why, permissions) for other, why in wanted.items()),
        problems=tuple(problems),
        locked=locked,
    )


def unusable(name: str) -> str:
    """Say that the installation can't run a plugin now, and who learns why."""
    return _(
        "%(plugin)s can't be used in this installation now. `kehu plugin doctor` tells whoever runs it why.",
        plugin=name,
    )


def plan_off(installed: Installed, slug: str, on: Iterable[str]) -> Plan:
    """Return what goes off with a plugin: what builds on it before it."""
    have = set(on)
    wanted: dict[str, str] = {}

    def visit(one: str, why: str) -> None:
        for record in installed:
            if record.slug in have and record.slug not in wanted and record.manifest is not None:
                if one in record.manifest.auto_enable_with and record.slug != one:
                    visit(record.slug, "joins")
                elif one in record.manifest.requires:
                    visit(record.slug, "needed")
        wanted.setdefault(one, why)

    visit(slug, "asked")
    return Plan(steps=tuple(_step(installed, other, why, {}) for other, why in wanted.items()))


def _add_needs(installed: Installed, slug: str, why: str, have: set[str], wanted: dict[str, str]) -> None:
    record = installed.get(slug)
    for need in record.manifest.requires if record is not None and record.manifest else ():
        if need not in have and need not in wanted:
            _add_needs(installed, need, "needed", have, wanted)
    if slug not in have:
        wanted.setdefault(slug, why)


def _joins(record: PluginRecord, soon: set[str], have: set[str], wanted: Mapping[str, str]) -> bool:
    """Tell whether a plugin comes by itself: it names others, all of them will be on, and one of them is new."""
    named = set(record.manifest.auto_enable_with) if record.manifest else set()
    return bool(named) and record.slug not in have | set(wanted) and named <= soon and not named <= have


def _usable(record: PluginRecord | None) -> bool:
    return record is not None and record.state is State.READY and record.switchable


def _name(installed: Installed, slug: str) -> str:
    record = installed.get(slug)
    return record.name if record is not None else slug


def _step(installed: Installed, slug: str, why: str, permissions: Mapping[str, tuple[Any, ...]]) -> PlanStep:
    record = installed.get(slug)
    return PlanStep(
        slug=slug,
        name=_name(installed, slug),
        why=why,
        manifest=record.manifest if record is not None else None,
        permissions=permissions.get(slug, ()),
    )
