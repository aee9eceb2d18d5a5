"""Giving a firm another name under the base domain; the old one leads there, and is nobody else's for a while."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.core import clock, context
from kehu.core.i18n import _
from tenants import addresses
from tenants.domains.models import OldAddress
from tenants.domains.permissions import RIGHT
from tenants.services import TenantService

KEPT = dt.timedelta(days=90)
MOST = 3
"""So many old names of a firm are kept at a time, so that nobody collects names."""


class AddressService:
    """Rename the present firm's address."""

    def __init__(self, session: Session) -> None:
        self.session, self.tenant = session, context.tenant()

    def rename(self, wanted: str) -> context.TenantInfo:
        """Give the firm another address and return it as it is now; the caller has had the password confirmed.

        :raises InvalidInput: for the field "address": its form, a reserved name, another firm's, one too many.
        """
        context.actor().require(RIGHT)
        address, old = addresses.check(wanted), self.tenant.address
        if address == old:
            raise addresses.refusal(_("This is the address already. Choose another one."))
        for name in sorted((address, old)):
            addresses.hold(self.session, name)
        now = clock.now()
        self.session.execute(delete(OldAddress).where(OldAddress.until <= now))
        if not addresses.is_free(self.session, address, but_for=self.tenant.id):
            raise addresses.taken(address)
        mine = select(func.count()).where(OldAddress.firm_id == self.tenant.id, OldAddress.address != address)
        if self.session.execute(mine).scalar_one() >= MOST:
            raise addresses.refusal(
                _(
                    "The firm was renamed %(most)s times within 90 days. Wait until an old address is free.",
                    most=MOST,
                )
            )
        self.session.execute(delete(OldAddress).where(OldAddress.address == address))
        self.session.execute(
            insert(OldAddress)
            .values(address=old, firm_id=self.tenant.id, until=now + KEPT)
            .on_conflict_do_update(
                index_elements=[OldAddress.address], set_={"firm_id": self.tenant.id, "until": now + KEPT}
            )
        )
        try:
            with self.session.begin_nested():
                TenantService(self.session).set_address(address)
        except IntegrityError as error:
            raise addresses.taken(address) from error
        return context.tenant()

    def old(self) -> Sequence[OldAddress]:
        """Return the names that the firm had and that still lead here."""
        statement = select(OldAddress).where(
            OldAddress.firm_id == self.tenant.id, OldAddress.until > clock.now()
        )
        return self.session.execute(statement.order_by(OldAddress.until)).scalars().all()
