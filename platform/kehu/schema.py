"""Loads every table of the installation, so that the metadata is complete."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import MetaData

from kehu.core.tables import metadata

MODULES = (
    "kehu.accounts.models",
    "kehu.members.models",
    "kehu.core.audit",
    "kehu.core.counters",
    "kehu.core.records.own_tables",
    "kehu.core.schedule",
    "kehu.core.search",
    "kehu.calendars.models",
    "kehu.consent.models",
    "kehu.messages.models",
    "kehu.customers.models",
    "kehu.deals.models",
    "kehu.items.models",
    "kehu.relations.models",
    "kehu.merging.models",
    "kehu.booking.models",
    "kehu.segments.models",
    "kehu.privacy.models",
    "kehu.freshness.models",
    "kehu.rules.models",
    "kehu.surveys.models",
    "kehu.suggestions.models",
    "kehu.tickets.models",
    "kehu.activities.models",
    "kehu.files.models",
    "kehu.offers.models",
    "kehu.views.models",
    "kehu.imports.models",
    "kehu.rest.models",
    "kehu.addons.models",
    "kehu.webhooks.models",
    "kehu.flows.models",
)
"""Modules of the core that declare tables; floors above load theirs when they register."""


def load_core() -> MetaData:
    """Import all models of the core and return the metadata."""
    for name in MODULES:
        import_module(name)
    return metadata


def load_everything() -> MetaData:
    """Load the core's tables and those of the floors above, found by their entry points."""
    from plugins.finder import installed_entry_points

    load_core()
    for entry in installed_entry_points():
        if entry.module.endswith(".plugin"):
            import_module(entry.module)
    return metadata
