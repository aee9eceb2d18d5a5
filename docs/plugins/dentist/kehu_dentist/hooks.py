"""What the plugin adds to Kehu."""

from __future__ import annotations

from collections.abc import Sequence

from kehu.api import (
    CustomField,
    Field,
    JobDef,
    NavItem,
    Panel,
    Permission,
    PluginBlueprint,
    SettingsSchema,
    _l,
    hookimpl,
)

from kehu_dentist import jobs, permissions, web


@hookimpl
def kehu_register_permissions() -> Sequence[Permission]:
    """Who may do what; admins may change it."""
    return [
        Permission(
            code=permissions.READ,
            description=_l("See recalls"),
            roles=("owner", "admin", "manager", "member", "viewer"),
        ),
        Permission(
            code=permissions.WRITE,
            description=_l("Record visits of patients"),
            roles=("owner", "admin", "manager", "member"),
        ),
    ]


@hookimpl
def kehu_register_routes() -> Sequence[PluginBlueprint]:
    """The pages under /x/dentist/."""
    return [web.blueprint]


@hookimpl
def kehu_register_navigation() -> Sequence[NavItem]:
    """A line in the side bar."""
    return [
        NavItem(label=_l("Recalls"), endpoint="dentist.recalls", permission=permissions.READ, icon="phone")
    ]


@hookimpl
def kehu_register_panels() -> Sequence[Panel]:
    """A card on the customer's page."""
    return [
        Panel(
            slot="customer.side",
            endpoint="dentist.customer_panel",
            title=_l("Recalls"),
            permission=permissions.READ,
        )
    ]


@hookimpl
def kehu_register_settings() -> Sequence[SettingsSchema]:
    """What an admin may set."""
    return [
        SettingsSchema(
            fields=(
                Field(
                    key="months",
                    label=_l("Months between two check-ups"),
                    kind="number",
                    default=6,
                    minimum=1,
                    maximum=36,
                    required=True,
                ),
            )
        )
    ]


@hookimpl
def kehu_register_jobs() -> Sequence[JobDef]:
    """Work by night."""
    return [JobDef(name="recall", run=jobs.recall, title=_l("Find the patients who are due"), at="02:30")]


@hookimpl
def kehu_register_custom_fields() -> Sequence[CustomField]:
    """What the practice must know of a patient."""
    return [
        CustomField(object="customers", field=Field(key="allergies", label=_l("Allergies"), kind="long_text"))
    ]
