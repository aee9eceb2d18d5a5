"""A deal is no longer found by a copy of its customer's name, which a reader might not be allowed to know.

Lists look the name up at the customer instead, as he stands now. The previous release still writes the copies while
it runs; saving the deal removes them.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from alembic import op

from kehu.core import migration
from kehu.core.search_terms import terms

revision = "20261128_03"
down_revision = "20261128_02"
branch_labels = None
depends_on = None

AT_ONCE = 2000

DEALS = sa.text(
    "SELECT id, name, number, tags FROM deals WHERE tenant_id = :tenant AND customer_id IS NOT NULL "
    "AND deleted_at IS NULL AND id > :after ORDER BY id LIMIT :most"
)
TERMS = sa.text(
    "SELECT record_id, term FROM search_terms WHERE tenant_id = :tenant AND kind = 'deals' AND record_id = ANY(:ids)"
)
FORGET = sa.text(
    "DELETE FROM search_terms WHERE tenant_id = :tenant AND kind = 'deals' AND record_id = :id AND term = ANY(:terms)"
)


def upgrade() -> None:
    migration.begin()
    if op.get_context().as_sql:
        return  # A script can't compute terms; on an empty database there is nothing to forget.
    bind = op.get_bind()
    for tenant in bind.execute(sa.text("SELECT id FROM tenants ORDER BY id")).scalars().all():
        after = uuid.UUID(int=0)
        while rows := bind.execute(DEALS, {"tenant": tenant, "after": after, "most": AT_ONCE}).all():
            _forget_copies(bind, tenant, rows)
            after = rows[-1].id


def _forget_copies(bind: sa.Connection, tenant: Any, deals: Any) -> None:
    present: defaultdict[uuid.UUID, set[str]] = defaultdict(set)
    for row in bind.execute(TERMS, {"tenant": tenant, "ids": [deal.id for deal in deals]}):
        present[row.record_id].add(row.term)
    surplus = [
        {"tenant": tenant, "id": deal.id, "terms": sorted(extra)}
        for deal in deals
        if (extra := present[deal.id] - _own(deal))
    ]
    if surplus:
        bind.execute(FORGET, surplus)


def _own(deal: Any) -> set[str]:
    tags = (("tag", tag) for tag in deal.tags)
    return terms([("name", deal.name), ("code", str(deal.number)), *tags])


def downgrade() -> None:
    """The previous release writes its copies again whenever a deal is saved."""
