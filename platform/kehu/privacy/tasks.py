"""What an erasure leaves for afterwards: the trail, which the web may only add to, and the bytes of files."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import current_app
from sqlalchemy import select

from kehu.core import context, db, jobs
from kehu.files.models import File
from kehu.files.store import FileStore
from kehu.privacy import erasing


@jobs.tenant_task("privacy.scrub")
def scrub(
    _tenant_id: uuid.UUID, entry_id: str, records: Sequence[str], persons: Sequence[str], sums: Sequence[str]
) -> None:
    """Take an erased person out of the trail, and drop files that nobody else has; may run twice."""
    tenant = context.tenant()
    with db.cross_tenant(f"erase a person of the tenant {tenant.address} (entry {entry_id})") as session:
        erasing.scrub(session, records, persons)
    used = select(File.sha256).where(File.sha256.in_(list(sums)))
    kept = set(db.session().execute(used).scalars())
    store = FileStore(current_app.extensions["kehu.settings"].var / "files", 0)
    for sha256 in set(sums) - kept:
        store.drop(tenant.id, sha256)
