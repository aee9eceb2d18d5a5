"""The firm's rules for what leaves the house: hours, frequency, who is written to without having said yes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.consent.models import SendRules
from kehu.consent.words import Purpose
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _, _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.service import RecordService
from kehu.core.records.types import RecordType, register
from kehu.core.text import check_email

UNASKED = (
    Option(value="none", label=_l("Nobody")),
    Option(value="post", label=_l("Letters only, until they say no")),
    Option(value="all", label=_l("Everybody, until they say no")),
)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What holds for a firm; these are the defaults.

    :param cap: so many messages that nobody asked for in `cap_days`, to one person; likewise to a household.
    :param unasked: who gets advertising without consent: none, post (letters), all.
    """

    hours: str = "08:00–20:00"
    cap: int = 1
    cap_days: int = 7
    household_cap: int = 1
    household_days: int = 7
    unasked: str = "none"
    sender_name: str | None = None
    reply_to: str | None = None
    imprint: str | None = None

    def needs_consent(self, purpose: Purpose, channel: str) -> bool:
        """Tell whether nobody gets such a message who has not agreed."""
        if not purpose.asked:
            return False
        return self.unasked != "all" and not (self.unasked == "post" and channel == "post")


KEYS = tuple(Rules.__dataclass_fields__)


def rules_of(session: Session) -> Rules:
    """Return what holds for the present firm, read once a unit of work."""
    found: Rules | None = session.info.get("send_rules")
    if found is None:
        row = SendRulesService.row(session)
        found = Rules(**{key: getattr(row, key) for key in KEYS}) if row is not None else Rules()
        session.info["send_rules"] = found
    return found


class SendRulesService(RecordService[SendRules]):
    """Change the rules; there is one row of them."""

    type_name = "send_rules"

    @staticmethod
    def row(session: Session) -> SendRules | None:
        """Return the row, or None while the defaults hold."""
        statement = select(SendRules).where(SendRules.deleted_at.is_(None)).limit(1)
        return session.execute(statement).scalar_one_or_none()

    def save(self, values: dict[str, Any], *, version: int | None = None) -> SendRules:
        """Change the rules, or write them for the first time."""
        row = self.row(self.session)
        return self.create(values) if row is None else self.update(row.id, values, version=version)

    def check(self, record: SendRules, changed: set[str]) -> None:
        """Refuse an address that can't be one."""
        if record.reply_to:
            try:
                record.reply_to = check_email(record.reply_to)
            except InvalidInput as error:
                raise InvalidInput(error.message, fields={"reply_to": [error.message]}) from error
        self.session.info.pop("send_rules", None)

    def title_of(self, record: SendRules) -> str:
        """Return what the page is called."""
        return _("Rules for messages")


def _number(key: str, label: Any, default: int, most: int, help_text: Any = "") -> Field:
    return Field(
        key=key,
        label=label,
        kind="number",
        required=True,
        default=default,
        minimum=1,
        maximum=most,
        help=help_text,
    )


SEND_RULES = register(
    RecordType(
        name="send_rules",
        singular="send_rules",
        label=_l("rules for messages"),
        plural=_l("Rules for messages"),
        icon="mail",
        model=SendRules,
        service=SendRulesService,
        owner="",
        title="hours",
        default_sort="id",
        path="/settings/messages",
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="hours",
                label=_l("Hours in which messages may go out"),
                kind="hours",
                required=True,
                default=Rules.hours,
                help=_l(
                    "On the recipient's clock. Outside of them messages wait; answers to tickets do not."
                ),
            ),
            _number("cap", _l("Messages to one person"), Rules.cap, 100),
            _number("cap_days", _l("In so many days"), Rules.cap_days, 365),
            _number("household_cap", _l("Messages to one household"), Rules.household_cap, 100),
            _number("household_days", _l("In so many days"), Rules.household_days, 365),
            Field(
                key="unasked",
                label=_l("Who gets advertising without having agreed"),
                kind="choice",
                options=UNASKED,
                required=True,
                default=Rules.unasked,
                help=_l("In most countries advertising by mail and SMS needs consent first."),
            ),
            Field(
                key="sender_name",
                label=_l("Name of the sender"),
                max_length=100,
                help=_l("Else the firm's name."),
            ),
            Field(key="reply_to", label=_l("Answers go to"), kind="email", example="office@example.com"),
            Field(
                key="imprint",
                label=_l("Below each message"),
                kind="long_text",
                help=_l("Name and address of the firm, as the law of many countries asks."),
            ),
        ),
    )
)
