"""The home page."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from flask import Blueprint, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from kehu.accounts.signin import front_door
from kehu.activities.services import ActivityService
from kehu.core import context, db
from kehu.core.i18n import _
from kehu.dashboard import home
from kehu.web.access import needs, public
from kehu.web.panels import slot_panels
from kehu.web.records.answers import done, done_toast
from kehu.web.render import render_page
from kehu.web.shell import NavItem, shell_of

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/")
@public
def show() -> ResponseReturnValue:
    """Show what today asks for, the reader's numbers and what is forgotten; strangers read what Kehu is."""
    actor = context.current().actor
    if actor is None:
        return front_door()  # type: ignore[no-any-return]
    wishes = home.Wishes.read(request.args, actor)
    return render_page(
        "dashboard/home.html",
        {},
        home=home.read(db.session(), actor, wishes),
        wishes=wishes,
        panels=slot_panels("dashboard.main"),
    )


@blueprint.post("/activities/<uuid:record_id>/snooze")
@needs("activities:write")
def snooze(record_id: uuid.UUID) -> ResponseReturnValue:
    """Put an activity off: some hours, to tomorrow morning, by a week."""
    session = db.session()
    due = home.put_off(request.args.get("until", ""))
    record = ActivityService(session).update(record_id, {"due_at": due})
    done_toast(session, _("Put off: %(what)s", what=record.subject))
    return done("kehu:refresh")


def _nav(now: context.Context) -> Iterable[NavItem]:
    if now.actor is not None:
        yield NavItem("home", _("Home"), "/", "home", hotkey="g h", phone=True, fixed=True)


def _join_frame(state: BlueprintSetupState) -> None:
    # Home stands first, whichever feature registers before it.
    shell_of(state.app).nav.insert(0, _nav)  # type: ignore[arg-type]


blueprint.record_once(_join_frame)
