"""The roles that every tenant starts with; from then on they are the tenant's data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kehu.core.context import Scope
from kehu.core.i18n import _, _l
from kehu.core.permissions import everything, registered

ROLE_NAMES: dict[str, Any] = {
    "owner": _l("Owner"),
    "admin": _l("Admin"),
    "manager": _l("Manager"),
    "member": _l("Member"),
    "viewer": _l("Viewer"),
}
"""Role code -> name; owner first. A tenant always has at least one owner."""

OWNERS = ("tenant:close", "tenant:address", "support:grant")
"""Rights of owners alone, until they give them to a role."""

RECORDS = (
    "customers",
    "contacts",
    "deals",
    "owned_items",
    "owned_item_terms",
    "households",
    "household_members",
    "relations",
    "resources",
    "bookings",
    "segments",
    "tickets",
    "activities",
    "products",
    "offers",
    "offer_rules",
    "offer_texts",
    "files",
)

MANAGED = frozenset({"products", "resources", "offer_rules", "offer_texts"})
"""Records that members read, and managers write."""


def reach_of(code: str, grants: Mapping[str, Scope]) -> str:
    """Return what a role may do in a few words, by what it grants now."""
    if code == "owner":
        return _("everything, also closing the firm")
    if "settings:manage" in grants:
        return _("all records and the settings")
    if grants.get("customers:delete") == "all":
        return _("changes and deletes all records, no settings")
    if "customers:write" in grants:
        return _("adds and changes records, deletes few")
    return _("reads, changes nothing")


def only_reads(permissions: Mapping[str, Any]) -> bool:
    """Tell whether rights let nobody change anything: such members are viewers, who take no seat."""
    return all(code.endswith(":read") for code in permissions)


def default_grants(code: str) -> dict[str, Scope]:
    """Return the permissions that a role starts with.

    Viewers see everything and change nothing. Members change everything but other people's deals and trash only
    their own. Managers also delete, import and export. Admins and owners hold every right; only owners
    close, rename the address and let support in.
    """
    if code in ("owner", "admin"):
        grants = everything()
        if code == "admin":
            for right in OWNERS:
                grants.pop(right, None)
        return grants
    grants = {f"{name}:read": "all" for name in RECORDS}
    grants["members:read"] = grants["queues:read"] = "all"
    grants["calendars:read"] = grants["calendar_days:read"] = "all"
    grants["pipelines:read"] = grants["stages:read"] = "all"
    grants["surveys:read"] = grants["survey_questions:read"] = "all"
    if code in ("manager", "member"):
        grants.update({f"{name}:write": "all" for name in RECORDS if name not in MANAGED})
        grants.update({f"{name}:delete": "own" for name in RECORDS if name not in MANAGED})
        grants["deals:write"] = "own"
        grants["messages:send"] = "all"
        # A new ticket belongs to nobody yet: who made it must be able to take that back.
        grants["tickets:delete"] = "team"
    if code == "manager":
        grants["views:share"] = "all"
        for name in ("surveys", "survey_questions"):
            grants.update({f"{name}:{action}": "all" for action in ("write", "delete", "export")})
        for name in RECORDS:
            grants.update({f"{name}:{action}": "all" for action in ("write", "delete", "export", "import")})
    known = registered()
    return {name: scope for name, scope in grants.items() if name in known}
