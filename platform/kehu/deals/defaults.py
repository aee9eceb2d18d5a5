"""The pipeline that a tenant starts with."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.deals.models import Pipeline, Stage


def default_pipeline(session: Session) -> list[Any]:
    """Return a sales pipeline with its stages, named in the present language; the pipeline itself is added."""
    pipeline = Pipeline(id=new_id(), version=1, name=_("Sales"), position=1, is_default=True)
    session.add(pipeline)
    session.flush()  # Stages point at it.
    steps = (
        (_("New"), 10, "open", 7),
        (_("Qualified"), 25, "open", 14),
        (_("Proposal sent"), 50, "open", 14),
        (_("Negotiation"), 75, "open", 14),
        (_("Won"), 100, "won", None),
        (_("Lost"), 0, "lost", None),
    )
    return [
        Stage(
            id=new_id(),
            version=1,
            pipeline_id=pipeline.id,
            name=name,
            position=position,
            probability=probability,
            outcome=outcome,
            usual_days=days,
        )
        for position, (name, probability, outcome, days) in enumerate(steps, 1)
    ]
