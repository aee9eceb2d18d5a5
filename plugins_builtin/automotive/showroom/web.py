"""The board of the showroom: a visitor is noted with one thumb, taken, and let go with a result."""

from __future__ import annotations

import datetime as dt
from typing import Any

from kehu.api import (
    InvalidInput,
    PluginBlueprint,
    _,
    actor,
    clock,
    done_toast,
    go_to,
    member_names,
    needs,
    new_key,
    once,
    redirect,
    render_page,
    request,
    session,
    tenant,
    url_for,
)
from plugins_builtin.automotive.showroom import figures
from plugins_builtin.automotive.showroom.records import LEVELS, PAGES, SOURCES, STEPS
from plugins_builtin.automotive.showroom.services import NAME, TurnService, VisitService

READ, WRITE = f"{NAME}:read", f"{NAME}:write"
blueprint = PluginBlueprint("automotive_showroom", __name__, template_folder="../templates")
PERIOD = 30


@blueprint.get("/showroom")
@needs(READ)
def board() -> Any:
    """Show who is here, who waits, who is next, and what came of the last 30 days."""
    return _board({}, {})


@blueprint.post("/showroom")
@needs(WRITE)
def arrive() -> Any:
    """Note a visitor by a phone number, or by nothing at all."""
    form = request.form
    values = {"phone": form.get("phone", "").strip()[:40], "people": form.get("people", "1") or "1"}
    service = VisitService(session())
    try:
        with once(session(), form.get("idempotency_key")) as sending:
            if not sending.again:
                _note(
                    service, {**values, "owner_id": actor().member_id if form.get("host") == "me" else None}
                )
    except InvalidInput as error:
        session().rollback()
        return _board(values, error.fields, status=422)
    return redirect(url_for("automotive_showroom.board"), 303)


def _note(service: VisitService, values: dict[str, Any]) -> None:
    visit, known = service.arrive(values)
    if known:
        done_toast(session(), _("%(name)s was noted a moment ago already.", name=visit.name))
        return
    if visit.owner_id == actor().member_id:
        TurnService(service).served()
        done_toast(session(), _("%(name)s is with you.", name=visit.name))
    elif visit.owner_id is not None:
        names = member_names(session(), [visit.owner_id])
        host = names.get(str(visit.owner_id), _("Somebody"))
        done_toast(session(), _("%(name)s belongs to %(host)s. Please call.", name=visit.name, host=host))
    else:
        done_toast(session(), _("%(name)s waits for a host.", name=visit.name))


@blueprint.post("/showroom/ready")
@needs(WRITE)
def ready() -> Any:
    """Stand in the row of hosts, or leave it."""
    TurnService(VisitService(session())).stand(request.form.get("ready") == "1")
    return redirect(url_for("automotive_showroom.board"), 303)


@blueprint.post("/showroom/<visit_id>/take")
@needs(WRITE)
def take(visit_id: str) -> Any:
    """Receive a visitor who waits."""
    service = VisitService(session())
    visit = service.take(visit_id)
    TurnService(service).served()
    done_toast(session(), _("%(name)s is with you.", name=visit.name))
    return go_to(url_for("automotive_showroom.board"))


@blueprint.post("/showroom/<visit_id>/leave")
@needs(WRITE)
def leave(visit_id: str) -> Any:
    """Let a visitor go, with what comes next in the same tap."""
    result, _dash, level = request.form.get("result", "").partition("-")
    if result == "lost":
        # A reason is asked for on the form of the visit.
        return go_to(PAGES.url("edit", record_id=visit_id))
    values: dict[str, Any] = {"left_at": clock.now()}
    if result in ("follow_up", "deal"):
        values["result"] = result
    if level in {one.value for one in LEVELS}:
        values["level"] = level
    visit = VisitService(session()).update(visit_id, values)
    done_toast(session(), _("%(name)s has left.", name=visit.name))
    return go_to(url_for("automotive_showroom.board"))


def _board(values: dict[str, Any], errors: Any, status: int = 200) -> Any:
    midnight = dt.datetime.combine(clock.today(tenant().tz), dt.time(), tenant().tz)
    rows = figures.today(session(), midnight)
    lines = figures.by_host(session(), midnight - dt.timedelta(days=PERIOD))
    waiting = TurnService(VisitService(session())).waiting()
    people = (
        [row.owner_id for row in rows] + [line.host for line in lines] + [one.member_id for one in waiting]
    )
    since = (midnight - dt.timedelta(days=PERIOD)).date().isoformat()
    return render_page(
        "automotive/showroom/board.html",
        status=status,
        rows=rows,
        lines=lines,
        waiting=waiting,
        names=member_names(session(), people),
        steps={one.value: one.label for one in STEPS},
        levels=LEVELS,
        sources=SOURCES,
        counted=figures.COUNTED,
        from_step=figures.from_step,
        values=values,
        errors=errors,
        key=new_key(),
        me=actor().member_id,
        list_url=PAGES.url("list"),
        since=since,
        period=PERIOD,
    )
