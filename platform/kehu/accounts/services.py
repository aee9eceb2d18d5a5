"""What a person can do with his own account; tenants play no part here."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flask_security import hash_password, verify_and_update_password, verify_password
from flask_security.confirmable import confirm_email_token_status, generate_confirmation_token
from flask_security.proxies import _security as security
from flask_security.recoverable import generate_reset_password_token, reset_password_token_status
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kehu.accounts.models import LoginSession, User
from kehu.accounts.security import PASSWORD_MIN
from kehu.core import clock
from kehu.core.errors import InvalidInput
from kehu.core.i18n import LOCALES, _
from kehu.core.ids import new_id
from kehu.core.text import check_email, clean, fold, normal_email

PASSWORD_MAX = 200

_decoy: list[str] = []


def _decoy_hash() -> str:
    if not _decoy:
        _decoy.append(hash_password(new_id().hex))
    return _decoy[0]


def spend_time(password: str) -> None:
    """Take as long as checking a password takes, so that the answer's time tells nothing."""
    verify_password(password[:PASSWORD_MAX], _decoy_hash())


_TRIED_FIRST = frozenset(
    (
        "password passwort kennwort passwd admin administrator welcome letmein iloveyou kehu qwerty qwertyuiop"
    ).split()
    + "qwertz asdfghjkl abcdefghij пароль йцукен привет".split()
)


def _easy(password: str, name: str, email: str) -> bool:
    """Tell whether a password is among those that are tried first: one word with digits, a row of keys, a name."""
    folded = fold(password)
    letters = "".join(letter for letter in folded if letter.isalpha())
    digits = "01234567890123456789"
    return (
        len(set(password)) < 4
        or folded in (fold(name), normal_email(email))
        or letters in _TRIED_FIRST
        or folded in digits
        or folded in digits[::-1]
    )


def check_password(password: str, *, name: str = "", email: str = "") -> str:
    """Return a password that may be used.

    :raises InvalidInput: says what is wrong with it, for the field "password".
    """
    message = ""
    if len(password) < PASSWORD_MIN:
        message = _("Use %(count)s characters or more; a few words make a good password.", count=PASSWORD_MIN)
    elif len(password) > PASSWORD_MAX:
        message = _("Use %(count)s characters or fewer.", count=PASSWORD_MAX)
    elif _easy(password, name, email):
        message = _("This password is too easy to guess. Use a few words that belong together only for you.")
    if message:
        raise InvalidInput(message, fields={"password": [message]})
    return password


def new_user(
    session: Session, *, name: str, email: str, password_hash: str | None, locale: str, confirmed: bool
) -> User:
    """Return a new user, added to the session."""
    user = User(
        id=new_id(),
        email=email,
        email_norm=normal_email(email),
        name=name,
        locale=locale if locale in LOCALES else "",
        password=password_hash,
        active=True,
        operator=False,
        fs_uniquifier=new_id().hex,
        confirmed_at=clock.now() if confirmed else None,
        prefs={},
    )
    session.add(user)
    return user


