"""Jobs of imports: look into a large file, check, run, take back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError

from kehu.core import context, db
from kehu.core.errors import KehuError
from kehu.core.i18n import _
from kehu.core.jobs import tenant_task
from kehu.imports.models import Import
from kehu.imports.runner import ImportRun, Superseded
from kehu.imports.services import ImportService
from kehu.imports.undoing import undo_import

log = structlog.get_logger(__name__)


def upload_root() -> Path:
    """Return the folder of uploads."""
    found: Path = current_app.extensions["kehu.settings"].var
    return found / "imports"


@tenant_task("imports.look", one_transaction=False)
def look(tenant_id: uuid.UUID, import_id: str, wishes: dict[str, Any] | None = None) -> None:
    """Find out how a large file is read."""

    def work() -> None:
        with db.unit_of_work() as session:
            service = ImportService(session, upload_root())
            service.look(service.get(import_id, lock=True), wishes)

    _guarded(import_id, "looking", work)


@tenant_task("imports.check", one_transaction=False)
def check(tenant_id: uuid.UUID, import_id: str) -> None:
    """Try an import without writing; a killed check starts anew."""
    _guarded(import_id, "checking", ImportRun(uuid.UUID(import_id), upload_root(), dry=True).run)


@tenant_task("imports.run", one_transaction=False)
def run(tenant_id: uuid.UUID, import_id: str) -> None:
    """Write an import; a killed run goes on behind the last batch that was committed."""
    _guarded(import_id, "running", ImportRun(uuid.UUID(import_id), upload_root(), dry=False).run)


@tenant_task("imports.undo", one_transaction=False)
def undo(tenant_id: uuid.UUID, import_id: str) -> None:
    """Take an import back; a killed undo goes on where it was."""
    _guarded(import_id, "undoing", lambda: undo_import(uuid.UUID(import_id)))


def _guarded(import_id: str, doing: str, work: Callable[[], None]) -> None:
    """Run a part of an import's life; what ends it is shown on its page, from where it can go on."""
    try:
        work()
    except Superseded:
        log.info("import_superseded", import_id=import_id, doing=doing)
    except (OperationalError, InterfaceError):
        raise  # The database went away: the queue tries again by itself.
    except KehuError as error:
        _failed(import_id, doing, str(error.message))
    except FileNotFoundError:
        _failed(import_id, doing, _("The uploaded file is no longer there. Upload it again."))
    except Exception:
        # A fault of ours ends here, at the edge of the job, so that the person may go on or take the import back.
        log.exception("import_failed", import_id=import_id, doing=doing)
        request_id = context.current().request_id
        _failed(
            import_id,
            doing,
            _(
                "Something went wrong on our side. The rows before are safe; go on or take the import back. "
                "If it happens again, tell us this number: %(number)s",
                number=request_id,
            ),
        )


def _failed(import_id: str, doing: str, message: str) -> None:
    with db.unit_of_work() as session:
        statement = select(Import).where(Import.id == uuid.UUID(import_id)).with_for_update()
        job = session.execute(statement).scalar_one_or_none()
        if job is not None:
            job.state, job.message = "failed", message
            job.report = {**job.report, "doing": doing}
