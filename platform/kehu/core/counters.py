"""Human numbers without gaps, per tenant (DATABASE.md 2)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text
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


def take(session: Session, name: str, count: int = 1) -> int:
    """Reserve consecutive numbers and return the first; rolls back with the transaction, so no gap stays."""
    table = Counter.__table__
    statement = (
        insert(Counter)
        .values(tenant_id=tenant_id(), name=name, value=count)
        .on_conflict_do_update(
            index_elements=[table.c.tenant_id, table.c.name],
            set_={"value": table.c.value + count},
            where=table.c.tenant_id == tenant_id(),
        )
        .returning(table.c.value)
    )
    last: int = session.execute(statement).scalar_one()
    return last - count + 1
