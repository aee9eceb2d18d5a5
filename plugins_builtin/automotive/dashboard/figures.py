"""Numbers of the day, one statement for each subject. A number counts what its list shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from kehu.api import Session, _, _l, and_, clock, func, readable, select, service_for, starter_id, tenant
from plugins_builtin.automotive.accessories.models import Accessory
from plugins_builtin.automotive.appraisal.models import Appraisal
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.dashboard.numbers import Number
from plugins_builtin.automotive.drives.models import TestDrive
from plugins_builtin.automotive.leads.models import Lead
from plugins_builtin.automotive.second_car import worklist
from plugins_builtin.automotive.showroom.models import Visit

TERMS = "owned_item_terms"
SOON = 90
"""Days ahead in which an end is soon."""
ENDS: tuple[tuple[str, Any], ...] = (
    ("warranty,extended_warranty", _l("Warranties that end")),
    ("insurance", _l("Insurances that end")),
    ("finance", _l("Loans and leases that end")),
    ("inspection", _l("Inspections that are due")),
    ("contract", _l("Service contracts that end")),
)
"""Kinds of terms -> what is counted."""


def midnight() -> dt.datetime:
    """Return when the firm's day began."""
    zone = tenant().tz
    return dt.datetime.combine(clock.today(zone), dt.time(), zone)


def leads(session: Session) -> Sequence[Number]:
    """Leads that nobody has answered, by age."""
    base = "/x/automotive/leads?view=all&state=open"
    today = midnight()
    yesterday = today - dt.timedelta(days=1)
    statement = select(
        func.count().filter(Lead.received_at >= today).label("today"),
        func.count().filter(Lead.received_at < today, Lead.received_at >= yesterday).label("yesterday"),
        func.count().filter(Lead.received_at < yesterday).label("older"),
    ).where(readable("automotive.leads"), Lead.state == "open")
    row = session.execute(statement).one()
    return [
        Number(label=_("Open leads of today"), count=row.today, url=f"{base}&received_at.gte=today"),
        Number(
            label=_("Open leads of yesterday"),
            count=row.yesterday,
            url=f"{base}&received_at.gte=today-1&received_at.lte=today-1",
            bad=True,
        ),
        Number(label=_("Older open leads"), count=row.older, url=f"{base}&received_at.lte=today-2", bad=True),
    ]


def deals(session: Session) -> Sequence[Number]:
    """Open deals by stage of the car sale."""
    pipeline_id = starter_id(session, SLUG, "sale")
    if pipeline_id is None:
        return ()
    deal: Any = service_for("deals", session).type.model
    stage: Any = service_for("stages", session).type.model
    open_ones = and_(
        deal.tenant_id == stage.tenant_id, deal.stage_id == stage.id, deal.status == "open", readable("deals")
    )
    statement = (
        select(stage.id, stage.name, func.count(deal.id).label("many"))
        .outerjoin(deal, open_ones)
        .where(stage.pipeline_id == pipeline_id, stage.outcome == "open", stage.deleted_at.is_(None))
        .group_by(stage.id, stage.name, stage.position)
        .order_by(stage.position)
        .limit(20)
    )
    return [
        Number(label=row.name, count=row.many, url=f"/deals?view=all&status=open&stage_id={row.id}")
        for row in session.execute(statement)
    ]


def visits(session: Session) -> Sequence[Number]:
    """Visits of today, those who wait, and what is to be followed up."""
    base = "/x/automotive/visits?view=all"
    today = and_(Visit.arrived_at >= midnight())
    waits = and_(today, Visit.left_at.is_(None), Visit.owner_id.is_(None))
    statement = select(
        func.count().filter(today).label("today"),
        func.count().filter(waits).label("waits"),
        func.count().filter(Visit.result == "open").label("open"),
    ).where(readable("automotive.visits"))
    row = session.execute(statement).one()
    return [
        Number(label=_("Visits today"), count=row.today, url=f"{base}&arrived_at.gte=today"),
        Number(label=_("Waiting for a host"), count=row.waits, url="/x/automotive/showroom", bad=True),
        Number(label=_("Visits without a result"), count=row.open, url=f"{base}&result=open"),
    ]


