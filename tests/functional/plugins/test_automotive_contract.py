"""The built-in plugin keeps what every plugin has to keep."""

from __future__ import annotations

from kehu.core import clock
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.testkit.contract import PluginContract
from kehu.testkit.fixtures import Shop
from plugins_builtin.automotive.protection.services import ProtectionService
from plugins_builtin.automotive.showroom.services import TurnService, VisitService
from plugins_builtin.automotive.vehicles.services import VehicleService


class TestContract(PluginContract):
    """The ready tests."""

    slug = "automotive"

    def fill(self, shop: Shop) -> None:
        """Add a vehicle, a visit that collides with a protection, and a host who stands ready."""
        with shop.work() as session:
            customer = service_for("customers", session).create({"name": "Harbour Taxis"})
            session.flush()
            VehicleService(session).add(customer.id, {"make": "VW", "model": "Golf"})
            ProtectionService(session).renew(customer.id, new_id(), "contact", clock.now())
            visits = VisitService(session)
            visits.create({"customer_id": str(customer.id)})
            TurnService(visits).stand(True)
