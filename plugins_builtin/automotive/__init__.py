"""Car dealers: the vehicles of customers. The module that proves the way of a plugin end to end."""

from plugins_builtin.automotive.hooks import (
    kehu_register_navigation,
    kehu_register_panels,
    kehu_register_permissions,
    kehu_register_routes,
    kehu_tenant_enabled,
)

__all__ = [
    "kehu_register_navigation",
    "kehu_register_panels",
    "kehu_register_permissions",
    "kehu_register_routes",
    "kehu_tenant_enabled",
]
