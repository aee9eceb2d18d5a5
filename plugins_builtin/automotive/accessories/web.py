"""The card of accessories on a deal."""

from __future__ import annotations

from typing import Any

from kehu.api import (
    PluginBlueprint,
    RecordPages,
    Tab,
    _,
    _l,
    actor,
    done_toast,
    go_to,
    needs,
    render_page,
    request,
    service_for,
    session,
)
from plugins_builtin.automotive.accessories.records import STATES
from plugins_builtin.automotive.accessories.services import NAME, AccessoryService, of_deal

READ, WRITE = f"{NAME}:read", f"{NAME}:write"
blueprint = PluginBlueprint("automotive_accessories", __name__, template_folder="../templates")

PAGES = RecordPages(
    NAME,
    note="fit_on",
    picture=False,
    phone=("customer_id", "state"),
    chips=("state", "owner_id"),
    tabs=(
        Tab("fit", _l("To be fitted"), "state=ordered&sort=-updated_at"),
        Tab("mine", _l("Mine"), "owner_id=me&sort=-updated_at"),
    ),
    nav=False,
)


@blueprint.get("/accessories/panel")
@needs(READ)
def deal_panel() -> Any:
    """Show what is fitted with a deal, and what it comes to."""
    deal = service_for("deals", session()).get(request.args.get("deal_id", ""))
    rows = of_deal(session(), deal.id)
    wanted = [one for one in rows if one.state != "declined"]
    return render_page(
        "automotive/accessories/panel.html",
        rows=rows,
        deal=deal,
        states={one.value: one for one in STATES},
        total=sum(one.total for one in wanted),
        rest=sum(one.total for one in wanted if not one.counted),
        may_write=actor().may(WRITE),
    )


@blueprint.post("/accessories/take-over")
@needs(WRITE)
def take_over() -> Any:
    """Add the accessories to the deal's amount."""
    deal_id = request.form.get("deal_id", "")
    AccessoryService(session()).take_over(deal_id)
    done_toast(session(), _("The accessories were added to the amount of the deal."))
    return go_to(f"/deals/{service_for('deals', session()).get(deal_id).id}")
