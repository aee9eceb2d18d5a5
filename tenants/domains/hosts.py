"""Requests to hosts that are no firm's any more, or not yet: old names lead on, unchecked domains serve nobody."""

from __future__ import annotations

import ipaddress
from typing import Any

from flask import Flask, current_app, g, redirect, request
from sqlalchemy import select

from kehu.accounts import signin
from kehu.accounts.firm_views import handover_url
from kehu.core import clock, context, db, site
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.web import edge
from tenants.domains.models import Domain, OldAddress
from tenants.models import Tenant


def join(app: Flask) -> None:
    """Stand behind the unit of work."""
    first = app.before_request_funcs[None]
    # Before anything says what does not exist at a host that has moved.
    first.insert(first.index(edge._open) + 1, _guard)


def _guard() -> Any:
    if not db.has_session() or request.path.startswith("/api/"):
        return None
    tenant, name = context.current().tenant, site.sub_domain()
    if name:
        return _moved(name) if tenant is None else None
    if tenant is None or not site.names(tenant):
        _refuse_unchecked()
    return None


def _moved(name: str) -> Any:
    """Lead from an old name to the new one; who is signed in stays so."""
    statement = (
        select(Tenant.address, Tenant.state)
        .join(OldAddress, OldAddress.firm_id == Tenant.id)
        .where(OldAddress.address == name, OldAddress.until > clock.now(), Tenant.state == "active")
    )
    row = db.session().execute(statement).first()
    if row is None:
        return None
    path = request.full_path.rstrip("?")
    if request.method == "GET" and g.user_id is not None:
        return redirect(handover_url(signin.signed_in_user(), row.address, path), 303)
    base = current_app.extensions["kehu.settings"].base_url(row.address)
    # Kept by no browser, and sent again as it was: another firm may have the name some day, and forms still come.
    answer = redirect(base + path, 307)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _refuse_unchecked() -> None:
    """Answer nothing at a domain that some firm claimed and that does not serve it.

    :raises NotFound: says so.
    """
    host = site.host()
    if not _may_be_claimed(host):
        return
    if db.session().execute(select(Domain.host).where(Domain.host == host).limit(1)).first():
        raise NotFound(
            _("%(host)s does not serve a firm now. Its owner checks it under Settings, Address.", host=host)
        )


def _may_be_claimed(host: str) -> bool:
    if "." not in host or host == current_app.extensions["kehu.settings"].base_domain:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False
