"""The pages of leads, the addresses for leads, and the address itself to which programs post."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify
from markupsafe import Markup

from kehu.api import (
    KehuError,
    PluginBlueprint,
    RecordPages,
    Tab,
    _,
    _l,
    actor,
    clock,
    done_toast,
    go_to,
    member_names,
    needs,
    parse_id,
    plugin_settings,
    public,
    public_url,
    record_page_context,
    reltime,
    render_page,
    request,
    session,
    show_phone,
    tenant,
    toast,
    url_for,
)
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.leads import answering, intake, mails, reading, words
from plugins_builtin.automotive.leads.adf_text import decode
from plugins_builtin.automotive.leads.answering import AnswerService
from plugins_builtin.automotive.leads.intake import AddressService, Incoming
from plugins_builtin.automotive.leads.models import Lead
from plugins_builtin.automotive.leads.permissions import OVERSEE, SETUP
from plugins_builtin.automotive.leads.services import MENDED, LeadService
from plugins_builtin.automotive.vehicles.cards import titles

blueprint = PluginBlueprint("automotive_leads", __name__, template_folder="../templates")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def show_lead(lead: Lead) -> Any:
    """Show a lead: who, which car, what was mended, and the message as it came."""
    message = reading.raw_of(session(), lead.message_id)
    page = record_page_context("automotive.leads", lead)
    return render_page(
        "automotive/leads/show.html",
        {"first-answer": "first_answer"},
        page=page,
        record=lead,
        message=message,
        raw=decode(message.raw, message.charset)[0][:100_000] if message else "",
        repairs=words.repairs_of(lead.repairs),
        doubts=words.doubts_of(lead.doubts, _near(lead)),
        reason=words.reason_of(lead.reason),
        wanted=[words.car_line(one) for one in lead.wanted],
        trade_ins=[words.car_line(one) for one in lead.trade_ins],
        facts={key: value for key, value in lead.facts.items() if not key.startswith("_")},
        again=LeadService(session()).touches(lead),
        due=countdown(lead.due_at, lead.warn_at, clock.now()) if lead.due_at else "",
        due_local=lead.due_at.astimezone(tenant().tz) if lead.due_at else None,
        call=words.phones_line(_phones(lead)[:1]),
        shown_phone=show_phone,
        answered_by=member_names(session(), [lead.contacted_by]).get(str(lead.contacted_by), ""),
    )


def _near(lead: Lead) -> dict[str, str]:
    """Return the names of those who share a number or a mailbox with the person, as far as the reader sees them."""
    found: dict[str, str] = {}
    for kind in ("customers", "contacts"):
        ids = [parse_id(one.get("id")) for one in lead.doubts if one.get("kind") == kind]
        named = titles(session(), kind, [one for one in ids if one is not None])
        found.update({str(one): name for one, name in named.items()})
    return found


def _mailbox() -> str:
    """Return the mail address of leads, or nothing where the firm has none."""
    box = str(plugin_settings(session(), SLUG)["leads_box"] or "").strip()
    anything = {"secret": "-"}
    host = urlsplit(public_url("automotive_leads.take_in", **anything)).hostname
    return f"{box}@{host}" if box and host else ""


def _phones(lead: Lead) -> list[dict[str, str]]:
    person: dict[str, Any] = dict(lead.person)
    return list(person.get("phones") or [])


def due_cell(_displayer: Any) -> Any:
    """Return the writer of the cells that count down to the first answer."""
    now = clock.now()

    def write(row: Any) -> Markup:
        if row["due_at"] is None or row.get("state", "open") != "open":
            return Markup('<span class="k-none">–</span>')
        return countdown(row["due_at"], None, now)

    return write


def countdown(due: Any, warn: Any, now: Any) -> Markup:
    """Write when the first answer is due, in the colour of how near that is."""
    tone = answering.tone(due, warn, now)
    return (
        Markup('<span class="k-toned k-tone-{}">{}</span>').format(tone, reltime(due))
        if tone
        else reltime(due)
    )


def _more() -> dict[str, Any]:
    return {"may_set_up": actor().may(SETUP), "may_oversee": actor().may(OVERSEE)}


PAGES = RecordPages(
    "automotive.leads",
    note="wanted_name",
    picture=False,
    phone=("due_at", "state"),
    chips=("state", "source"),
    cells={"due_at": due_cell},
    tabs=(
        Tab("open", _l("To be contacted"), "state=open&sort=due_at"),
        Tab("mine", _l("Mine"), "state=open&owner_id=me&sort=due_at"),
        Tab("waiting", _l("Can't be taken in yet"), "state=quarantine"),
    ),
    list_template="automotive/leads/list.html",
    list_context=_more,
    detail=show_lead,
    creatable=False,
)


def _known(secret: str) -> bool:
    return intake.address_of(session(), secret) is not None


@blueprint.post("/leads/in/<secret>")
@public(rate="120 per minute", proof=_known)
def take_in(secret: str) -> Any:
    """Keep a document that a sender posts; it is read right afterwards, by a job."""
    request.max_content_length = intake.TAKEN
    raw = request.get_data(cache=True)
    if request.mimetype in FORMS:
        posted = [
            *request.form.values(),
            *(file.read().decode("utf-8", "surrogateescape") for file in request.files.values()),
        ]
        raw = next((value.encode("utf-8", "surrogateescape") for value in posted if "<" in value), raw)
    if not raw.strip():
        return _answer(400, error=_("Send the ADF document as the body of the request."))
    mail = mails.is_mail(raw, request.mimetype)
    message_id, sender = mails.headers(raw) if mail else ("", "")
    address = intake.address_of(session(), secret)
    if address is not None:
        intake.used(session(), address)
    kept = intake.keep(
        session(),
        Incoming(
            raw=raw,
            channel="mail" if mail else "https",
            message_id=message_id,
            sender=sender,
            charset=request.mimetype_params.get("charset", ""),
            source=address.name if address else "",
        ),
    )
    return _answer(202, id=str(kept))


def _answer(status: int, **body: str) -> Response:
    answer = jsonify(body)
    answer.status_code = status
    return answer


@blueprint.route("/leads/<uuid:lead_id>/mend", methods=["GET", "POST"])
@needs("automotive.leads:write")
def mend_lead(lead_id: Any) -> Any:
    """Complete a lead that could not be taken in."""
    service = LeadService(session())
    lead = service.get(lead_id, action="write")
    if request.method == "GET":
        return _mending(lead, _given(lead))
    values = {key: request.form.get(key, "") for key in MENDED}
    try:
        lead = service.mend(lead_id, values, version=request.form.get("version", type=int))
    except KehuError as error:
        if not error.fields:
            raise
        return _mending(service.get(lead_id), values, error)
    said = (
        _("Asked again: it was added to the deal.")
        if lead.state == "attached"
        else _("The lead is taken in.")
    )
    toast(said)
    return go_to(url_for(PAGES.endpoint("show"), record_id=lead.id))


def _given(lead: Lead) -> dict[str, Any]:
    person: dict[str, Any] = dict(lead.person)
    car: dict[str, Any] = dict(lead.wanted[0]) if lead.wanted else {}
    return {
        "name": person.get("name", ""),
        "email": next(iter(person.get("emails") or []), ""),
        "phone": next((one["number"] for one in person.get("phones") or []), ""),
        **{key: car.get(key, "") for key in ("make", "model", "year")},
        "comments": lead.comments,
    }


def _mending(lead: Lead, values: dict[str, Any], error: KehuError | None = None) -> Any:
    return render_page(
        "automotive/leads/mend.html",
        status=error.status if error else 200,
        lead=lead,
        values=values,
        errors=error.fields if error else {},
    )


@blueprint.route("/leads/<uuid:lead_id>/discard", methods=["GET", "POST"])
@needs("automotive.leads:write")
def discard_lead(lead_id: Any) -> Any:
    """Put aside what is no lead."""
    service = LeadService(session())
    lead = service.get(lead_id, action="write")
    why, errors, status = request.form.get("why", ""), {}, 200
    if request.method == "POST":
        try:
            service.discard(lead_id, why, version=request.form.get("version", type=int))
        except KehuError as error:
            if not error.fields:
                raise
            errors, status = dict(error.fields), error.status
        else:
            toast(_("Discarded."), undo_url=url_for("automotive_leads.take_back_lead", lead_id=lead.id))
            return go_to(url_for(PAGES.endpoint("list"), state="quarantine"))
    return render_page("automotive/leads/discard.html", status=status, lead=lead, why=why, errors=errors)


@blueprint.post("/leads/<uuid:lead_id>/take-back")
@needs("automotive.leads:write")
def take_back_lead(lead_id: Any) -> Any:
    """Put a discarded lead back among those that wait."""
    lead = LeadService(session()).take_back(lead_id)
    toast(_("The lead waits again."))
    return go_to(url_for(PAGES.endpoint("show"), record_id=lead.id))


@blueprint.post("/leads/<uuid:lead_id>/answer")
@needs("automotive.leads:write")
def answer_lead(lead_id: Any) -> Any:
    """Log how a lead was answered, or that nobody was reached."""
    reached = request.form.get("reached") == "1"
    lead = AnswerService(session()).log(
        lead_id, request.form.get("kind", ""), reached=reached, note=request.form.get("note", "")
    )
    done_toast(
        session(),
        _("Logged: %(name)s is answered.", name=lead.name) if reached else _("Logged; the clock runs on."),
    )
    return go_to(url_for(PAGES.endpoint("show"), record_id=lead.id))


@blueprint.get("/leads/<uuid:lead_id>/raw")
@needs("automotive.leads:read")
def raw_message(lead_id: Any) -> Any:
    """Hand out the message of a lead, byte for byte."""
    lead = LeadService(session()).get(lead_id)
    message = reading.raw_of(session(), lead.message_id)
    answer = Response(message.raw if message else b"", mimetype="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="lead-{lead.id}.xml"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


@blueprint.route("/lead-addresses", methods=["GET", "POST"])
@needs(SETUP)
def addresses() -> Any:
    """Show the addresses for leads, or make one; its secret is shown this once."""
    service = AddressService(session())
    name, made, errors, status = request.form.get("name", ""), "", {}, 200
    if request.method == "POST":
        try:
            _address, secret = service.make(name)
        except KehuError as error:
            if not error.fields:
                raise
            errors, status = dict(error.fields), error.status
        else:
            made, name = public_url("automotive_leads.take_in", secret=secret), ""
            session().flush()
    return render_page(
        "automotive/leads/addresses.html",
        status=status,
        rows=service.all(),
        mailbox=_mailbox(),
        name=name,
        made=made,
        errors=errors,
    )


@blueprint.post("/lead-addresses/<uuid:address_id>/close")
@needs(SETUP)
def close_address(address_id: Any) -> Any:
    """Close an address for leads."""
    closed = AddressService(session()).close(address_id)
    toast(
        _("“%(name)s” is closed; what is sent there is no longer taken in.", name=closed.name),
        undo_url=url_for("automotive_leads.reopen_address", address_id=closed.id),
    )
    return go_to(url_for("automotive_leads.addresses"))


@blueprint.post("/lead-addresses/<uuid:address_id>/reopen")
@needs(SETUP)
def reopen_address(address_id: Any) -> Any:
    """Open an address again."""
    opened = AddressService(session()).reopen(address_id)
    toast(_("“%(name)s” takes in leads again.", name=opened.name))
    return go_to(url_for("automotive_leads.addresses"))
