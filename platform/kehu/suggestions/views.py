"""The card on the pages of customers and deals, and how suggestions fare."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from kehu.core import context, db
from kehu.core.i18n import _, _l
from kehu.suggestions import services
from kehu.suggestions.services import SuggestionService
from kehu.timeline import entries
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast, go_to, is_htmx
from kehu.web.render import render_page

blueprint = Blueprint("suggestions", __name__)


def _teller(sentence: Any) -> Any:
    def tell(row: Any, _what: Any) -> Markup:
        return entries.say(sentence, who=row.who, what=row.title)

    return tell


entries.register_action("suggestion_accepted", _teller(_l("%(who)s took up the suggestion “%(what)s”")))
entries.register_action("suggestion_dismissed", _teller(_l("%(who)s declined the suggestion “%(what)s”")))


@blueprint.get("/suggestions/<object_name>/<uuid:record_id>")
@needs("activities:read")
def card(object_name: str, record_id: uuid.UUID) -> Response:
    """Show the next steps that are suggested for a record; a fragment on its page."""
    service = SuggestionService(db.session(), object_name, record_id)
    return render_page(
        "suggestions/card.html",
        found=service.suggestions(),
        base=f"/suggestions/{object_name}/{record_id}",
        may_act=context.actor().may("activities:write"),
    )


@blueprint.post("/suggestions/<object_name>/<uuid:record_id>/accept")
@needs("activities:write")
def accept(object_name: str, record_id: uuid.UUID) -> ResponseReturnValue:
    """Do what is suggested."""
    service = SuggestionService(db.session(), object_name, record_id)
    one = service.accept(request.form.get("key", ""))
    if one.step is None:
        return go_to(one.url)
    done_toast(db.session(), _("Planned: %(name)s", name=one.step.subject))
    return _back(object_name, record_id)


@blueprint.post("/suggestions/<object_name>/<uuid:record_id>/dismiss")
@needs("activities:write")
def dismiss(object_name: str, record_id: uuid.UUID) -> ResponseReturnValue:
    """Say that a suggestion is of no use."""
    SuggestionService(db.session(), object_name, record_id).dismiss(request.form.get("key", ""))
    done_toast(db.session(), _("Not suggested again for some time"))
    return _back(object_name, record_id)


def _back(object_name: str, record_id: uuid.UUID) -> ResponseReturnValue:
    return done("kehu:refresh") if is_htmx() else go_to(f"/{object_name}/{record_id}")


@blueprint.get("/suggestions")
@needs("activities:read")
def overview() -> Response:
    """Show how often each kind of suggestion is taken up."""
    return render_page("suggestions/overview.html", {}, rows=services.worth(db.session()))