class AccountService:
    """Look after the account of one person."""

    def __init__(self, session: Session) -> None:
        self.session = session

    # --- finding and signing in ---------------------------------------------------------------------------

    def by_email(self, email: str) -> User | None:
        """Return the user with an e-mail address."""
        return self.session.execute(
            select(User).where(User.email_norm == normal_email(email))
        ).scalar_one_or_none()

    def authenticate(self, email: str, password: str) -> User | None:
        """Return the user whose address and password these are; takes the same time for everybody."""
        user = self.by_email(email)
        if user is None or not user.password or len(password) > PASSWORD_MAX:
            spend_time(password)
            return None
        if not verify_and_update_password(password, user) or not user.active:
            return None
        return user

    def open_session(
        self, user: User, *, address: str, agent: str, session_id: uuid.UUID | None = None
    ) -> LoginSession:
        """Record a signed-in browser."""
        row = LoginSession(
            id=session_id or new_id(), user_id=user.id, address=address[:64], agent=agent[:300]
        )
        self.session.add(row)
        self.session.flush()  # A link that was used twice has to fail here, before anybody is signed in.
        return row

    def sessions(self, user_id: uuid.UUID) -> Sequence[LoginSession]:
        """Return the browsers in which a person is signed in, latest use first."""
        statement = (
            select(LoginSession)
            .where(LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None))
            .order_by(LoginSession.seen_at.desc())
            .limit(100)
        )
        return self.session.execute(statement).scalars().all()

    def revoke(self, user_id: uuid.UUID, session_id: uuid.UUID) -> bool:
        """Sign one browser out; tells whether there was one."""
        return self._revoke(LoginSession.user_id == user_id, LoginSession.id == session_id) > 0

    def revoke_others(self, user_id: uuid.UUID, keep: uuid.UUID | None) -> int:
        """Sign out everywhere but in one browser; returns how many there were."""
        conditions = [LoginSession.user_id == user_id]
        if keep is not None:
            conditions.append(LoginSession.id != keep)
        return self._revoke(*conditions)

    def _revoke(self, *conditions: Any) -> int:
        statement = update(LoginSession).where(*conditions, LoginSession.revoked_at.is_(None))
        result: Any = self.session.execute(statement.values(revoked_at=clock.now()))
        return int(result.rowcount)

    # --- profile and password -----------------------------------------------------------------------------

    def change_profile(self, user: User, *, name: str, locale: str) -> None:
        """Change name and language.

        :raises InvalidInput: for an empty name or an unknown language.
        """
        name = clean(name)
        if not name or len(name) > 100:
            message = _("Write your name with 1 to 100 characters.")
            raise InvalidInput(message, fields={"name": [message]})
        if locale not in ("", *LOCALES):
            message = _("Choose one of the languages of the list.")
            raise InvalidInput(message, fields={"locale": [message]})
        user.name, user.locale = name, locale

    def change_password(self, user: User, current: str, new: str) -> None:
        """Change the password; every other browser is signed out.

        :raises InvalidInput: when the present one is wrong or the new one too easy.
        """
        self.confirm_password(user, current)
        self.set_password(user, new)

    def set_password(self, user: User, new: str) -> None:
        """Set a password and end all sessions that the old one opened.

        :raises InvalidInput: when it is too easy.
        """
        user.password = hash_password(check_password(new, name=user.name, email=user.email))
        security.datastore.set_uniquifier(user)

    def confirm_password(self, user: User, password: str) -> None:
        """Make sure that the person at the keyboard knows the password.

        :raises InvalidInput: when not.
        """
        if not user.password or not verify_and_update_password(password[:PASSWORD_MAX], user):
            message = _("This is not your present password.")
            raise InvalidInput(message, fields={"current": [message]})

    # --- links in mails -----------------------------------------------------------------------------------

    def reset_token(self, user: User) -> str:
        """Return the secret of a reset link; it works once, because it names the present password."""
        return str(generate_reset_password_token(user))

    def user_of_reset(self, token: str) -> User | None:
        """Return whose reset link this is, or None when it is used up, too old or made up."""
        expired, invalid, user = reset_password_token_status(token)
        if expired or invalid or user is None or not user.active:
            return None
        data = security.reset_serializer.loads(token)
        from flask_security.utils import verify_hash

        if data[1] is not None and not verify_hash(data[1], user.password or ""):
            return None
        return user  # type: ignore[no-any-return]

    def confirm_token(self, user: User) -> str:
        """Return the secret of the link that proves an e-mail address."""
        return str(generate_confirmation_token(user))

    def confirm(self, token: str) -> User | None:
        """Mark an address as proven and return whose it is, or None when the link is of no use."""
        expired, invalid, user = confirm_email_token_status(token)
        if expired or invalid or user is None:
            return None
        if user.confirmed_at is None:
            user.confirmed_at = clock.now()
        return user  # type: ignore[no-any-return]


def valid_email(value: str) -> str:
    """Return an e-mail address as it is kept.

    :raises InvalidInput: for the field "email".
    """
    try:
        return check_email(value)
    except InvalidInput as error:
        raise InvalidInput(error.message, fields={"email": [str(error.message)]}) from error
