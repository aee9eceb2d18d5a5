"""Pages of appraisals: the sheet with its sums, its buttons, and the card on the deal."""

from __future__ import annotations

from typing import Any

from kehu.api import (
    KehuError,
    PluginBlueprint,
    RecordPages,
    Tab,
    _,
    _l,
    actor,
    done_toast,
    go_to,
    member_names,
    needs,
    record_page_context,
    render_page,
    request,
    service_for,
    session,
)
from plugins_builtin.automotive.appraisal.models import Appraisal
from plugins_builtin.automotive.appraisal.records import KINDS, STATES
from plugins_builtin.automotive.appraisal.services import (
    APPROVE,
    LINES,
    NAME,
    AppraisalService,
    lines_of,
    of_deal,
)

READ, WRITE = f"{NAME}:read", f"{NAME}:write"
WORDS = {one.value: one for one in STATES}
blueprint = PluginBlueprint("automotive_appraisal", __name__, template_folder="../templates")


def show(record: Appraisal) -> Any:
    """Show an appraisal: its facts, the sheet, what may be done next."""
    return _show(record)


def _show(record: Appraisal, problem: str = "", status: int = 200) -> Any:
    service = AppraisalService(session())
    return render_page(
        "automotive/appraisal/show.html",
        {},
        status=status,
        page=record_page_context(NAME, record),
        record=record,
        lines=lines_of(session(), record.id),
        kinds={one.value: one.label for one in KINDS},
        states=WORDS,
        problem=problem,
        waits=service.needs_approval(record) and record.state == "draft",
        may_approve=actor().may(APPROVE),
        members=member_names(session(), [record.approved_by, record.offered_by]),
    )


PAGES = RecordPages(
    NAME,
    note="plate",
    picture=False,
    phone=("customer_id", "state"),
    chips=("state", "owner_id"),
    tabs=(
        Tab("open", _l("Open"), "state=draft&sort=-updated_at"),
        Tab("offered", _l("Offered"), "state=offered&sort=-updated_at"),
        Tab("mine", _l("Mine"), "owner_id=me&sort=-updated_at"),
    ),
    nav=False,
    detail=show,
)

LINE_PAGES = RecordPages(LINES, picture=False, phone=("kind", "amount"), nav=False)


@blueprint.post("/appraisals/<record_id>/state")
@needs(WRITE)
def move(record_id: str) -> Any:
    """Offer, accept or decline; what stands against it is said on the sheet."""
    service, form = AppraisalService(session()), request.form
    values: dict[str, Any] = {"state": form.get("state", "")}
    if form.get("handed_over_km", "").strip():
        values["handed_over_km"] = form["handed_over_km"].strip()[:9]
    return _act(record_id, lambda: service.update(record_id, values, version=form.get("version", 0, int)))


@blueprint.post("/appraisals/<record_id>/approve")
@needs(APPROVE)
def approve(record_id: str) -> Any:
    """Allow an over-allowance above the limit."""
    return _act(record_id, lambda: AppraisalService(session()).approve(record_id))


def _act(record_id: str, what: Any) -> Any:
    service = AppraisalService(session())
    record = service.get(record_id)
    try:
        with session().begin_nested():
            what()
    except KehuError as error:
        if error.status == 404:
            raise
        words = " ".join(
            dict.fromkeys(text for texts in getattr(error, "fields", {}).values() for text in texts)
        )
        session().refresh(record)
        return _show(record, words or str(error.message), status=422)
    done_toast(session(), _("“%(name)s” was changed.", name=record.name))
    return go_to(f"/x/automotive/appraisals/{record.id}")


@blueprint.get("/appraisals/panel")
@needs(READ)
def deal_panel() -> Any:
    """Show what is taken in payment in a deal."""
    deal = service_for("deals", session()).get(request.args.get("deal_id", ""))
    return render_page(
        "automotive/appraisal/panel.html",
        rows=of_deal(session(), deal.id),
        deal_id=deal.id,
        states=WORDS,
        may_write=actor().may(WRITE),
    )
