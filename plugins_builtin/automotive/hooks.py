"""What the module adds to Kehu: the parts of its subjects together."""

from __future__ import annotations

from collections.abc import Sequence

from kehu.api import Call, NavItem, Panel, Permission, PluginBlueprint, hookimpl
from plugins_builtin.automotive.parts import parts


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
def kehu_tenant_enabled(ctx: Call, first_time: bool) -> None:
    """Prepare a tenant for each subject."""
    for part in parts():
        if part.enabled is not None:
            part.enabled(ctx, first_time)
