"""The work list of second cars, the card on a customer's page, the page of a household."""

from __future__ import annotations

from typing import Any

from kehu.api import (
    InvalidInput,
    PluginBlueprint,
    RecordPages,
    _,
    actor,
    done_toast,
    go_to,
    needs,
    record_page_context,
    render_page,
    request,
    service_for,
    session,
    toast,
    url_for,
)
from plugins_builtin.automotive.second_car import asking, refitting, tree, worklist
from plugins_builtin.automotive.second_car.evidence import evidence, homes, weights
from plugins_builtin.automotive.second_car.keeping import SecondCarService
from plugins_builtin.automotive.second_car.model import SHIPPED, SIGNALS, score
from plugins_builtin.automotive.second_car.permissions import NAME, READ, REFIT, WRITE
from plugins_builtin.automotive.second_car.records import ASKED, FACTS
from plugins_builtin.automotive.second_car.words import OUTCOMES, QUESTIONS, REASONS

blueprint = PluginBlueprint("automotive_second_car", __name__, template_folder="../templates")
WORDS: dict[str, Any] = {
    "reasons": REASONS,
    "questions": QUESTIONS,
    "outcomes": {one.value: one for one in OUTCOMES},
    "tap_words": asking.TAPS,
}


def show_household(record: Any) -> Any:
    """Show one household: what is known, why, what came of asking."""
    there = homes(session(), [record.customer_id])[record.customer_id]
    page = record_page_context(NAME, record)
    return render_page(
        "automotive/second_car/household.html",
        {},
        page=page,
        people=tree.people(session(), there.mates),
        roles=_roles(),
        mates=there.mates,
        may_write=page.may_write,
        **_may(),
        record=record,
        found=score(evidence(record, there), weights(session())),
        blocked=worklist.blocked(session(), record),
        **WORDS,
    )


def _roles() -> dict[str, Any]:
    """Return what members of a household may be, in words."""
    role = service_for("household_members", session()).type.by_key["role"]
    return {one.value: one.label for one in role.choices()}


def _may() -> dict[str, bool]:
    return {
        "may_deal": actor().may("deals:write"),
        "may_split": actor().may("households:write") and actor().may("household_members:write"),
    }


PAGES = RecordPages(
    NAME,
    picture=False,
    phone=("chance", "outcome"),
    chips=("outcome", "owner_id"),
    nav=False,
    list_template="automotive/second_car/households.html",
    detail=show_household,
)


@blueprint.get("/second-car")
@needs(READ)
def work_list() -> Any:
    """Show whom to ask about a second car, the likeliest first."""
    held, mine = request.args.get("show") == "held", request.args.get("mine") == "1"
    found = worklist.lines(session(), held=held, mine=mine, after=request.args.get("after", ""))
    chosen: dict[str, Any] = {"show": "held" if held else None, "mine": "1" if mine else None}
    next_url = None
    if len(found) > worklist.PAGE:
        last = found[worklist.PAGE - 1]
        next_url = url_for("automotive_second_car.work_list", after=last.place, **chosen)
    return render_page(
        "automotive/second_car/list.html",
        {"list": "list"},
        lines=found[: worklist.PAGE],
        next_url=next_url,
        later=bool(request.args.get("after")),
        held=held,
        mine=mine,
        sum=worklist.so_far(session()),
        may_write=actor().may(WRITE),
        may_refit=actor().may(REFIT),
        **_may(),
        **WORDS,
    )


@blueprint.get("/second-car/panel")
@needs(READ)
def panel() -> Any:
    """Show what is known of the household of the customer whose page asks."""
    service = SecondCarService(session())
    customer, row = service.of_customer(request.args.get("customer_id", ""))
    if customer.kind != "person" and row is None:
        return ""
    there = homes(session(), [customer.id])[customer.id]
    return render_page(
        "automotive/second_car/panel.html",
        customer=customer,
        row=row,
        cars=there.cars,
        found=score(evidence(row, there), weights(session())),
        may_write=actor().may(WRITE),
        **WORDS,
    )


