"""The second factor: codes of an authenticator app, and recovery codes for the day it is lost."""

from __future__ import annotations

from flask_security.proxies import _security as security
from sqlalchemy.orm import Session

from kehu.accounts.models import User
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _

METHOD = "authenticator"


class SecondFactorService:
    """Switch the second factor of a person on and off, and check its codes."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def new_secret(self) -> str:
        """Return a secret that the person has not accepted yet; it is encrypted."""
        return str(security.totp_factory.generate_totp_secret())

    def setup_values(self, user: User, secret: str) -> dict[str, str]:
        """Return what the person needs for the authenticator app: picture, key and address."""
        values: dict[str, str] = security.totp_factory.fetch_setup_values(secret, user)
        return values

    def switch_on(self, user: User, secret: str, code: str) -> list[str]:
        """Switch on after a code proved that the app has the secret; returns the recovery codes, shown once.

        :raises InvalidInput: when the code does not fit.
        """
        if not self._fits(user, secret, code):
            message = _(
                "This code does not fit. Check the time of your phone and type the code that it shows now."
            )
            raise InvalidInput(message, fields={"code": [message]})
        user.tf_primary_method, user.tf_totp_secret = METHOD, secret
        return self.new_recovery_codes(user)

    def switch_off(self, user: User) -> None:
        """Sign in with the password alone from now on."""
        user.tf_primary_method = user.tf_totp_secret = user.tf_counter = None
        security.datastore.mf_set_recovery_codes(user, None)

    def new_recovery_codes(self, user: User) -> list[str]:
        """Make ten codes that work once each; the old ones end."""
        codes: list[str] = security.mf_recovery_codes_util.create_recovery_codes(user)
        return codes

    def recovery_codes_left(self, user: User) -> int:
        """Return how many recovery codes are left."""
        return len(user.mf_recovery_codes or [])

    def accept(self, user: User, code: str, *, recovery: bool = False) -> bool:
        """Tell whether a code lets the person in; it is used up by that."""
        # Held, so that of two who come with the same code at the same moment one gets in.
        self.session.refresh(user, with_for_update=True)
        code = "".join(code.split())
        if recovery:
            util = security.mf_recovery_codes_util
            if not code or not util.check_recovery_code(user, code.lower()):
                return False
            util.delete_recovery_code(user, code.lower())
            return True
        return bool(user.tf_totp_secret) and self._fits(user, user.tf_totp_secret, code)

    def _fits(self, user: User, secret: str | None, code: str) -> bool:
        code = "".join(code.split())
        if not code.isdecimal() or len(code) != 6 or not secret:
            return False
        return bool(security.totp_factory.verify_totp(token=code, totp_secret=secret, user=user, window=30))
