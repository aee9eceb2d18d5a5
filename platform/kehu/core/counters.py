"""Human numbers without gaps, per tenant (DATABASE.md 2)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from kehu.core.db import tenant_id
from kehu.core.tables import Base, TenantOwned, tenant_args


class Counter(TenantOwned, Base):
    """The last number given out under a name."""

    __tablename__ = "counters"
    __table_args__ = tenant_args("counters")

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


def take(session: Session, name: str, count: int = 1, *, start: int = 1) -> int:
    """Reserve consecutive numbers and return the first; rolls back with the transaction, so no gap stays.

    :param start: the least number that is given out.
    """
    table = Counter.__table__
    statement = (
        insert(Counter)
        .values(tenant_id=tenant_id(), name=name, value=start - 1 + count)
        .on_conflict_do_update(
            index_elements=[table.c.tenant_id, table.c.name],
            set_={"value": func.greatest(table.c.value, start - 1) + count},
            where=table.c.tenant_id == tenant_id(),
        )
        .returning(table.c.value)
    )
    last: int = session.execute(statement).scalar_one()
    return last - count + 1


def reach(session: Session, name: str, value: int) -> None:
    """Let counting go on after a number that came from elsewhere; a counter that is further stays."""
    table = Counter.__table__
    statement = insert(Counter).values(tenant_id=tenant_id(), name=name, value=value)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c.tenant_id, table.c.name],
            set_={"value": func.greatest(table.c.value, statement.excluded.value)},
            where=table.c.tenant_id == tenant_id(),
        )
    )


def last(session: Session, name: str) -> int | None:
    """Return the last number given out under a name, or None."""
    return session.execute(select(Counter.value).where(Counter.name == name)).scalar()


def begun(session: Session, prefix: str) -> list[str]:
    """Return the names with a beginning under which something was counted, the latest name first."""
    statement = select(Counter.name).where(Counter.name.startswith(prefix, autoescape=True))
    return list(session.execute(statement.order_by(Counter.name.desc()).limit(60)).scalars())