@blueprint.get("/second-car/customers/<customer_id>/facts")
@needs(WRITE)
def facts(customer_id: str) -> Any:
    """Ask what is known of a household."""
    customer, row = SecondCarService(session()).of_customer(customer_id)
    values = {key: "" if row is None else getattr(row, key) for key in FACTS}
    return _form(customer, values, {}, row.version if row else 0)


def _form(customer: Any, values: dict[str, Any], errors: Any, version: int, status: int = 200) -> Any:
    return render_page(
        "automotive/second_car/facts.html",
        status=status,
        customer=customer,
        fields=ASKED,
        choices={one.key: [(of.value, of.label) for of in one.choices()] for one in ASKED},
        values=values,
        errors=errors,
        version=version,
    )


@blueprint.post("/second-car/customers/<customer_id>/facts")
@needs(WRITE)
def keep_facts(customer_id: str) -> Any:
    """Keep what is known of a household."""
    values = {key: request.form.get(key, "") for key in FACTS}
    seen = request.form.get("version", "")
    version = int(seen) if seen.isdecimal() and len(seen) < 10 else 0
    try:
        kept = SecondCarService(session()).keep(customer_id, values, version or None)
    except InvalidInput as error:
        session().rollback()  # The form is drawn from what is kept.
        customer = service_for("customers", session()).get(customer_id)
        return _form(customer, values, error.fields, version, 422)
    done_toast(session(), _("Kept what is known of the household."))
    page = service_for(NAME, session()).type.url(kept.id)
    otherwise = service_for("customers", session()).type.url(customer_id)
    return go_to(page if request.form.get("from") == "household" else _back(otherwise))


def _back(otherwise: str) -> str:
    """Return where the tap was made: the work list, or a page of its own."""
    here = url_for("automotive_second_car.work_list")
    return here if request.form.get("from") == "list" else otherwise


@blueprint.post("/second-car/<record_id>/outcome")
@needs(WRITE)
def outcome(record_id: str) -> Any:
    """Note what came of asking."""
    said = asking.say(session(), record_id, request.form.get("outcome", ""))
    label = WORDS["outcomes"][said.outcome].label
    done_toast(session(), _("%(name)s: %(outcome)s", name=said.name, outcome=str(label)))
    return go_to(_back(service_for(NAME, session()).type.url(said.id)))


@blueprint.post("/second-car/<record_id>/deal")
@needs(WRITE)
def make_deal(record_id: str) -> Any:
    """Turn a household into a deal."""
    deal = asking.make_deal(session(), record_id)
    done_toast(session(), _("Added the deal “%(name)s”.", name=deal.name))
    return go_to(service_for("deals", session()).type.url(deal.id))


@blueprint.post("/second-car/<record_id>/split")
@needs(WRITE)
def split(record_id: str) -> Any:
    """Note that two are no household."""
    said = asking.split(session(), record_id)
    done_toast(session(), _("Noted: they are not one household"))
    return go_to(_back(service_for(NAME, session()).type.url(said.id)))


@blueprint.get("/second-car/scores")
@needs(REFIT)
def scores() -> Any:
    """Show what each signal weighs, and the fits so far."""
    return render_page(
        "automotive/second_car/scores.html",
        by=weights(session()),
        shipped=SHIPPED,
        signals=SIGNALS,
        fits=refitting.fits(session()),
        **WORDS,
    )


@blueprint.post("/second-car/scores/fit")
@needs(REFIT)
def refit() -> Any:
    """Fit the weights to the firm's own outcomes."""
    report = refitting.refit(session())
    toast(report.words, "ok" if report.kept else "info")
    return go_to(url_for("automotive_second_car.scores"))


@blueprint.post("/second-car/scores/shipped")
@needs(REFIT)
def take_shipped() -> Any:
    """Let the shipped weights hold again."""
    refitting.take_shipped(session())
    toast(_("The shipped weights hold again."))
    return go_to(url_for("automotive_second_car.scores"))
