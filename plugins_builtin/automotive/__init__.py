"""Car dealers: the vehicles of customers. The module that proves the way of a plugin end to end."""

from plugins_builtin.automotive.hooks import (
    kehu_after_change,
    kehu_mail_received,
    kehu_merge_records,
    kehu_offer_sources,
    kehu_register_actions,
    kehu_register_jobs,
    kehu_register_messages,
    kehu_register_navigation,
    kehu_register_panels,
    kehu_register_permissions,
    kehu_register_records,
    kehu_register_routes,
    kehu_register_settings,
    kehu_register_starters,
    kehu_subject_data,
    kehu_tenant_enabled,
)

__all__ = [
    "kehu_after_change",
    "kehu_mail_received",
    "kehu_merge_records",
    "kehu_offer_sources",
    "kehu_register_actions",
    "kehu_register_jobs",
    "kehu_register_messages",
    "kehu_register_navigation",
    "kehu_register_panels",
    "kehu_register_permissions",
    "kehu_register_records",
    "kehu_register_routes",
    "kehu_register_settings",
    "kehu_register_starters",
    "kehu_subject_data",
    "kehu_tenant_enabled",
]
