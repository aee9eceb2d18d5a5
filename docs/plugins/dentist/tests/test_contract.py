"""What every plugin has to keep."""

from __future__ import annotations

from kehu.api import service_for
from kehu.testkit.contract import PluginContract
from kehu.testkit.fixtures import Shop

from kehu_dentist.services import RecallService


class TestContract(PluginContract):
    """The ready tests of Kehu."""

    slug = "dentist"

    def fill(self, shop: Shop) -> None:
        """Note one visit."""
        with shop.work() as session:
            patient = service_for("customers", session).create({"name": "Ada Byron"})
            session.flush()
            RecallService(session).record(patient.id, {"seen_on": "2024-01-31", "months": "6"})
