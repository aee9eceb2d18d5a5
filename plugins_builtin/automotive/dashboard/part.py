"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import Panel, Permission, _l
from plugins_builtin.automotive.dashboard import figures
from plugins_builtin.automotive.dashboard.numbers import Numbers
from plugins_builtin.automotive.dashboard.web import READ, blueprint
from plugins_builtin.automotive.parts import Part

PART = Part(
    routes=(blueprint,),
    permissions=(
        Permission(
            code=READ,
            description=_l("See the dealer's numbers of the day"),
            roles=("owner", "admin", "manager", "member", "viewer"),
        ),
    ),
    panels=(
        Panel(
            slot="dashboard.main",
            endpoint="automotive_dashboard.panel",
            title=_l("Dealer's numbers"),
            permission=READ,
            order=20,
        ),
    ),
    numbers=(
        Numbers(title=_l("Leads"), permission="automotive.leads:read", count=figures.leads, order=5),
        Numbers(title=_l("Showroom"), permission="automotive.visits:read", count=figures.visits, order=10),
        Numbers(
            title=_l("Test drives"), permission="automotive.test_drives:read", count=figures.drives, order=15
        ),
        Numbers(title=_l("Car sale"), permission="deals:read", count=figures.deals, order=20),
        Numbers(
            title=_l("Trade-in"), permission="automotive.appraisals:read", count=figures.appraisals, order=30
        ),
        Numbers(
            title=_l("Accessories"),
            permission="automotive.accessories:read",
            count=figures.fittings,
            order=40,
        ),
        Numbers(
            title=_l("Ends within 90 days"), permission="owned_item_terms:read", count=figures.ends, order=50
        ),
        Numbers(
            title=_l("Second cars"),
            permission="automotive.second_cars:read",
            count=figures.second_cars,
            order=60,
        ),
    ),
)
