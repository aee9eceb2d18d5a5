"""The page on which an invited person joins."""

from __future__ import annotations

from typing import Any

from flask import Response, g, redirect, request
from flask_babel import get_locale
from flask_security import hash_password

from kehu.accounts import signin
from kehu.accounts.firm_views import handover_url
from kehu.accounts.models import User
from kehu.accounts.services import AccountService, check_password, new_user
from kehu.core import context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.text import clean
from kehu.members import invitations
from kehu.members.invitations import Offer
from kehu.members.views import blueprint
from kehu.web import limits
from kehu.web.access import public
from kehu.web.render import render_page
from kehu.web.toasts import toast


def _page(token: str, offer: Offer, errors: dict[str, Any] | None = None, status: int = 200) -> Response:
    session = db.session()
    me = session.get(User, g.user_id) if g.get("user_id") else None
    return render_page(
        "members/invitation.html",
        status=status,
        token=token,
        offer=offer,
        firm=context.tenant(),
        me=me,
        known=me is None and AccountService(session).by_email(offer.member.email) is not None,
        errors=errors or {},
        name=request.form.get("name", offer.member.name),
    )


@blueprint.get("/invitation/<token>")
@public
def invitation(token: str) -> Any:
    """Say who invites whom to what."""
    return _page(token, invitations.find(token))


@blueprint.post("/invitation/<token>")
@public
def invitation_post(token: str) -> Any:
    """Join: as the person who is signed in, or with a new account."""
    limits.count(limits.entry_rate(), "invitation", limits.address())
    offer = invitations.find(token)
    session = db.session()
    if g.get("user_id") is not None:
        user = signin.signed_in_user()
        return _join(offer, user, new=False)
    if AccountService(session).by_email(offer.member.email) is not None:
        return redirect(f"/login?next=/invitation/{token}", 303)
    name = clean(request.form.get("name", "")) or offer.member.name
    try:
        password = check_password(request.form.get("password", ""), name=name, email=offer.member.email)
    except InvalidInput as error:
        return _page(token, offer, error.fields, 422)
    # The link came by mail, so the address is the person's own.
    user = new_user(
        session,
        name=name[:100],
        email=offer.member.email,
        password_hash=hash_password(password),
        locale=str(get_locale() or ""),
        confirmed=True,
    )
    session.flush()  # The member points at the user.
    return _join(offer, user, new=True)


def _join(offer: Offer, user: User, *, new: bool) -> Any:
    tenant = context.tenant()
    invitations.accept(db.session(), offer, user)
    signin.remember_firm(user, tenant.id)
    toast(_("Welcome to %(firm)s.", firm=tenant.name))
    if new:
        signin.sign_in(user, joined=tenant)
    address = signin.host_address()
    if address and address != tenant.address:
        return redirect(handover_url(user, tenant.address), 303)
    signin.choose_firm(tenant, [tenant, *(firm for firm in signin.firms_of(user.id) if firm.id != tenant.id)])
    return redirect("/", 303)
