"""Archives that members ask for: made in the background, kept for a week."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from pathlib import Path

import structlog
from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.core import audit, clock, context, db, jobs, schedule
from kehu.core.errors import Conflict, NotFound
from kehu.core.i18n import _
from kehu.core.records import rights
from kehu.files.store import FileStore
from tenants.archive import writing
from tenants.models import Archive

log = structlog.get_logger(__name__)

KEPT = dt.timedelta(days=7)
GIVEN_UP = dt.timedelta(hours=6)
"""After so long one that is still running was left behind by a worker that died."""


class ArchiveService:
    """Ask for an archive of the present firm, see what was made, and open it."""

    def __init__(self, session: Session) -> None:
        self.session, self.tenant = session, context.tenant()

    def listed(self) -> Sequence[Archive]:
        """Return the latest ten."""
        context.actor().require("tenant:export")
        statement = select(Archive).order_by(Archive.asked_at.desc()).limit(10)
        return self.session.execute(statement).scalars().all()

    def ask(self) -> Archive:
        """Have an archive made.

        :raises Conflict: while one is being made.
        """
        actor = context.actor()
        actor.require("tenant:export")
        rights.require_all()
        for left in self.session.execute(
            select(Archive).where(
                Archive.state.in_(("waiting", "running")), Archive.asked_at < clock.now() - GIVEN_UP
            )
        ).scalars():
            left.state = "failed"
        self.session.flush()
        asked = Archive(asked_by=actor.member_id)
        try:
            with self.session.begin_nested():
                self.session.add(asked)
        except IntegrityError as error:
            raise Conflict(
                _("An archive is being made already; it will be in the list when it is done.")
            ) from error
        audit.write(
            self.session,
            object="tenants",
            record_id=self.tenant.id,
            action="exported",
            title=self.tenant.name,
        )
        jobs.enqueue(self.session, make, archive_id=asked.id)
        return asked

    def path(self, archive_id: uuid.UUID) -> Path:
        """Return where an archive lies, and note who fetched it.

        :raises NotFound: when it is not there, not ready or no longer kept.
        """
        context.actor().require("tenant:export")
        rights.require_all()
        found = self.session.execute(
            select(Archive.id).where(Archive.id == archive_id, Archive.state == "ready")
        ).scalar_one_or_none()
        path = place(self.tenant.id, archive_id)
        if found is None or not path.is_file():
            raise NotFound(_("This archive is not kept any more; have another one made."))
        audit.write(
            self.session,
            object="tenants",
            record_id=self.tenant.id,
            action="downloaded",
            title=self.tenant.name,
        )
        return path


def place(tenant_id: uuid.UUID, archive_id: uuid.UUID) -> Path:
    """Return where an archive lies."""
    var: Path = current_app.extensions["kehu.settings"].var
    return var / "archives" / str(tenant_id) / f"{archive_id}.zip"


@jobs.tenant_task("tenants.archive", one_transaction=False)
def make(tenant_id: uuid.UUID, archive_id: str) -> None:
    """Make an archive; a second run makes it anew."""
    wanted = uuid.UUID(archive_id)
    if not _note(wanted, ("waiting", "running"), state="running"):
        return
    path = place(tenant_id, wanted)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    settings = current_app.extensions["kehu.settings"]
    try:
        with db.unit_of_work(actor=context.SYSTEM) as session, part.open("wb") as into:
            part.chmod(0o600)
            writing.fix_moment(session)
            summary = writing.write(session, FileStore(settings.var / "files", 0), into)
        part.replace(path)
    except OSError as error:
        # The disk is full, or the like: the firm sees it, the operator finds why.
        log.error("archive_failed", archive=archive_id, error=str(error))
        part.unlink(missing_ok=True)
        _note(wanted, ("running",), state="failed", done_at=clock.now())
        return
    _note(
        wanted,
        ("running",),
        state="ready",
        done_at=clock.now(),
        size=path.stat().st_size,
        rows=summary.rows,
        files=summary.files,
    )


def _note(archive_id: uuid.UUID, states: Sequence[str], **values: object) -> bool:
    with db.unit_of_work() as session:
        found = session.execute(
            select(Archive).where(Archive.id == archive_id, Archive.state.in_(states)).with_for_update()
        ).scalar_one_or_none()
        for name, value in values.items() if found is not None else ():
            setattr(found, name, value)
        return found is not None


@schedule.every_tenant("tenants.archives_clear", at="04:40")
def clear(tenant_id: uuid.UUID) -> None:
    """Remove archives that are a week old."""
    statement = select(Archive).where(Archive.state == "ready", Archive.done_at < clock.now() - KEPT)
    for old in db.session().execute(statement).scalars():
        place(tenant_id, old.id).unlink(missing_ok=True)
        old.state = "gone"
