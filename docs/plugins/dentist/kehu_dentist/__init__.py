"""Dental practice: recalls of patients. Kehu finds the hooks here."""

from kehu_dentist.hooks import (
    kehu_register_custom_fields,
    kehu_register_jobs,
    kehu_register_navigation,
    kehu_register_panels,
    kehu_register_permissions,
    kehu_register_routes,
    kehu_register_settings,
)

__all__ = [
    "kehu_register_custom_fields",
    "kehu_register_jobs",
    "kehu_register_navigation",
    "kehu_register_panels",
    "kehu_register_permissions",
    "kehu_register_routes",
    "kehu_register_settings",
]
