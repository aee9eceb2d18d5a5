"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import PipelineStarter, RoleStarter, StageStarter, _l
from plugins_builtin.automotive.parts import Part
from plugins_builtin.automotive.starting.samples import SAMPLES

SALE = PipelineStarter(
    key="sale",
    name=_l("Car sale"),
    description=_l("From the first lead to the delivery."),
    stages=(
        StageStarter(key="lead", name=_l("Lead"), probability=5, usual_days=2),
        StageStarter(key="contacted", name=_l("Contacted"), probability=10, usual_days=7),
        StageStarter(key="visit", name=_l("Visit"), probability=20, usual_days=7),
        StageStarter(key="test_drive", name=_l("Test drive"), probability=40, usual_days=7),
        StageStarter(key="offer", name=_l("Offer"), probability=60, usual_days=14),
        StageStarter(key="order", name=_l("Order"), probability=90, usual_days=90),
        StageStarter(key="delivered", name=_l("Delivered"), probability=100, outcome="won"),
        StageStarter(key="lost", name=_l("Lost"), outcome="lost"),
    ),
)
"""The way of a sale (AUT-03)."""

SALESPERSON = RoleStarter(
    key="salesperson",
    name=_l("Salesperson"),
    description=_l("Looks after leads, visits, drives and their own deals."),
    like="member",
    rights={"tickets:delete": None, "owned_item_terms:delete": None},
)
ADVISER = RoleStarter(
    key="service_adviser",
    name=_l("Service adviser"),
    description=_l("Looks after cars, their service and tickets; sees deals and changes none."),
    like="member",
    rights={"deals:write": None, "deals:delete": None, "automotive.visits:write": None},
)
MANAGER = RoleStarter(
    key="sales_manager",
    name=_l("Sales manager"),
    description=_l("Sees and changes everything about sales, and decides who a customer belongs to."),
    like="manager",
    rights={"tickets:delete": "own", "tickets:import": None},
)

PART = Part(starters=(SALE, SALESPERSON, ADVISER, MANAGER, SAMPLES))
