"""Which kinds of customers a database has: of the demo, by invoice, of Stripe's test mode or of its live mode.

An installation serves one kind. Another kind's firms would be asked for at the wrong address, or never pay again, so
that nothing begins to serve before the operator has decided. The mark of a kind is one row for the whole database,
read without looking into any firm.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from flask import Flask
from sqlalchemy import Connection, Row, Text, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from billing import modes
from kehu.config import ConfigError
from kehu.core import clock, db
from kehu.core.tables import Base, Instant
from kehu.watch.checks import OK
from plugins.results import BillingMode

KINDS: Mapping[str, str] = {
    "demo": "firms with a plan of the demo",
    "manual": "firms that pay by invoice",
    "test": "customers of Stripe's test mode",
    "live": "customers of Stripe's live mode",
}
"""Kind -> what it is called."""

_MEANT: Mapping[str, str] = {
    "demo": "KEHU_BILLING_MODE=demo",
    "manual": "KEHU_BILLING_MODE=manual",
    "test": "KEHU_BILLING_MODE=stripe with a test key",
    "live": "KEHU_BILLING_MODE=stripe with the live key",
}


class Kind(Base):
    """A kind of customers that this database has, since when."""

    __tablename__ = "billing_kinds"
    __table_args__ = ({"info": {"scope": "local"}},)

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    since: Mapped[Instant]


def kind_of(mode: str, *, live: bool) -> str:
    """Return the kind of customers that a mode makes; empty while billing is off."""
    if mode == BillingMode.STRIPE.value:
        return "live" if live else "test"
    return mode if mode in KINDS else ""


def present() -> str:
    """Return the kind that this installation serves; empty while billing is off."""
    return kind_of(modes.mode().value, live=modes.live())


def mark(session: Session) -> None:
    """Note that the database has a customer of the kind that is served now."""
    found = present()
    if found:
        session.execute(insert(Kind).values(kind=found, since=clock.now()).on_conflict_do_nothing())


def problem(served: str, found: Collection[str]) -> str:
    """Return why an installation must not serve one kind beside those of its database; empty when it may.

    Billing that is off charges nobody, and is refused only where Stripe would go on charging real cards.
    """
    other = [kind for kind in KINDS if kind in found and kind != served and (served or kind == "live")]
    if not other:
        return ""
    now = _MEANT.get(served, "KEHU_BILLING_MODE=off")
    kind = other[-1]
    return (
        f"this installation is set to {now}, but its database has {KINDS[kind]}. Set {_MEANT[kind]} again, use "
        f"another database, or let those firms begin anew with `kehu billing begin-anew --kind {kind}`; "
        "`kehu billing check` counts them"
    )


def check(connection: Connection) -> str:
    """Return `ok`, or why this process must not serve."""
    found = connection.execute(select(Kind.kind)).scalars().all()
    return problem(present(), found) or OK


def served(app: Flask) -> Flask:
    """Return an application that may work with its database as it is set.

    :raises ConfigError: says why not, and what to do.
    """
    with app.app_context(), db.engine("app").connect() as connection:
        state = check(connection)
    if state != OK:
        raise ConfigError(f"billing: {state}.")
    return app


_COUNT = text(
    "SELECT a.mode, a.livemode, count(*) AS firms, min(t.address) AS address FROM billing_accounts a "
    "JOIN tenants t ON t.id = a.tenant_id "
    "WHERE a.stripe_customer_id IS NOT NULL "
    "OR EXISTS (SELECT FROM billing_subscriptions s WHERE s.tenant_id = a.tenant_id) "
    "GROUP BY a.mode, a.livemode"
)


def recount() -> dict[str, Row[tuple[str, bool, int, str]]]:
    """Count the customers of each kind over all firms, and mend the marks: kinds that are gone forbid nothing."""
    with db.cross_tenant("kehu billing check") as session:
        # Kinds that are being marked now wait until this is written.
        session.execute(text("LOCK TABLE billing_kinds IN SHARE ROW EXCLUSIVE MODE"))
        rows = session.execute(_COUNT).all()
        found = {kind: row for row in rows if (kind := kind_of(row.mode, live=row.livemode))}
        session.execute(delete(Kind).where(Kind.kind.not_in(found)))
        for kind in found:
            session.execute(insert(Kind).values(kind=kind, since=clock.now()).on_conflict_do_nothing())
    return found
