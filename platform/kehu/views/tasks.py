"""Jobs of the record pages."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from kehu.core import db
from kehu.core.errors import Forbidden
from kehu.core.jobs import tenant_task
from kehu.views import bulk
from kehu.views.models import BulkRun


@tenant_task("views.bulk", one_transaction=False)
def run_bulk(tenant_id: uuid.UUID, run_id: str) -> None:
    """Change many records, part by part; safe to run twice."""
    found = uuid.UUID(run_id)
    try:
        while bulk.work_on(found):
            continue
    except Forbidden:
        # Whoever started it was parked or lost the right since: trying again would change nothing.
        with db.unit_of_work() as session:
            _set_state(session, tenant_id, found, "failed")
    except Exception:
        # The page that waits is told; the queue logs the fault and tries again, which sets it going anew.
        with db.unit_of_work() as session:
            _set_state(session, tenant_id, found, "waiting")
        raise


def _set_state(session: Session, tenant_id: uuid.UUID, run_id: uuid.UUID, state: str) -> None:
    run = session.get(BulkRun, (tenant_id, run_id))
    if run is not None:
        run.state = state
