"""What customers and contacts keep about how they may be reached; the history stands in `consents`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.i18n import LOCALES, _l
from kehu.core.records.fields import Field, Option
from kehu.core.tables import OptStr

SECTION = {"consent": _l("Consent and reach")}

YES = (
    "yes",
    "y",
    "true",
    "1",
    "opt in",
    "opted in",
    "subscribed",
    "ja",
    "да",
    "是",
    "同意",
    "已订阅",
    "已訂閱",
)
NO = (
    "no",
    "n",
    "false",
    "0",
    "opt out",
    "opted out",
    "unsubscribed",
    "nein",
    "нет",
    "否",
    "不同意",
    "已退订",
    "已退訂",
)
MAIL_CONSENT = (
    Option(value="given", label=_l("Given"), tone="ok", also=YES),
    Option(value="withdrawn", label=_l("Withdrawn"), tone="bad", also=NO),
)
STOPS = (
    Option(value="unasked", label=_l("Answers only"), tone="warn"),
    Option(value="all", label=_l("Not at all"), tone="bad"),
)
PREFERRED = (
    Option(value="mail", label=_l("E-mail")),
    Option(value="phone", label=_l("Phone")),
    Option(value="sms", label=_l("SMS")),
    Option(value="post", label=_l("Post")),
)
GAPS = (
    Option(value="7", label=_l("Once a week")),
    Option(value="30", label=_l("Once a month")),
    Option(value="91", label=_l("Once a quarter")),
    Option(value="365", label=_l("Once a year")),
)
"""Days between two messages that nobody asked for."""


class ReachColumns:
    """Mixin of customers and contacts.

    `mail_consent` repeats the latest consent to advertising by mail, so that lists, imports and programs have it;
    `kehu.consent.recording` keeps both in step.
    """

    mail_consent: Mapped[OptStr] = mapped_column(Text, sort_order=800)
    do_not_contact: Mapped[OptStr] = mapped_column(Text, sort_order=801)
    preferred_channel: Mapped[OptStr] = mapped_column(Text, sort_order=802)
    best_hours: Mapped[OptStr] = mapped_column(Text, sort_order=803)
    contact_gap: Mapped[OptStr] = mapped_column(Text, sort_order=804)
    language: Mapped[OptStr] = mapped_column(Text, sort_order=805)


def _languages() -> tuple[Option, ...]:
    return tuple(Option(value=code, label=name) for code, name in LOCALES.items())


def reach_fields() -> tuple[Field, ...]:
    """Return the fields of the mixin, for the record types that have it."""

    def choice(key: str, label: Any, options: Any, **more: Any) -> Field:
        return Field(
            key=key, label=label, kind="choice", options=options, section="consent", filterable=True, **more
        )

    return (
        choice(
            "mail_consent",
            _l("Mail consent"),
            MAIL_CONSENT,
            help=_l("To advertising by e-mail. When, how and by whom is kept with it."),
        ),
        choice("do_not_contact", _l("Do not contact"), STOPS),
        choice("preferred_channel", _l("Preferred channel"), PREFERRED),
        Field(
            key="best_hours",
            label=_l("Best hours"),
            kind="hours",
            section="consent",
            help=_l("Write them as 9-12, 17-19."),
            example="09:00–12:00",
        ),
        choice(
            "contact_gap", _l("Write at most"), GAPS, help=_l("Messages that the person did not ask for.")
        ),
        choice("language", _l("Language"), _languages),
    )
