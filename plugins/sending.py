"""What plugins bring to messages that leave the house: texts with places, and refusals."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from plugins.contracts import Label

PURPOSES: Final = ("transactional", "service", "marketing", "survey")
"""Why a message is sent. Transactional ones answer what a person asked for; all others need to be allowed."""

CHANNELS: Final = ("mail", "phone", "sms", "post")

PLACE: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""A place in a text that is filled in for each recipient."""

GENERAL: Final = ("name", "firm", "sender")
"""Places that every text may have: the recipient, the firm, the member who sends."""

_KEY: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why a message must not go out now.

    :param code: a short word for programs, as `open_complaint`.
    :param reason: a sentence for the member who looks why nobody got it.
    :param until: when it may go out after all; without it the message is refused for good.
    """

    code: str
    reason: Label
    until: datetime | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", self.code):
            raise ValueError(f"The code {self.code!r} is not usable. Use small letters and underscores.")
        if self.until is not None and self.until.tzinfo is None:
            raise ValueError("The moment in `until` has no time zone. Take it from ctx.now.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Something that a text may name in braces, as `{car}`.

    :param label: what it is, for the person who edits the text.
    :param example: what stands there in a preview.
    :param secret: filled in only when the mail goes out and never kept (links that let someone in).
    """

    name: str
    label: Label
    example: str
    secret: bool = False

    def __post_init__(self) -> None:
        if not PLACE.fullmatch(f"{{{self.name}}}") or self.name in GENERAL:
            raise ValueError(
                f"The place {self.name!r} is not usable. Use small letters; not {', '.join(GENERAL)}."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageText:
    """A message in one language; both parts may hold places."""

    subject: str
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageTemplate:
    """A message that a plugin or the platform sends; each tenant may change its texts.

    :param key: `<slug>.<name>`, as `dentist.recall`.
    :param purpose: one of `PURPOSES`; decides which consent it needs.
    :param texts: locale (`en`, `zh_Hans`, `zh_Hant`, `ru`) -> text; `en` is needed.
    :param places: what the texts may name beside `{name}`, `{firm}` and `{sender}`.
    :param secrets: fills the secret places when the mail goes out: called as `secrets(ctx, message)` with the
        message's `id`, `customer_id`, `contact_id` and `data`; returns them by name, or None when the message is no
        longer wanted.
    """

    key: str
    label: Label
    purpose: str
    texts: Mapping[str, MessageText]
    places: tuple[Place, ...] = ()
    secrets: Callable[[Any, Any], Mapping[str, str] | None] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(f'The message {self.key!r} is not named well. Write it as "dentist.recall".')
        if self.purpose not in PURPOSES:
            raise ValueError(f"The purpose {self.purpose!r} is unknown. Use one of: {', '.join(PURPOSES)}.")
        if "en" not in self.texts:
            raise ValueError(f"The message {self.key!r} has no English text. Add one under 'en'.")
        if any(place.secret for place in self.places) != (self.secrets is not None):
            raise ValueError(
                f"The message {self.key!r} has secret places without a function for them, or the reverse."
            )
        for locale, text in self.texts.items():
            unknown = self.unknown_places(text)
            if unknown:
                raise ValueError(
                    f"The {locale} text of {self.key!r} names {{{unknown[0]}}}, which is no place of it."
                )

    @property
    def place_names(self) -> tuple[str, ...]:
        """Return the names of all places that the texts may have."""
        return (*GENERAL, *(place.name for place in self.places))

    def unknown_places(self, text: MessageText) -> list[str]:
        """Return the places in a text that nothing would fill."""
        found = dict.fromkeys(PLACE.findall(f"{text.subject} {text.body}"))
        return [name for name in found if name not in self.place_names]
