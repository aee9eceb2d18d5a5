"""Work after a merge."""

from __future__ import annotations

import uuid

from kehu.core import db, jobs
from kehu.merging import services


@jobs.tenant_task("merging.sweep")
def sweep(_tenant_id: uuid.UUID, merge_id: str) -> None:
    """Move what others wrote to the dropped record while it was merged."""
    services.sweep(db.session(), uuid.UUID(merge_id))
