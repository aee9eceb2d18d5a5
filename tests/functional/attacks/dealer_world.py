"""A car dealer with one of everything that the module keeps, and the ids of it by the names that addresses use."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select

from kehu.core import clock
from kehu.core.audit import AuditEntry
from kehu.core.context import SYSTEM
from kehu.core.records.service import service_for
from kehu.core.records.types import registered
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable
from plugins_builtin.automotive.drives import link
from plugins_builtin.automotive.drives.services import DriveService
from plugins_builtin.automotive.leads import intake, reading
from plugins_builtin.automotive.leads.intake import AddressService, Incoming
from plugins_builtin.automotive.leads.routing import Routes
from plugins_builtin.automotive.protection.models import Collision
from plugins_builtin.automotive.second_car.keeping import SecondCarService
from plugins_builtin.automotive.showroom.services import VisitService

SECRET = "Zanzibar"
PHONE = "+442079460123"
PLATE = "ZZ99ZZZ"
LEAD = (
    '<?xml version="1.0"?><adf><prospect><vehicle interest="buy"><make>Zanzibar</make><model>Lead</model></vehicle>'
    '<customer><contact><name part="full">Zanzibar Caller</name><phone>+442079460555</phone></contact></customer>'
    "</prospect></adf>"
)


def fill_dealer(shop: Shop, word: str = SECRET) -> dict[str, str]:
    """Switch the module on and make one of everything; customer, deal, vehicle hold the word to look for.

    :param word: what stands in the names and texts of everything else.
    """
    enable(shop, "automotive")
    rival = shop.member("manager", "Rival Host")
    ids: dict[str, Any] = {}
    with shop.work() as session:

        def make(kind: str, /, **values: Any) -> Any:
            found = service_for(kind, session).create(values)
            session.flush()
            ids[kind] = found.id
            return found

        person = {"kind": "person", "phones": [PHONE], "emails": ["zanzibar@example.com"]}
        customer = make("customers", name=f"{SECRET} Buyer", **person).id
        deal = make("deals", name=f"{SECRET} Deal", customer_id=customer).id
        vehicle = make(
            "automotive.vehicles", make="Borgward", model="Coupe", plate=PLATE, vin="1M8GDM9AXKP042788",
            customer_id=customer, odometer=10_000,
        ).id  # fmt: skip
        make("automotive.warranty_plans", name="Open to all", make="Borgward", kind="warranty", months=24)
        make("automotive.service_items", name=f"{word} Oil", vehicle_id=vehicle, months=12)
        sheet = make("automotive.appraisals", name=f"{word} Sheet", deal_id=deal, odometer=10_000).id
        make("automotive.appraisal_lines", name=f"{word} Door", amount="100", appraisal_id=sheet)
        make("automotive.accessories", name=f"{word} Mats", deal_id=deal, price="10")
        car = make("automotive.demo_cars", name="Open to all", model="Demo").id
        ids["automotive.second_cars"] = SecondCarService(session).keep(customer, {"people": "3"}, None).id
        drive = DriveService(session).book(
            {"demo_car_id": str(car), "from_at": _monday(shop), "driver": f"{word} Driver", "phone": PHONE}
        )
        ids["automotive.test_drives"], ids["booking_id"] = drive.id, drive.booking_id
        link.renew(session)
        ids["link"] = link.secret(session)
        address, secret = AddressService(session).make(f"{word} Website")
        ids["address_id"], ids["post"] = address.id, secret
        rule = {"source": word, "make": "", "member_id": str(shop.owner.member_id)}
        ids["rule_id"] = Routes(session).add_rule(rule).id
        ids["member_id"] = rival.member_id
        ids["automotive.visits"] = VisitService(session).create({"phone": PHONE, "wanted": word}).id
    with shop.work(rival) as session:
        VisitService(session).create({"phone": PHONE, "wanted": word})
    with shop.work(SYSTEM) as session:
        kept = intake.keep(
            session,
            Incoming(raw=LEAD.replace(SECRET, word).encode(), channel="https", source=f"{word} Website"),
        )
        lead = reading.read_message(session, kept)[0]
        ids["automotive.leads"], lead.owner_id = lead.id, shop.owner.member_id
    with shop.work() as session:
        ids["case_id"] = session.execute(select(Collision.id).limit(1)).scalar_one()
        for kind in ("vehicle_models", "vehicle_parties", "odometer_readings"):
            model: Any = registered()[f"automotive.{kind}"].model
            ids[f"automotive.{kind}"] = session.execute(select(model.id).limit(1)).scalar_one()
        ids["entry_id"] = session.execute(select(AuditEntry.id).limit(1)).scalar_one()
    return {key: str(value) for key, value in ids.items()}


def _monday(shop: Shop) -> str:
    today = clock.today(shop.tenant.tz)
    return f"{today + dt.timedelta(days=14 - today.weekday())}T10:00"


NAMED = {
    "vehicle_id": "automotive.vehicles",
    "visit_id": "automotive.visits",
    "drive_id": "automotive.test_drives",
    "lead_id": "automotive.leads",
    "customer_id": "customers",
}
"""Arguments of addresses -> what they name."""
BY_PATH = {"second-car": "automotive.second_cars", "services": "automotive.service_items"}


def dealer_arguments(rule: Any, ids: dict[str, str]) -> dict[str, Any]:
    """Return what fills an address of the module."""
    part = rule.rule.split("/x/automotive/")[-1].split("/")[0]
    plain = {"key": "owner_id", "action": "trash", "state": "cancelled", "secret": ids["link"]}
    found: dict[str, Any] = {}
    for name in rule.arguments:
        if name == "record_id":
            kind = BY_PATH.get(part, f"automotive.{part}")
            found[name] = ids.get(kind, ids["automotive.appraisals"])
        elif name == "secret" and "/leads/in/" in rule.rule:
            found[name] = ids["post"]
        else:
            found[name] = ids.get(NAMED.get(name, name)) or plain.get(name, "x")
    return found
