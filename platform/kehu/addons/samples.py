"""Sample data of a plugin: made in one go when an admin asks for it, taken away in one go."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kehu.addons import starters
from kehu.addons.calls import call
from kehu.addons.models import PluginStarter
from kehu.addons.rows import locked, runs
from kehu.addons.switching import note
from kehu.core import audit, context, db, hooks
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, KehuError, NotFound
from kehu.core.i18n import _
from kehu.core.records.service import service_for
from kehu.core.records.types import registered
from plugins.relay import PluginError
from plugins.starters import SampleStarter

MOST = 5_000


@dataclass(frozen=True, kw_only=True)
class SampleState:
    """What the page of a plugin shows of its sample data; `count` is 0 until it is made."""

    starter: SampleStarter
    count: int = 0
    made_at: dt.datetime | None = None


@dataclass(kw_only=True)
class Removal:
    """What became of the sample data; `kept` names what members have changed since."""

    removed: int = 0
    kept: list[str] = field(default_factory=list)


def state(session: Session, slug: str) -> SampleState | None:
    """Return how a plugin's sample data stands in this firm, or None when it has none."""
    starter = starters.sample_of(slug)
    if starter is None:
        return None
    row = _row(session, slug, starter.key)
    if row is None or row.batch_id is None:
        return SampleState(starter=starter)
    made = (AuditEntry.batch_id == row.batch_id, AuditEntry.action == "created")
    count = session.execute(select(func.count()).select_from(AuditEntry).where(*made)).scalar_one()
    return SampleState(starter=starter, count=count, made_at=row.made_at)


def _row(session: Session, slug: str, key: str) -> PluginStarter | None:
    return session.execute(
        select(PluginStarter).where(PluginStarter.slug == slug, PluginStarter.key == key)
    ).scalar_one_or_none()


class SampleService:
    """Make and remove the sample data of plugins."""

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()
        self.actor.require("plugins:manage")

    def fill(self, slug: str) -> int:
        """Let a plugin make its sample data, and return how many records that are.

        :raises Conflict: when it is there already, the plugin is off, or its own work failed.
        """
        starter = self._starter(slug)
        locked(self.session)  # Two at once: the second finds what the first made.
        if slug not in hooks.enabled() or not runs(self.session, slug):
            raise Conflict(_("Switch the plugin on first."))
        if _row(self.session, slug, starter.key) is not None:
            raise Conflict(_("The sample data is here already. Remove it before it is made anew."))
        batch = audit.batch_id(self.session)
        try:
            hooks.host().relay.run_declared(
                "sample data", slug, starter.fill, call(slug), tenant=db.tenant_id()
            )
        except PluginError as error:
            raise Conflict(
                _("The sample data could not be made; nothing was changed. %(words)s", words=error)
            ) from error
        self.session.add(PluginStarter(slug=slug, key=starter.key, kind="samples", batch_id=batch))
        note(self.session, slug, str(starter.name), "imported")
        self.session.flush()  # The records are counted by their entries.
        return len(self._made(batch))

    def remove(self, slug: str) -> Removal:
        """Put the sample data into the trash, the latest first; what members changed since is theirs and stays.

        :raises NotFound: when there is none.
        """
        starter = self._starter(slug)
        locked(self.session)
        row = _row(self.session, slug, starter.key)
        if row is None or row.batch_id is None:
            raise NotFound(_("There is no sample data here."))
        report = Removal()
        for entry in self._made(row.batch_id):
            if self._touched(entry, row.batch_id):
                report.kept.append(entry.title)
                continue
            try:
                with self.session.begin_nested():
                    service_for(entry.object, self.session, self.actor).trash(entry.record_id)
                report.removed += 1
            except NotFound:
                continue  # In the trash already, by itself or with what it belongs to.
            except KehuError:
                report.kept.append(entry.title)
        self.session.execute(
            delete(PluginStarter).where(
                PluginStarter.tenant_id == db.tenant_id(),
                PluginStarter.slug == slug,
                PluginStarter.key == starter.key,
            )
        )
        note(self.session, slug, str(starter.name), "trashed")
        return report

    def _starter(self, slug: str) -> SampleStarter:
        found = starters.sample_of(slug)
        if found is None:
            raise NotFound(_("This plugin has no sample data."))
        return found

    def _made(self, batch: uuid.UUID) -> list[AuditEntry]:
        statement = (
            select(AuditEntry)
            .where(AuditEntry.batch_id == batch, AuditEntry.action == "created")
            .order_by(AuditEntry.id.desc())
            .limit(MOST)
        )
        return [one for one in self.session.execute(statement).scalars() if one.object in registered()]

    def _touched(self, entry: AuditEntry, batch: uuid.UUID) -> bool:
        """Tell whether a member changed the record since; what jobs and plugins did to it does not count."""
        statement = select(AuditEntry.id).where(
            AuditEntry.object == entry.object,
            AuditEntry.record_id == entry.record_id,
            AuditEntry.id > entry.id,
            AuditEntry.actor_kind.in_(("member", "api")),
            AuditEntry.batch_id.not_in([batch, audit.batch_id(self.session)]),
        )
        return self.session.execute(statement.limit(1)).first() is not None
