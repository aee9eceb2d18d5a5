"""Keep the accessories of deals, and take them over into a deal's amount."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kehu.api import Conflict, InvalidInput, NotFound, RecordService, _, select, service_for
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

    def _change(self, record: Accessory, loaded: Mapping[str, Any], *, flush: bool = True) -> bool:
        if record.counted and loaded.get("state") == "declined":
            self._take_out(record)
            loaded = {**loaded, "counted": False}
        return super()._change(record, loaded, flush=flush)

    def _trash(self, *records: Accessory) -> None:
        for one in records:
            if one.counted and not self.session.info.get("undoing"):
                self._take_out(one)
                super()._change(one, {"counted": False})
        super()._trash(*records)

    def _take_out(self, record: Accessory) -> None:
        """Lower the deal's amount by a line that it holds no more."""
        deals = service_for("deals", self.session, self.actor)
        try:
            deal = deals.get(record.deal_id, action="write", lock=True)
        except NotFound:
            return  # A deal in the trash sells nothing.
        deals.update(deal.id, {"amount": {"minor": max((deal.amount or 0) - record.total, 0)}})

    def undone(self, record: Accessory, changes: Mapping[str, list[Any]]) -> None:
        """Put back whether the deal's amount holds a line; the amount is put back by itself."""
        if "counted" in changes:
            record.counted = bool(changes["counted"][0])

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
