"""The page of API tokens."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, redirect, request

from kehu.core import clock, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _, _n
from kehu.core.permissions import offered
from kehu.members import queries
from kehu.members.token_services import LIFETIMES, TokenService
from kehu.settings.views import blueprint
from kehu.web.access import needs
from kehu.web.render import render_page
from kehu.web.toasts import toast

CUSTOM = "custom"


def _page(
    status: int = 200, errors: dict[str, Any] | None = None, shown: str = "", name: str = ""
) -> Response:
    return render_page(
        "settings/tokens.html",
        status=status,
        rows=queries.tokens(db.session()),
        now=clock.now(),
        errors=errors or {},
        shown=shown,
        name=name,
        values=request.form.to_dict() if errors else {},
        chosen=request.form.getlist("scope") if errors else [],
        permissions=offered().values(),
        lifetimes=[
            ("", _("Never")),
            *((str(days), _n("%(num)s day", "%(num)s days", days)) for days in LIFETIMES),
        ],
    )


@blueprint.get("/settings/tokens")
@needs("tokens:manage")
def tokens() -> Any:
    """List the tokens."""
    return _page()


@blueprint.post("/settings/tokens")
@needs("tokens:manage")
def tokens_post() -> Any:
    """Make a token and show it once."""
    form = request.form
    reach = form.get("reach", "")
    scopes = form.getlist("scope") if reach == CUSTOM else [reach]
    days = form.get("days", "")
    try:
        token, text = TokenService(db.session()).create(
            form.get("name", ""), scopes, int(days) if days.isdecimal() and len(days) < 5 else None
        )
    except InvalidInput as error:
        return _page(422, error.fields)
    return _page(shown=text, name=token.name)


@blueprint.post("/settings/tokens/<uuid:token_id>/revoke")
@needs("tokens:manage")
def token_revoke(token_id: uuid.UUID) -> Any:
    """End a token."""
    token = TokenService(db.session()).revoke(token_id)
    toast(_("The token %(name)s works no more.", name=token.name))
    return redirect("/settings/tokens", 303)
