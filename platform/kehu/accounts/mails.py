"""The mails about accounts; their links are made when they are delivered."""

from __future__ import annotations

from flask import current_app
from sqlalchemy.orm import Session

from kehu.accounts.models import User
from kehu.accounts.services import AccountService
from kehu.core import mail
from kehu.core.ids import parse_id

RESET = "accounts/mail/reset"
CONFIRM = "accounts/mail/confirm"
CODE = "accounts/mail/code"
KNOWN = "accounts/mail/known"
CHANGED = "accounts/mail/changed"


def _url(path: str) -> str:
    return f"{current_app.extensions['kehu.settings'].base_url()}{path}"


def _user(session: Session, values: mail.Values) -> User | None:
    return session.get(User, parse_id(values["user_id"]))


@mail.values_for(RESET)
def _reset(session: Session, values: mail.Values) -> mail.Values | None:
    user = _user(session, values)
    if user is None or not user.active:
        return None
    return {**values, "name": user.name, "url": _url(f"/reset/{AccountService(session).reset_token(user)}")}


@mail.values_for(CONFIRM)
def _confirm(session: Session, values: mail.Values) -> mail.Values | None:
    user = _user(session, values)
    if user is None or user.confirmed_at is not None:
        return None
    return {
        **values,
        "name": user.name,
        "url": _url(f"/confirm/{AccountService(session).confirm_token(user)}"),
    }


@mail.values_for(KNOWN)
def _known(_session: Session, values: mail.Values) -> mail.Values | None:
    return {**values, "url": _url("/login?next=/firms/new"), "reset_url": _url("/reset")}


@mail.values_for(CHANGED)
def _changed(_session: Session, values: mail.Values) -> mail.Values | None:
    return {**values, "reset_url": _url("/reset")}


def send_reset(session: Session, user: User) -> None:
    """Send the link to a new password."""
    mail.send(session, user.email, RESET, locale=user.locale, user_id=str(user.id))


def send_confirm(session: Session, user: User) -> None:
    """Send the link that proves the address."""
    mail.send(session, user.email, CONFIRM, locale=user.locale, user_id=str(user.id))


def send_changed(session: Session, user: User, what: str) -> None:
    """Tell a person that the password or the second factor was changed.

    :param what: "password", "second_on" or "second_off".
    """
    mail.send(session, user.email, CHANGED, locale=user.locale, what=what, name=user.name)
