"""API tokens: shown once, revocable, never wider than their maker's rights."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import audit, clock, context
from kehu.core.errors import InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.permissions import offered
from kehu.core.text import clean
from kehu.members.models import ApiToken
from kehu.rest.auth import make_secret, token_text

LIFETIMES = (30, 90, 365)
"""Days after which a token ends, if it ends."""


class TokenService:
    """Make and revoke API tokens; a token acts as the member who made it."""

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()
        self.actor.require("tokens:manage")

    def create(self, name: str, scopes: Sequence[str], days: int | None) -> tuple[ApiToken, str]:
        """Make a token and return it with the text that is shown once.

        :param scopes: permission codes, `*:read` or `*`.
        :raises InvalidInput: for an empty name or no scope.
        """
        errors: dict[str, list[str]] = {}
        name = clean(name)
        if not 1 <= len(name) <= 100:
            errors["name"] = [
                _("Write a name with 1 to 100 characters, such as the program that uses the token.")
            ]
        known = {*offered(), "*", "*:read"}
        wanted = [scope for scope in dict.fromkeys(scopes) if scope in known]
        if not wanted:
            errors["scopes"] = [_("Choose what the token may do.")]
        if days is not None and days not in LIFETIMES:
            errors["days"] = [_("Choose one of the list.")]
        if errors:
            raise InvalidInput(_("Some answers need another look; what you typed is kept."), fields=errors)
        secret, hashed = make_secret()
        moment = clock.now()
        token = ApiToken(
            id=new_id(),
            member_id=self.actor.member_id,
            name=name,
            secret_hash=hashed,
            scopes=["*"] if "*" in wanted else wanted,
            created_at=moment,
            expires_at=moment + dt.timedelta(days=days) if days else None,
        )
        self.session.add(token)
        self._note(token, "created", {"scopes": [None, ", ".join(token.scopes)]})
        return token, token_text(context.tenant().id, token.id, secret)

    def revoke(self, token_id: uuid.UUID) -> ApiToken:
        """End a token at once.

        :raises NotFound: when there is none.
        """
        token = self.session.execute(select(ApiToken).where(ApiToken.id == token_id)).scalar_one_or_none()
        if token is None:
            raise NotFound(_("There is no such token."))
        if token.revoked_at is None:
            token.revoked_at = clock.now()
            self._note(token, "revoked", {})
        return token

    def _note(self, token: ApiToken, action: str, changes: dict[str, list[Any]]) -> None:
        audit.write(
            self.session,
            object="tokens",
            record_id=token.id,
            action=action,
            title=token.name,
            changes=changes,
        )
