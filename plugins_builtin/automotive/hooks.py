"""What the module adds to Kehu."""

from __future__ import annotations

from collections.abc import Sequence

from kehu.api import Call, NavItem, Panel, Permission, PluginBlueprint, _l, hookimpl

READ, WRITE = "automotive.vehicle:read", "automotive.vehicle:write"


@hookimpl
def kehu_register_permissions() -> Sequence[Permission]:
    """Two rights: seeing vehicles and keeping them."""
    return [
        Permission(
            code=READ, description=_l("See vehicles"), roles=("owner", "admin", "manager", "member", "viewer")
        ),
        Permission(
            code=WRITE,
            description=_l("Add and change vehicles"),
            roles=("owner", "admin", "manager", "member"),
        ),
    ]


@hookimpl
def kehu_register_routes() -> Sequence[PluginBlueprint]:
    """The pages under /x/automotive/."""
    from plugins_builtin.automotive.web import blueprint

    return [blueprint]


@hookimpl
def kehu_register_navigation() -> Sequence[NavItem]:
    """One line in the side bar."""
    return [
        NavItem(label=_l("Vehicles"), endpoint="automotive.vehicles", permission=READ, icon="car", order=10)
    ]


@hookimpl
def kehu_register_panels() -> Sequence[Panel]:
    """The vehicles of a customer beside his other facts."""
    return [
        Panel(
            slot="customer.side", endpoint="automotive.customer_panel", title=_l("Vehicles"), permission=READ
        )
    ]


@hookimpl
def kehu_tenant_enabled(ctx: Call, first_time: bool) -> None:
    """Nothing to prepare: the tables are there, and rights come with the switch."""
