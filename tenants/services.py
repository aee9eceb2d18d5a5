"""Changing a tenant: the row itself and the copy that this request works with."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core import audit, context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import LOCALES, _
from kehu.core.text import clean
from tenants import places
from tenants.models import Tenant

CHECKED = ("name", "country", "currency", "zone", "locale")


class TenantService:
    """Change the present tenant."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def row(self) -> Tenant:
        """Return the tenant's row."""
        found = self.session.get(Tenant, context.tenant().id)
        assert found is not None
        return found

    def note(self, **settings: Any) -> None:
        """Keep facts among the tenant's settings; they come with each request at no cost."""
        tenant = self.row()
        # As they are now: somebody else may have kept a fact since this row was read.
        self.session.refresh(tenant, ["settings"], with_for_update=True)
        tenant.settings = {**(tenant.settings or {}), **settings}
        self._renew(tenant)

    def change(self, values: dict[str, str]) -> None:
        """Change name, country, currency, zone and language.

        :raises InvalidInput: with a message for each field that can't be used.
        """
        tenant = self.row()
        new = {key: clean(values.get(key, getattr(tenant, key))) for key in CHECKED}
        errors: dict[str, list[str]] = {}
        if not 2 <= len(new["name"]) <= 100:
            errors["name"] = [_("Write the firm's name with 2 to 100 characters.")]
        if new["country"] not in dict(places.countries("en")):
            errors["country"] = [_("Choose a country of the list.")]
        if new["currency"] not in dict(places.currencies("en")):
            errors["currency"] = [_("Choose a currency of the list.")]
        if not places.is_zone(new["zone"]):
            errors["zone"] = [_("Choose a time zone of the list, as Europe/London.")]
        if new["locale"] not in LOCALES:
            errors["locale"] = [_("Choose one of the languages of the list.")]
        if errors:
            raise InvalidInput(_("Some answers need another look; what you typed is kept."), fields=errors)
        changes = {
            key: [getattr(tenant, key), value] for key, value in new.items() if getattr(tenant, key) != value
        }
        if not changes:
            return
        for key, (_old, value) in changes.items():
            setattr(tenant, key, value)
        self._changed(tenant, changes)

    def set_address(self, address: str) -> None:
        """Keep another address; a clash raises as it is written."""
        tenant = self.row()
        self.session.refresh(tenant, ["address"], with_for_update=True)
        changes: dict[str, list[Any]] = {"address": [tenant.address, address]}
        tenant.address = address
        self._changed(tenant, changes)

    def set_state(self, state: str, reason: str) -> None:
        """Suspend the tenant, or let it work again."""
        tenant = self.row()
        self.session.refresh(tenant, ["state"], with_for_update=True)
        if tenant.state == state:
            return
        changes: dict[str, list[Any]] = {"state": [tenant.state, state], "reason": [None, reason or None]}
        tenant.state = state
        self._changed(tenant, changes)

    def set_trade(self, trade: str) -> None:
        """Keep the trade, by which plugins are suggested."""
        self.row().trade = trade
        self.note(trade=trade)

    def set_plugins(self, slugs: list[str], held: list[str]) -> None:
        """Keep which plugins are on and which of them are held, where each request finds them."""
        tenant = self.row()
        # As it is now: another admin may have switched something since this row was read.
        self.session.refresh(tenant, ["plugins", "held_plugins"])
        tenant.plugins, tenant.held_plugins = sorted(slugs), sorted(held)
        self._renew(tenant)

    def _changed(self, tenant: Tenant, changes: dict[str, list[Any]]) -> None:
        audit.write(
            self.session,
            object="tenants",
            record_id=tenant.id,
            action="updated",
            title=tenant.name,
            changes=changes,
        )
        self._renew(tenant)

    def _renew(self, tenant: Tenant) -> None:
        self.session.flush()  # The rest of the request works with the tenant as it is now.
        db.bind_tenant(tenant.info())
