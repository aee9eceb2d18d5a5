"""Which messages a firm has, in which words, and how these are filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import hooks
from kehu.core.errors import InvalidInput, NotFound
from kehu.core.i18n import LOCALES, _, _l
from kehu.core.records.fields import Field
from kehu.core.records.service import RecordService
from kehu.core.records.types import RecordType, register
from kehu.messages.models import MessageTextRow
from plugins.sending import PLACE, MessageTemplate, MessageText

_own: dict[str, MessageTemplate] = {}

LONGEST = 10_000


class Translated(Mapping[str, MessageText]):
    """The words of a message in all languages of the catalogue; both parts are texts of `_l`."""

    def __init__(self, subject: Any, body: Any) -> None:
        self._subject, self._body = subject, body

    def __getitem__(self, locale: str) -> MessageText:
        if locale not in LOCALES:
            raise KeyError(locale)
        with force_locale(locale):
            return MessageText(subject=str(self._subject), body=str(self._body))

    def __iter__(self) -> Iterator[str]:
        return iter(LOCALES)

    def __len__(self) -> int:
        return len(LOCALES)


def register_template(template: MessageTemplate) -> MessageTemplate:
    """Add a message of the platform's own; the same key again replaces it."""
    _own[template.key] = template
    return template


def templates() -> list[MessageTemplate]:
    """Return the messages of the present firm: the platform's, then those of its plugins."""
    enabled = hooks.enabled()
    declared = hooks.host().declarations.messages
    return [*_own.values(), *(one for slug, one in declared if slug in enabled)]


def template(key: str) -> MessageTemplate:
    """Return a message by its key.

    :raises NotFound: when nobody registered it, or only a plugin that is off.
    """
    found = next((one for one in templates() if one.key == key), None)
    if found is None:
        raise NotFound(_("There is no message “%(name)s” here.", name=key[:80]))
    return found


def text_of(session: Session, wanted: MessageTemplate, locale: str) -> MessageText:
    """Return the words of a message in a language, the firm's own before those it came with.

    A language in which there are none falls back to English.
    """
    rows = _rows(session, wanted.key)
    for code in (locale, "en"):
        if code in rows:
            return MessageText(subject=rows[code].subject, body=rows[code].body)
        if code in wanted.texts:
            return wanted.texts[code]
    raise AssertionError("Each message has an English text.")


def _rows(session: Session, key: str) -> Mapping[str, MessageTextRow]:
    cache: dict[str, Mapping[str, MessageTextRow]] = session.info.setdefault("message_texts", {})
    if key not in cache:
        statement = select(MessageTextRow).where(
            MessageTextRow.template == key, MessageTextRow.deleted_at.is_(None)
        )
        cache[key] = {row.locale: row for row in session.execute(statement).scalars()}
    return cache[key]


def own_rows(session: Session) -> Sequence[MessageTextRow]:
    """Return all words of the firm's own."""
    statement = select(MessageTextRow).where(MessageTextRow.deleted_at.is_(None))
    return (
        session.execute(statement.order_by(MessageTextRow.template, MessageTextRow.locale).limit(1000))
        .scalars()
        .all()
    )


def fill(text: str, values: Mapping[str, Any]) -> str:
    """Return a text with its places filled; a place without a value stays in its braces."""
    return PLACE.sub(lambda match: str(values[match[1]]) if match[1] in values else match[0], text)


def with_labels(key: str, body: str) -> str:
    """Return a kept text with a word for each secret place, which was filled in only as it went out."""
    known = next((one for one in templates() if one.key == key), None)
    secret = {place.name: f"[{place.label}]" for place in known.places if place.secret} if known else {}
    return fill(body, secret) if secret else body


class MessageTextService(RecordService[MessageTextRow]):
    """Change the words of messages."""

    type_name = "message_texts"

    def put(self, key: str, locale: str, subject: str, body: str, *, version: int | None = None) -> None:
        """Keep the firm's own words; those that a message came with need no row."""
        row = _rows(self.session, key).get(locale)
        values = {"subject": subject, "body": body}
        if row is not None:
            self.update(row.id, values, version=version)
        else:
            self.create({"template": key, "locale": locale, **values})

    def check(self, record: MessageTextRow, changed: set[str]) -> None:
        """Refuse places that nothing would fill."""
        known = template(record.template)
        unknown = known.unknown_places(MessageText(subject=record.subject, body=record.body))
        if unknown:
            message = _(
                "Nothing can be filled in for {%(name)s}. Use these: %(known)s.",
                name=unknown[0],
                known=", ".join(f"{{{one}}}" for one in known.place_names),
            )
            where = "subject" if f"{{{unknown[0]}}}" in record.subject else "body"
            raise InvalidInput(message, fields={where: [message]})
        self.session.info.pop("message_texts", None)

    def saved(self, records: Sequence[MessageTextRow], action: str) -> None:
        """Forget what was read before."""
        self.session.info.pop("message_texts", None)

    def title_of(self, record: MessageTextRow) -> str:
        """Return the subject."""
        return record.subject


MESSAGE_TEXTS = register(
    RecordType(
        name="message_texts",
        singular="message_text",
        label=_l("text of a message"),
        plural=_l("Texts of messages"),
        icon="mail",
        model=MessageTextRow,
        service=MessageTextService,
        owner="",
        title="subject",
        default_sort="id",
        path="/settings/messages",
        searchable=False,
        importable=False,
        fields=(
            Field(key="template", label=_l("Message"), required=True),
            Field(key="locale", label=_l("Language"), required=True),
            Field(key="subject", label=_l("Subject"), required=True, max_length=200),
            Field(key="body", label=_l("Text"), kind="long_text", required=True, max_length=LONGEST),
        ),
    )
)
