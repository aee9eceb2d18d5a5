"""Work by night. Each job runs for one tenant at a time and may run twice."""

from __future__ import annotations

from kehu.api import Call, audit, select

from kehu_dentist.models import Recall

AT_ONCE = 1000


def recall(ctx: Call) -> None:
    """Mark the patients whose next check-up is due; each change stands in the trail."""
    due = (
        select(Recall)
        .where(Recall.state == "waiting", Recall.due_on <= ctx.today)
        .order_by(Recall.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    for recall in ctx.session.execute(due).scalars():
        recall.state = "due"
        audit(
            ctx.session,
            object="dentist.recalls",
            record_id=recall.id,
            action="updated",
            title=recall.due_on.isoformat(),
            changes={"state": ["waiting", "due"]},
            customer_id=recall.customer_id,
        )
