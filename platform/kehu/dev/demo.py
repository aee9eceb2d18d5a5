"""The demo firm: “Harbour & Co”, a joinery with customers in three languages; made once, the same each time.

`make run` calls `ensure_demo` and prints the logins that it returns. Everything is invented and marked as demo.
"""

from __future__ import annotations

from typing import Any

from flask_security import hash_password
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.accounts.services import new_user
from kehu.app import create_app
from kehu.core import context, db
from kehu.core.ids import new_id
from kehu.dev import demo_records, demo_words
from kehu.dev.demo_members import add_members
from kehu.members.loading import actor_of_member
from tenants.models import Tenant
from tenants.provision import NewTenant, provision

ADDRESS = "demo"
NAME = "Harbour & Co"
PASSWORD = "harbour-demo-2026"
OWNER, SALES = "owner@demo.example", "sales@demo.example"


def logins() -> list[dict[str, str]]:
    """Return the logins that `make run` prints."""
    return [
        {"label": "Owner", "email": OWNER, "password": PASSWORD},
        {"label": "Salesperson", "email": SALES, "password": PASSWORD},
    ]


def ensure_demo() -> list[dict[str, str]]:
    """Make the demo firm unless it is there, and return its logins."""
    app = create_app()
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM, source="demo") as session:
        if not _exists(session):
            fill(session)
    return logins()


def _exists(session: Session) -> bool:
    return session.execute(select(Tenant.id).where(Tenant.address == ADDRESS)).first() is not None


def fill(session: Session, address: str = ADDRESS, owner_email: str = OWNER, sales_email: str = SALES) -> Any:
    """Found the demo firm and fill it; the caller commits.

    :returns: what the platform knows of the new tenant.
    """
    hashed = hash_password(PASSWORD)
    name = demo_words.PEOPLE[0][0]
    owner = new_user(session, name=name, email=owner_email, password_hash=hashed, locale="en", confirmed=True)
    session.flush()  # The member points at the user.
    wanted = NewTenant(
        name=NAME,
        address=address,
        country="GB",
        currency="GBP",
        zone="Europe/London",
        locale="en",
        trade="craft",
        demo=True,
    )
    tenant, member = provision(session, wanted, owner)
    emails = {demo_words.PEOPLE[1][0]: sales_email}
    actor = actor_of_member(session, member.id)
    with context.use(tenant=tenant, actor=actor):
        people = add_members(
            session, member, hashed, emails, suffix="" if address == ADDRESS else new_id().hex[-8:]
        )
        demo_records.fill(session, people)
    return tenant
