"""What can be done with opening hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import inspect, select, update

from kehu.calendars import holidays
from kehu.calendars.models import Calendar, CalendarDay
from kehu.calendars.queries import forget
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.records.service import RecordService


class CalendarService(RecordService[Calendar]):
    """Write opening hours; one calendar holds for the whole firm."""

    type_name = "calendars"

    def defaults(self) -> dict[str, Any]:
        """The first calendar is the firm's."""
        known = self.session.execute(
            select(Calendar.id).where(Calendar.deleted_at.is_(None)).limit(1)
        ).first()
        return {"is_default": known is None}

    def of_the_firm(self) -> Calendar:
        """Return the calendar of the whole firm.

        :raises Conflict: when the firm has not said its hours yet.
        """
        statement = select(Calendar).where(Calendar.is_default, Calendar.deleted_at.is_(None)).limit(1)
        found = self.session.execute(statement).scalar_one_or_none()
        if found is None:
            raise Conflict(_("Set the firm's opening hours first, under Settings."))
        return found

    def check(self, record: Calendar, changed: set[str]) -> None:
        """Refuse to leave the firm without hours."""
        if "is_default" in changed and not record.is_default and inspect(record).persistent:
            message = _("The firm needs opening hours. Let other ones hold for the whole firm first.")
            raise InvalidInput(message, fields={"is_default": [message]})

    def saved(self, records: Sequence[Calendar], action: str) -> None:
        """Let only one calendar be the firm's, and never trash it."""
        if action == "trashed" and any(record.is_default for record in records):
            raise Conflict(
                _("These hours hold for the whole firm. Let other ones do so first, then try again.")
            )
        chosen = [record.id for record in records if record.is_default]
        if chosen:
            self.session.execute(
                update(Calendar)
                .where(Calendar.tenant_id == self.tenant.id, Calendar.is_default, Calendar.id != chosen[-1])
                .values(is_default=False)
                .execution_options(synchronize_session=False)
            )
        forget(self.session)

    def search_texts(self, record: Calendar) -> Iterable[tuple[str, str]]:
        """Nobody searches for hours."""
        return ()


class CalendarDayService(RecordService[CalendarDay]):
    """Write holidays and days with other hours."""

    type_name = "calendar_days"

    def defaults(self) -> dict[str, Any]:
        """A day belongs to the hours of the whole firm, unless others are named."""
        return {"calendar_id": CalendarService(self.session, self.actor).of_the_firm().id}

    def check(self, record: CalendarDay, changed: set[str]) -> None:
        """Refuse a second entry for a day."""
        if "day" in changed or "calendar_id" in changed:
            self._refuse_twice(record)

    def restore(self, record_id: object) -> CalendarDay:
        """Take a day out of the trash, unless another entry stands on it."""
        self._refuse_twice(self.get(record_id, action="delete", trashed=True))
        return super().restore(record_id)

    def saved(self, records: Sequence[CalendarDay], action: str) -> None:
        """Let the hours be read anew."""
        forget(self.session)

    def search_texts(self, record: CalendarDay) -> Iterable[tuple[str, str]]:
        """Nobody searches for days."""
        return ()

    def add_public(self, calendar_id: object, country: str, year: int, locale: str) -> int:
        """Add the public holidays of a country and year, closed, and return how many were new."""
        calendar = CalendarService(self.session).get(calendar_id, action="write")
        known = set(
            self.session.execute(
                select(CalendarDay.day).where(
                    CalendarDay.calendar_id == calendar.id, CalendarDay.deleted_at.is_(None)
                )
            ).scalars()
        )
        wanted: Mapping[date, str] = holidays.public(country, year, locale)
        rows = [
            {"calendar_id": calendar.id, "day": day, "name": name[:200]}
            for day, name in sorted(wanted.items())
            if day not in known
        ]
        self.create_many(rows)
        return len(rows)

    def _refuse_twice(self, record: CalendarDay) -> None:
        statement = select(CalendarDay.name).where(
            CalendarDay.calendar_id == record.calendar_id,
            CalendarDay.day == record.day,
            CalendarDay.deleted_at.is_(None),
            CalendarDay.id != record.id,
        )
        with self.session.no_autoflush:
            name = self.session.execute(statement).scalar()
        if name is not None:
            message = _("This day has hours of its own already: “%(name)s”. Change that one.", name=name)
            raise InvalidInput(message, fields={"day": [message]})
