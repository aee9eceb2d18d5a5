"""The plugin's page, panel and form."""

from __future__ import annotations

from typing import Any

from kehu.api import (
    InvalidInput,
    PluginBlueprint,
    _,
    actor,
    clock,
    go_to,
    needs,
    plugin_settings,
    render_page,
    request,
    service_for,
    session,
    tenant,
    toast,
    url_for,
)

from kehu_dentist.permissions import READ, WRITE
from kehu_dentist.services import PAGE, RecallService

blueprint = PluginBlueprint("dentist", __name__, template_folder="templates")


@blueprint.get("/recalls")
@needs(READ)
def recalls() -> Any:
    """Show the patients whom the front desk calls."""
    rows = RecallService(session()).due(request.args.get("after"))
    more = url_for("dentist.recalls", after=rows[PAGE - 1][0].id) if len(rows) > PAGE else None
    return render_page("dentist/list.html", rows=rows[:PAGE], next_url=more)


@blueprint.get("/panel")
@needs(READ)
def customer_panel() -> Any:
    """Show what is known of the patient whose page asks."""
    customer_id = request.args.get("customer_id", "")
    recall = RecallService(session()).of_customer(customer_id)
    may_write = actor().may(WRITE)
    return render_page("dentist/panel.html", recall=recall, customer_id=customer_id, may_write=may_write)


@blueprint.get("/customers/<customer_id>/visit")
@needs(WRITE)
def visit(customer_id: str) -> Any:
    """Ask when the patient was here; the interval is his own, or that of the settings."""
    recall = RecallService(session()).of_customer(customer_id)
    months = recall.months if recall else plugin_settings(session(), "dentist")["months"]
    values = {"seen_on": clock.today(tenant().tz).isoformat(), "months": str(months)}
    return render_page("dentist/visit.html", customer_id=customer_id, values=values, errors={})


@blueprint.post("/customers/<customer_id>/visit")
@needs(WRITE)
def record_visit(customer_id: str) -> Any:
    """Note the visit."""
    values = {key: request.form.get(key, "") for key in ("seen_on", "months")}
    try:
        recall = RecallService(session()).record(customer_id, values)
    except InvalidInput as error:
        return render_page(
            "dentist/visit.html", status=422, customer_id=customer_id, values=values, errors=error.fields
        )
    toast(_("The visit is noted."))
    return go_to(service_for("customers", session()).type.url(recall.customer_id))
