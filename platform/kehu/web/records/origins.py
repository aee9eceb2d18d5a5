"""Who made a change and through what, in words: a person, a rule, a plugin, an API token, an import."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core.audit import AuditEntry, source_of
from kehu.core.i18n import _


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a change came from.

    :param who: the person, or the product or plugin itself.
    :param via: through what, as it goes on behind the name; empty for what people did on a page.
    :param url: where more is told of it.
    """

    who: str
    via: str = ""
    url: str = ""


class Origins:
    """Tells the origins of entries of the trail; the names of imports are read in one statement."""

    def __init__(self, session: Session, entries: Sequence[AuditEntry]) -> None:
        batches = {entry.batch_id for entry in entries if source_of(entry)[0] == "import"}
        self.imports = _imports(session, batches) if batches else {}

    def of(self, entry: AuditEntry) -> Origin:
        """Return where one entry came from."""
        kind, name = source_of(entry)
        who = entry.actor_name or _("Kehu")
        if kind == "import":
            name = self.imports.get(entry.batch_id, "")
            url = f"/imports/{entry.batch_id}" if name else ""
            return Origin(who=who, via=_named(kind, name), url=url)
        return Origin(who=who, via=_named(kind, "" if name == who else name))


def _named(kind: str, name: str) -> str:
    if not name:
        return sources().get(kind, kind)
    return {
        "api": _("by the API token “%(name)s”", name=name),
        "import": _("by the import “%(name)s”", name=name),
        "plugin": _("by the plugin “%(name)s”", name=name),
        "rule": _("by the rule “%(name)s”", name=name),
    }.get(kind, sources().get(kind, kind))


def sources() -> dict[str, str]:
    """Return the ways in which changes come, in words."""
    return {
        "": "",
        "web": "",
        "api": _("by the API"),
        "job": _("by a background job"),
        "import": _("by an import"),
        "plugin": _("by a plugin"),
        "rule": _("by a rule"),
        "cli": _("by the operator"),
        "command": _("by the operator"),
        "operator": _("by the operator"),
        "support": _("by support"),
    }


def _imports(session: Session, batches: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    from kehu.imports.models import Import  # Its pages stand on those of records.

    statement = select(Import.id, Import.name).where(Import.id.in_(batches), Import.deleted_at.is_(None))
    return {row.id: row.name for row in session.execute(statement)}
