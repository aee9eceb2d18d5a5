"""Keep the accessories of deals, and take them over into a deal's amount."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from kehu.api import Conflict, InvalidInput, RecordService, _, select, service_for
from plugins_builtin.automotive.accessories.models import Accessory
from plugins_builtin.automotive.base import SLUG

NAME = f"{SLUG}.accessories"


class AccessoryService(RecordService[Accessory]):
    """Write accessories."""

    type_name = NAME

    def prepare(self, record: Accessory, changed: set[str]) -> None:
        """Take customer and currency from the deal, name and price from the product."""
        deal = service_for("deals", self.session, self.actor).get(record.deal_id, action="write")
        record.customer_id, record.currency = deal.customer_id, deal.currency
        record.quantity, record.state = record.quantity or 1, record.state or "offered"
        if record.product_id is not None and "product_id" in changed:
            product = service_for("products", self.session, self.actor).get(record.product_id)
            record.name = record.name or product.name
            if record.price is None and product.currency == record.currency:
                record.price = product.price

    def check(self, record: Accessory, changed: set[str]) -> None:
        """Ask for a name, and leave alone what the deal's amount holds already.

        :raises InvalidInput: names the field.
        :raises Conflict: for figures that are counted.
        """
        if not record.name:
            message = _("Write what is fitted, or choose a product.")
            raise InvalidInput(message, fields={"name": [message]})
        if (
            record.counted
            and changed & {"quantity", "price", "fitting", "deal_id"}
            and record in self.session
        ):
            raise Conflict(
                _("The amount of the deal holds this line already. Add another line for what comes on top.")
            )

    def take_over(self, deal_id: object) -> int:
        """Add what is not yet in a deal's amount to it, and return how much that was.

        :raises Conflict: when there is nothing to add.
        """
        deals = service_for("deals", self.session, self.actor)
        deal = deals.get(deal_id, action="write", lock=True)
        lines = [one for one in of_deal(self.session, deal.id) if not one.counted and one.state != "declined"]
        total = sum(one.total for one in lines)
        if not total:
            raise Conflict(_("The amount of the deal holds all of it already."))
        deals.update(deal.id, {"amount": {"minor": (deal.amount or 0) + total}})
        for one in lines:
            self._change(one, {"counted": True})
        return total

    def search_texts(self, record: Accessory) -> Iterable[tuple[str, str]]:
        """Find an accessory by its name."""
        yield "name", record.name


def of_deal(session: Any, deal_id: uuid.UUID) -> Sequence[Accessory]:
    """Return the live accessories of a deal, in the order in which they were written."""
    statement = (
        select(Accessory)
        .where(Accessory.deal_id == deal_id, Accessory.deleted_at.is_(None))
        .order_by(Accessory.id)
        .limit(100)
    )
    return session.execute(statement).scalars().all()  # type: ignore[no-any-return]
