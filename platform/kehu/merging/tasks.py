"""Work after a merge, the nightly look for doubles, and the look at rows that an import brings."""

from __future__ import annotations

import uuid

from kehu.core import db, jobs, schedule
from kehu.imports.doubles import register_finder
from kehu.merging import automatic, services
from kehu.merging.arriving import finder_of
from kehu.merging.finding import LOOK, OBJECTS
from kehu.merging.looking import look_through


@schedule.every_tenant(LOOK, at="03:10")
def look(_tenant_id: uuid.UUID) -> None:
    """Look through all customers and contacts for doubles."""
    for name in OBJECTS:
        look_through(db.session(), name)


@schedule.every_tenant("merging.certain", at="03:40", rests=True)
def merge_certain(_tenant_id: uuid.UUID) -> None:
    """Merge what is certain, where the firm wants that."""
    for name in OBJECTS:
        automatic.merge_night(db.session(), name)


@jobs.tenant_task("merging.sweep")
def sweep(_tenant_id: uuid.UUID, merge_id: str) -> None:
    """Move what others wrote to the dropped record while it was merged."""
    services.sweep(db.session(), uuid.UUID(merge_id))


for _name in OBJECTS:
    register_finder(_name, finder_of(_name))
