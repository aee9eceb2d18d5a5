"""The composer of a record's page: a note, a call, a task … in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kehu.core import context
from kehu.core.i18n import _
from kehu.timeline.queries import Subject
from kehu.web.records.once import new_key


@dataclass(frozen=True, kw_only=True)
class Composer:
    """What the composer shows.

    :param people: contacts that a call may have been with.
    :param text: the draft, or what was typed before an error.
    """

    subject: Subject
    people: Sequence[Any] = ()
    text: str = ""
    mode: str = "note"
    error: str = ""
    values: dict[str, str] = field(default_factory=dict)
    key: str = field(default_factory=new_key)

    @property
    def allowed(self) -> bool:
        """Whether the reader may write activities."""
        return context.actor().may("activities:write")

    @property
    def people_options(self) -> list[tuple[str, str]]:
        """The contacts to choose from."""
        return [(str(row.id), row.title) for row in self.people]

    @property
    def draft(self) -> str:
        """The key under which the text is kept."""
        return f"{self.subject.object}-{self.subject.record_id}"

    @property
    def modes(self) -> list[dict[str, str]]:
        """The kinds to choose from, with their buttons and keys."""
        return [
            _mode("note", _("Note"), "note", _("Save note"), "n"),
            _mode(
                "call",
                _("Call"),
                "phone",
                _("Log call"),
                "p",
                _("What was said is kept as a call that is done."),
            ),
            _mode("task", _("Task"), "square-check", _("Add task"), "t"),
            _mode(
                "mail",
                _("Mail"),
                "mail",
                _("Log mail"),
                "m",
                _("Nothing is sent; this keeps what was written."),
            ),
            _mode(
                "meeting",
                _("Meeting"),
                "calendar-event",
                _("Save meeting"),
                "",
                _("With a time it is planned, without one it is done."),
            ),
            _mode(
                "visit",
                _("Visit"),
                "map-pin",
                _("Save visit"),
                "",
                _("With a time it is planned, without one it is done."),
            ),
        ]


def _mode(value: str, label: str, icon: str, submit: str, key: str, help_text: str = "") -> dict[str, str]:
    mode = {"value": value, "label": label, "icon": icon, "submit": submit, "help": help_text}
    return {**mode, "key": key} if key else mode
