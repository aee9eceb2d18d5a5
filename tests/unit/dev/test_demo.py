"""The demo firm: complete, believable, the same each time."""

import datetime as dt
import time

from sqlalchemy import func, select

from kehu.activities.models import Activity
from kehu.core import clock, context, db
from kehu.core.audit import AuditEntry
from kehu.core.ids import new_id
from kehu.customers.models import Contact, Customer
from kehu.deals.models import Deal, Product
from kehu.dev import demo
from kehu.members.models import Member
from kehu.tickets.models import Ticket, TicketMessage
from kehu.views.models import SavedView


def test_the_demo_firm_is_filled_quickly(app):
    mark = new_id().hex[-8:]
    started = time.monotonic()
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM, source="demo") as session:
        tenant = demo.fill(session, f"demo{mark}", f"owner.{mark}@demo.example", f"sales.{mark}@demo.example")
    assert time.monotonic() - started < 30
    assert tenant.demo
    with app.app_context(), db.unit_of_work(tenant=tenant, actor=context.SYSTEM) as session:
        counts = {
            model: session.execute(select(func.count()).select_from(model)).scalar_one()
            for model in (
                Member,
                Customer,
                Contact,
                Deal,
                Activity,
                Ticket,
                TicketMessage,
                Product,
                SavedView,
            )
        }
        hour = clock.now() - dt.timedelta(hours=1)
        fresh = select(func.count()).where(
            AuditEntry.at > hour, AuditEntry.object.in_(("customers", "contacts", "deals", "products"))
        )
        young = session.execute(fresh.where(AuditEntry.action == "created")).scalar_one()
        statuses = dict(session.execute(select(Deal.status, func.count()).group_by(Deal.status)).all())
        closed = session.execute(
            select(func.count()).where(Deal.status == "open", Deal.closed_at.is_not(None))
        ).scalar()
        later = session.execute(select(func.count()).where(Deal.stage_since > clock.now())).scalar_one()
    assert (young, later) == (0, 0)
    assert (counts[Member], counts[Customer], counts[Product]) == (12, 120, 14)
    assert counts[Contact] == 180
    assert counts[Deal] > 140
    assert counts[Activity] > 280
    assert counts[Ticket] == 62
    assert counts[TicketMessage] > 100
    assert counts[SavedView] == 4
    assert set(statuses) == {"open", "won", "lost"}
    assert closed == 0


def test_the_printed_logins():
    assert [login["email"] for login in demo.logins()] == ["owner@demo.example", "sales@demo.example"]
