"""The hooks by which the platform asks billing; they belong to `plugins.hookspecs`, which has the rules."""

from uuid import UUID

from plugins.addon_offers import AddonOffer
from plugins.results import BillingState, PriceList, SeatCheck, SeatOffer
from plugins.rules import Mode, spec


@spec(Mode.SYSTEM, item=BillingState, first=True)
def kehu_billing_state(tenant_id: UUID) -> BillingState | None:
    """Return where a tenant stands with billing.

    Fires when a page shows it and before a write is refused for it. The first answer wins. Mode S. Without an
    answer the platform takes the mode to be `off`.
    """
    raise NotImplementedError


@spec(Mode.SYSTEM, item=bool, first=True)
def kehu_entitled(tenant_id: UUID, slug: str) -> bool | None:
    """Tell whether a tenant may have a plugin switched on, or a feature of a plan.

    Fires when the add-on page is drawn, before a plugin is switched on, and before a feature is used. The first
    answer wins. Mode S. Without an answer the tenant may.

    :param slug: of the plugin, or `feature:<key>`.
    """
    raise NotImplementedError


@spec(Mode.SYSTEM, item=AddonOffer, first=True)
def kehu_addon_offer(tenant_id: UUID, slug: str) -> AddonOffer | None:
    """Return what an add-on costs a tenant, where it stands there, and what can be done about it.

    Fires when the page of the add-on is drawn, before it is switched on, and when a page of it says why it is
    paused. The first answer wins; without one nothing is charged for it. Mode S.
    """
    raise NotImplementedError


@spec(Mode.SYSTEM, item=PriceList, first=True)
def kehu_price_list(currency: str) -> PriceList | None:
    """Return what the product costs here, for the public page of prices.

    Fires when that page is drawn; no tenant is bound. The first answer wins; without one nothing is charged. Mode S.

    :param currency: the one that the visitor is likely to pay in.
    """
    raise NotImplementedError


@spec(Mode.SYSTEM, item=SeatCheck, first=True)
def kehu_seat_check(tenant_id: UUID, way: str, viewer: bool) -> SeatCheck | None:
    """Tell whether one more member fits, and keep others from letting somebody in until the transaction ends.

    Fires first in the transaction in which somebody is let in. The first answer wins. Mode S. Without an answer
    there is room.

    :param way: invite, resend, accept, unpark, or widen (a role that writes instead of one that only reads).
    :param viewer: whether the role only reads.
    """
    raise NotImplementedError


@spec(Mode.SYSTEM, item=SeatOffer, first=True)
def kehu_seat_offer(tenant_id: UUID) -> SeatOffer | None:
    """Return what is said of seats before somebody is invited, and where one is added.

    Fires when the form of an invitation is drawn. The first answer wins; without one nothing is said. Mode S.
    """
    raise NotImplementedError


@spec(Mode.SYSTEM, item=bool, first=True)
def kehu_take_seat(tenant_id: UUID, member_id: UUID, way: str) -> bool | None:
    """Bring the seat of a member to what the member is now, and raise when there is no room for that.

    Fires in the same transaction, after the member was written: invited, joined, parked, back, another role. The
    first answer wins; True says that it is done. Mode S.

    :param way: as for `kehu_seat_check`, or park and narrow.
    """
    raise NotImplementedError