def drives(session: Session) -> Sequence[Number]:
    """Test drives of today, and those that are not back in time."""
    base = "/x/automotive/test_drives?view=all"
    start, states = midnight(), ("booked", "out", "back", "no_show")
    today = and_(
        TestDrive.from_at >= start,
        TestDrive.from_at < start + dt.timedelta(days=1),
        TestDrive.state.in_(states),
    )
    statement = select(
        func.count().filter(today).label("today"), func.count().filter(TestDrive.state == "out").label("out")
    ).where(readable("automotive.test_drives"))
    row = session.execute(statement).one()
    day = f"from_at.gte=today&from_at.lte=today&state.in={','.join(states)}"
    return [
        Number(label=_("Test drives today"), count=row.today, url=f"{base}&{day}"),
        Number(label=_("Cars on the road"), count=row.out, url=f"{base}&state=out"),
    ]


def ends(session: Session) -> Sequence[Number]:
    """What ends within 90 days for cars and other things that customers have."""
    term: Any = service_for(TERMS, session).type.model
    today = clock.today(tenant().tz)
    statement = (
        select(term.kind, func.count().label("many"))
        .where(
            readable(TERMS),
            term.state == "active",
            term.item_in_use,
            term.effective_end >= today,
            term.effective_end <= today + dt.timedelta(days=SOON),
        )
        .group_by(term.kind)
    )
    counts = {row.kind: row.many for row in session.execute(statement)}
    tail = f"state=active&item_in_use=1&effective_end.gte=today&effective_end.lte=today%2B{SOON}&sort=effective_end"
    return [
        Number(
            label=str(label),
            count=sum(counts.get(kind, 0) for kind in kinds.split(",")),
            url=f"/{TERMS}?view=all&kind.in={kinds}&{tail}",
        )
        for kinds, label in ENDS
    ]


def second_cars(session: Session) -> Sequence[Number]:
    """Households that may be asked now."""
    return [
        Number(
            label=_("Households to ask for a second car"),
            count=worklist.count(session),
            url="/x/automotive/second-car",
        )
    ]


def appraisals(session: Session) -> Sequence[Number]:
    """Appraisals that wait, and how many were bought of those that were looked at in 90 days."""
    base = "/x/automotive/appraisals?view=all"
    since = midnight() - dt.timedelta(days=SOON)
    recent = Appraisal.updated_at >= since
    done = Appraisal.state.in_(("accepted", "declined"))
    statement = select(
        func.count().filter(Appraisal.state == "draft").label("draft"),
        func.count().filter(Appraisal.state == "offered").label("offered"),
        func.count().filter(recent, done).label("closed"),
        func.count().filter(recent, Appraisal.state == "accepted").label("bought"),
    ).where(readable("automotive.appraisals"))
    row = session.execute(statement).one()
    day = since.date().isoformat()
    return [
        Number(label=_("Cars to appraise"), count=row.draft, url=f"{base}&state=draft"),
        Number(label=_("Trade-ins offered"), count=row.offered, url=f"{base}&state=offered"),
        Number(
            label=_("Bought of those looked at in %(days)s days", days=SOON),
            count=row.bought,
            of=row.closed,
            url=f"{base}&state.in=accepted,declined&updated_at.gte={day}",
        ),
    ]


def fittings(session: Session) -> Sequence[Number]:
    """Accessories that are to be fitted."""
    statement = select(func.count()).where(readable("automotive.accessories"), Accessory.state == "ordered")
    return [
        Number(
            label=_("Accessories to be fitted"),
            count=session.execute(statement).scalar_one(),
            url="/x/automotive/accessories?view=all&state=ordered",
        )
    ]
