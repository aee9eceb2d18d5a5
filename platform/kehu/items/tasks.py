"""Work behind owned items: terms whose last day has passed are marked as ended, each night."""

from __future__ import annotations

import uuid

from kehu.core import db, schedule
from kehu.items.services import TermService

BATCH = 1000


@schedule.every_tenant("items.end_terms", at="00:20", one_transaction=False)
def end_terms(_tenant_id: uuid.UUID) -> None:
    """Mark passed terms as ended, a batch in each transaction."""
    while True:
        with db.unit_of_work() as session:
            if TermService(session).end_passed(BATCH) < BATCH:
                return
