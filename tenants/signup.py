"""Signing up: from four answers to a firm with everything that it needs on its first minute."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from dataclasses import asdict, dataclass, replace
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from flask_security import hash_password
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.accounts import mails
from kehu.accounts.models import User
from kehu.accounts.security import derived_key
from kehu.accounts.services import AccountService, check_password, new_user, valid_email
from kehu.core import clock, context, mail
from kehu.core.errors import InvalidInput
from kehu.core.i18n import LOCALES, _
from kehu.core.ids import new_id
from kehu.core.text import clean
from tenants import addresses, places
from tenants.provision import NewTenant, provision

CODE_WITHIN = dt.timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Firm:
    """What is said of a new firm. An empty address means: make one from the name."""

    name: str
    address: str
    country: str
    currency: str
    zone: str
    locale: str


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A sign-up that waits for the code of its mail; it stays with the browser, encrypted."""

    id: str
    person: str
    email: str
    password_hash: str
    code: str
    at: float
    firm: Firm

    def seal(self, secret_key: str) -> str:
        """Return it in a form that the browser can keep but not read."""
        return _fernet(secret_key).encrypt(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def unseal(cls, sealed: object, secret_key: str) -> Pending | None:
        """Return what `seal` sealed, or None when it is too old or none of ours."""
        if not isinstance(sealed, str):
            return None
        try:
            values = json.loads(_fernet(secret_key).decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            return None
        found = cls(**{**values, "firm": Firm(**values["firm"])})
        return found if clock.now().timestamp() - found.at < CODE_WITHIN.total_seconds() else None


def _fernet(secret_key: str) -> Fernet:
    return Fernet(derived_key(secret_key, "sign-up"))


def read_firm(form: dict[str, str], proposed: dict[str, str]) -> Firm:
    """Return what a form says of a firm; empty answers are those proposed.

    :raises InvalidInput: with a message for each field that can't be used.
    """
    errors: dict[str, list[str]] = {}
    name = clean(form.get("firm", ""))
    if not 2 <= len(name) <= 100:
        errors["firm"] = [_("Write the firm's name with 2 to 100 characters.")]
    address = form.get("address", "").strip()
    if address:
        try:
            address = addresses.check(address)
        except InvalidInput as error:
            errors.update(error.fields)
    values = {
        key: form.get(key, "").strip() or proposed[key] for key in ("country", "currency", "zone", "locale")
    }
    if values["country"] not in dict(places.countries("en")):
        errors["country"] = [_("Choose a country of the list.")]
    if values["currency"] not in dict(places.currencies("en")):
        errors["currency"] = [_("Choose a currency of the list.")]
    if not places.is_zone(values["zone"]):
        errors["zone"] = [_("Choose a time zone of the list, as Europe/London.")]
    if values["locale"] not in LOCALES:
        errors["locale"] = [_("Choose one of the languages of the list.")]
    if errors:
        raise InvalidInput(_("Some answers need another look; what you typed is kept."), fields=errors)
    return Firm(name=name, address=address, **values)


class SignupService:
    """Sign people and firms up."""

    def __init__(self, session: Session, secret_key: str) -> None:
        self.session = session
        self.secret_key = secret_key
        self.accounts = AccountService(session)

    def begin(self, form: dict[str, str], proposed: dict[str, str]) -> Pending:
        """Check a sign-up and send the code to its address.

        Whether the address has an account shows in the mail alone: the answer and the work done are the same.

        :raises InvalidInput: with a message for each field that can't be used.
        """
        pending = self.read(form, proposed)
        user = self.accounts.by_email(pending.email)
        if user is None:
            mail.send(
                self.session,
                pending.email,
                mails.CODE,
                locale=pending.firm.locale,
                name=pending.person,
                firm=pending.firm.name,
                code=pending.code,
            )
            return pending
        mail.send(
            self.session,
            user.email,
            mails.KNOWN,
            locale=user.locale or pending.firm.locale,
            firm=pending.firm.name,
        )
        # A code that nobody is told.
        return replace(pending, code=secrets.token_hex(8))

    def read(self, form: dict[str, str], proposed: dict[str, str]) -> Pending:
        """Check the answers of a sign-up.

        :raises InvalidInput: with a message for each field that can't be used.
        """
        errors: dict[str, list[str]] = {}
        person, email, password = clean(form.get("name", "")), "", form.get("password", "")
        if not 1 <= len(person) <= 100:
            errors["name"] = [_("Write your name with 1 to 100 characters.")]
        firm: Firm | None = None
        try:
            email = valid_email(form.get("email", ""))
        except InvalidInput as error:
            errors.update(error.fields)
        for check in (
            lambda: check_password(password, name=person, email=email),
            lambda: read_firm(form, proposed),
        ):
            try:
                answer: Any = check()
                firm = answer if isinstance(answer, Firm) else firm
            except InvalidInput as error:
                errors.update(error.fields)
        if firm is not None and firm.address and not addresses.is_free(self.session, firm.address):
            errors.update(addresses.taken(firm.address).fields)
        if errors or firm is None:
            raise InvalidInput(_("Some answers need another look; what you typed is kept."), fields=errors)
        return Pending(
            id=new_id().hex,
            person=person,
            email=email,
            password_hash=hash_password(password),
            code=f"{secrets.randbelow(1_000_000):06d}",
            at=clock.now().timestamp(),
            firm=firm,
        )

    def finish(self, pending: Pending, *, confirmed: bool) -> tuple[User, context.TenantInfo]:
        """Create person and firm.

        :raises InvalidInput: when the address was taken in the meantime.
        """
        try:
            with self.session.begin_nested():
                user = new_user(
                    self.session,
                    name=pending.person,
                    email=pending.email,
                    password_hash=pending.password_hash,
                    locale=pending.firm.locale,
                    confirmed=confirmed,
                )
                self.session.flush()  # A second browser with the same address fails here.
        except IntegrityError as error:
            message = _("This sign-up was finished already. Log in instead.")
            raise InvalidInput(message, fields={"email": [message]}) from error
        if not confirmed:
            mails.send_confirm(self.session, user)
        return user, self.found(pending.firm, user)

    def found(self, firm: Firm, owner: User) -> context.TenantInfo:
        """Create a firm for a person.

        :raises InvalidInput: for the field "address" when another firm was faster.
        """
        tries = [firm.address] if firm.address else [addresses.propose(self.session, firm.name)]
        if not firm.address:
            tries += [f"{tries[0][:30]}-{new_id().hex[-4:]}"]
        for address in tries:
            wanted = NewTenant(
                name=firm.name,
                address=address,
                country=firm.country,
                currency=firm.currency,
                zone=firm.zone,
                locale=firm.locale,
            )
            addresses.hold(self.session, address)
            if not addresses.is_free(self.session, address):
                continue
            try:
                with self.session.begin_nested():
                    return provision(self.session, wanted, owner)[0]
            except IntegrityError as error:
                if "tenants_address_key" not in str(error.orig):
                    raise
        raise addresses.taken(tries[0])
