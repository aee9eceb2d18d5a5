"""Work by night. Each job runs for one tenant at a time and may run twice."""

from __future__ import annotations

from kehu.api import Call
from sqlalchemy import update

from kehu_dentist.models import Recall


def recall(ctx: Call) -> None:
    """Mark the patients whose next check-up is due."""
    ctx.session.execute(
        update(Recall)
        .where(Recall.tenant_id == ctx.tenant.id, Recall.state == "waiting", Recall.due_on <= ctx.today)
        .values(state="due")
    )
