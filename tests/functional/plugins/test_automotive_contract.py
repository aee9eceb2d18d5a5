"""The built-in plugin keeps what every plugin has to keep."""

from __future__ import annotations

import datetime as dt
from typing import Any

from kehu.core import clock
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.testkit.contract import PluginContract
from kehu.testkit.fixtures import Shop
from plugins_builtin.automotive.drives import link
from plugins_builtin.automotive.drives.cars import DemoCarService
from plugins_builtin.automotive.drives.services import DriveService
from plugins_builtin.automotive.leads import intake, reading
from plugins_builtin.automotive.leads.routing import Routes
from plugins_builtin.automotive.protection.services import ProtectionService
from plugins_builtin.automotive.second_car.keeping import SecondCarService
from plugins_builtin.automotive.second_car.models import SecondCarWeights
from plugins_builtin.automotive.showroom.services import TurnService, VisitService
from plugins_builtin.automotive.vehicles.services import VehicleService
from plugins_builtin.automotive.warranty.plans import PlanService


def vehicles(session: Any, customer: Any) -> None:
    values = {"make": "VW", "model": "Golf", "odometer": 42000, "customer_id": str(customer.id)}
    VehicleService(session).create(values)


def showroom(session: Any, customer: Any) -> None:
    ProtectionService(session).renew(customer.id, new_id(), "contact", clock.now())
    visits = VisitService(session)
    visits.create({"customer_id": str(customer.id)})
    TurnService(visits).stand(True)


def second_car(session: Any, customer: Any) -> None:
    SecondCarService(session).keep(customer.id, {"drivers": 2})
    session.add(
        SecondCarWeights(
            tenant_id=customer.tenant_id, id=new_id(), made_at=clock.now(), weights={}, outcomes=0
        )
    )


def leads(session: Any, _customer: Any) -> None:
    intake.AddressService(session).make("Website")
    kept = intake.keep(session, intake.Incoming(raw=b"<adf><prospect/></adf>", channel="https"))
    reading.read_message(session, kept)
    mine = Routes(session).able()[0]
    Routes(session).take_part(mine, takes=True)
    Routes(session).add_rule({"make": "VW", "member_id": str(mine)})


def drives(session: Any, customer: Any) -> None:
    car = DemoCarService(session).create({"name": "Golf, blue", "model": "VW Golf"})
    link.renew(session)
    start = clock.now() + dt.timedelta(days=2)
    values = {"demo_car_id": str(car.id), "from_at": start, "minutes": "30", "driver": "Anna Lind"}
    DriveService(session).book({**values, "customer_id": str(customer.id)})


def warranty(session: Any, customer: Any) -> None:
    PlanService(session).create({"name": "Factory warranty", "make": "VW", "months": 36})


def deal_of(session: Any, customer: Any) -> str:
    return str(service_for("deals", session).create({"name": "Golf", "customer_id": str(customer.id)}).id)


def appraisal(session: Any, customer: Any) -> None:
    made = service_for("automotive.appraisals", session).create({"deal_id": deal_of(session, customer)})
    line = {"appraisal_id": str(made.id), "name": "Tyres", "amount": "800"}
    service_for("automotive.appraisal_lines", session).create(line)


def accessories(session: Any, customer: Any) -> None:
    values = {"deal_id": deal_of(session, customer), "name": "Tow bar", "price": "700"}
    service_for("automotive.accessories", session).create(values)


def upkeep(session: Any, customer: Any) -> None:
    values = {"make": "VW", "model": "Polo", "customer_id": str(customer.id), "odometer": 1000}
    car = service_for("automotive.vehicles", session).create(values)
    service_for("automotive.service_items", session).create(
        {"vehicle_id": str(car.id), "name": "Oil", "months": 12}
    )


FILLS = (
    vehicles,
    showroom,
    second_car,
    leads,
    drives,
    warranty,
    appraisal,
    accessories,
    upkeep,
)
"""One of each subject; each leaves a row in each of its tables."""


class TestContract(PluginContract):
    """The ready tests."""

    slug = "automotive"
    queries = 17  # The dashboard asks for the numbers of nine subjects.
    job_arguments = {"leads_read": {"message_id": str(new_id())}}
    seeds = True

    def fill(self, shop: Shop) -> None:
        """Add what each subject keeps of a customer."""
        with shop.work() as session:
            customer = service_for("customers", session).create({"name": "Harbour Taxis"})
            session.flush()
            for one in FILLS:
                one(session, customer)
