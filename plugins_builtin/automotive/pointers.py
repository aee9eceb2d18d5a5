"""Rows that name a contact without a key, or the customer of their deal: they follow when those become others."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import update

from kehu.api import Call, Event, Merging, NotFound, select, service_for, tenant
from plugins_builtin.automotive.accessories.models import Accessory
from plugins_builtin.automotive.appraisal.models import Appraisal
from plugins_builtin.automotive.drives.models import TestDrive
from plugins_builtin.automotive.vehicles.models import VehicleParty

NAMING: tuple[Any, ...] = (TestDrive, VehicleParty)
"""Models with a `contact_id` that is no key; the platform moves those that are."""

OF_DEALS: tuple[Any, ...] = (Accessory, Appraisal)
"""Models whose customer is that of their deal."""


def follow_merge(ctx: Call, merge: Merging) -> None:
    """Let what names a contact name the one that stays; what changed since a merge stays when it is undone."""
    if merge.object != "contacts":
        return
    now, then = (merge.keep_id, merge.drop_id) if merge.undoing else (merge.drop_id, merge.keep_id)
    for model in NAMING:
        mine: tuple[Any, ...] = (model.tenant_id == tenant().id, model.contact_id == now)
        name = str(model.__tablename__)
        if merge.undoing:
            mine = (*mine, model.id.in_([uuid.UUID(one) for one in merge.notes.get(name, ())]))
        else:
            merge.notes[name] = list(map(str, ctx.session.execute(select(model.id).where(*mine)).scalars()))
        if merge.notes.get(name):
            ctx.session.execute(update(model).where(*mine).values(contact_id=then))


def follow_deal(ctx: Call, event: Event) -> None:
    """Let what belongs to a deal name its customer of now. Safe to run again."""
    if event.name != "deal.updated" or "customer_id" not in event.payload.get("changes", {}):
        return
    try:
        deal: Any = service_for("deals", ctx.session).get(event.payload["record_id"])
    except NotFound:
        return
    for model in OF_DEALS:
        other = model.customer_id.is_distinct_from(deal.customer_id)
        mine = (model.tenant_id == tenant().id, model.deal_id == deal.id, other)
        ctx.session.execute(update(model).where(*mine).values(customer_id=deal.customer_id))
