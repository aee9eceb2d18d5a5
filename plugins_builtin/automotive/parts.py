"""What one subject of the module adds, and all subjects together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from kehu.api import Call, NavItem, Panel, Permission, PluginBlueprint

SUBJECTS = (
    "vehicles",
)  # fmt: skip
"""The sub-packages; each has a module `part` with its `PART`. Their order is that of the set-up."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a subject adds to Kehu; the module's hooks gather these.

    :param enabled: prepares one tenant that has switched the module on, as `kehu_tenant_enabled`.
    """

    routes: tuple[PluginBlueprint, ...] = ()
    permissions: tuple[Permission, ...] = ()
    navigation: tuple[NavItem, ...] = ()
    panels: tuple[Panel, ...] = ()
    enabled: Callable[[Call, bool], None] | None = None


def parts() -> Iterator[Part]:
    """Give the part of each subject."""
    for subject in SUBJECTS:
        yield import_module(f"{__package__}.{subject}.part").PART
