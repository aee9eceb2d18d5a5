"""Numbers of the operator's own papers: a range of invoices and one of credit notes for all firms, without a gap."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.models import NumberRange

INVOICES = "invoices"
CREDIT_NOTES = "credit notes"
_BEGINS = {INVOICES: "", CREDIT_NOTES: "C"}


def take(session: Session, year: int, of: str = INVOICES) -> str:
    """Return the next number of a year, as `2027-00012` or, of credit notes, `C2027-00012`.

    The row stays locked until the transaction ends and is rolled back with it: no number is lost or given twice.
    """
    statement = insert(NumberRange).values(name=f"{of} {year}", value=1)
    table = NumberRange.__table__
    done = statement.on_conflict_do_update(
        index_elements=[table.c.name], set_={"value": table.c.value + 1}
    ).returning(table.c.value)
    return f"{_BEGINS[of]}{year}-{session.execute(done).scalar_one():05d}"
