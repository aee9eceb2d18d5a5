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
    "kehu.core.search",
    "kehu.customers.models",
    "kehu.deals.models",
    "kehu.tickets.models",
    "kehu.activities.models",
    "kehu.files.models",
    "kehu.views.models",
    "kehu.imports.models",
    "kehu.rest.models",
    "kehu.addons.models",
)
"""Modules of the core that declare tables; floors above load theirs when they register."""


def load_core() -> MetaData:
    """Import all models of the core and return the metadata."""
    for name in MODULES:
        import_module(name)
    return metadata
