"""iCalendar files: their events and tasks become rows, and then activities."""

import datetime as dt

import pytest
from sqlalchemy import select

from kehu.activities.models import Activity
from kehu.core.errors import KehuError
from kehu.imports.reader import RowReader, file_kind, inspect_file

OWN = "\r\n".join(
    (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "BEGIN:VTIMEZONE",
        "TZID:Desk",
        "BEGIN:STANDARD",
        "DTSTART:20200101T000000",
        "TZOFFSETFROM:+0300",
        "TZOFFSETTO:+0300",
        "END:STANDARD",
        "END:VTIMEZONE",
        "BEGIN:VEVENT",
        "UID:1@example.com",
        "SUMMARY:Test drive\\, the blue one",
        "DTSTART;TZID=Desk:20260302T120000",
        "DTEND;TZID=Desk:20260302T124500",
        "LOCATION:Yard 3",
        "RRULE:FREQ=WEEKLY;BYDAY=MO",
        "DESCRIPTION:A long text that is",
        "  folded",
        "ATTENDEE:mailto:anna@birch.example",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT5M",
        "DESCRIPTION:An alarm",
        "END:VALARM",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "SUMMARY:Fair",
        "DTSTART;VALUE=DATE:20260501",
        "END:VEVENT",
        "BEGIN:VTODO",
        "SUMMARY:Send the offer",
        "DUE:20260310T090000Z",
        "COMPLETED:20260309T080000Z",
        "END:VTODO",
        "BEGIN:VEVENT",
        "SUMMARY:Broken",
        "DTSTART:SOON",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "SUMMARY:Cut off",
        "",
    )
)


def test_events_come_in_as_activities_and_go_again(importer):
    job = importer.take("activities", OWN, "desk.ics")
    assert list(importer.columns(job).values()) == ["subject", "kind", "due_at", "done_at", "minutes", "body"]
    done = importer.run(job)
    assert (done.created_count, done.error_count) == (3, 2)
    with importer.shop.work() as session:
        found = {row.subject: row for row in session.execute(select(Activity)).scalars()}
        drive, offer = found["Test drive, the blue one"], found["Send the offer"]
        assert (drive.kind, drive.minutes) == ("meeting", 45)
        assert drive.due_at == dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
        assert drive.body == (
            "A long text that is folded\nLocation: Yard 3\nRepeats: FREQ=WEEKLY;BYDAY=MO\n"
            "With: anna@birch.example"
        )
        assert (offer.kind, offer.done_at) == ("task", dt.datetime(2026, 3, 9, 8, tzinfo=dt.UTC))
        assert found["Fair"].due_at.astimezone(importer.shop.tenant.tz).date() == dt.date(2026, 5, 1)
    broken, cut = importer.refused(job)
    assert (broken.row, cut.row) == (4, 5)
    assert "begins in line 36 this can't be read: DTSTART" in broken.errors[""]
    assert "DTSTART:SOON" in broken.cells[-1]
    assert "begins in line 40 has no end" in cut.errors[""]
    again = importer.run(importer.take("activities", OWN, "desk.ics"))
    assert (again.created_count, again.unchanged_count) == (0, 3)
    importer.undo(job)
    assert importer.live("activities") == 0


@pytest.mark.filterwarnings("ignore:.*globally unique TZID")
def test_calendars_of_other_people(shared_data):
    read = refused = 0
    for path in sorted((shared_data / "icalendar").glob("*.ics")):
        try:
            if file_kind(path) != "ics":
                continue
            info = inspect_file(path)
        except KehuError as error:
            assert "no rows" in str(error.message), path.name
            continue
        for row in RowReader(path, info.options):
            read += 1
            refused += bool(row.problem)
            assert not row.problem or "line " in row.problem
    assert read > 50
    assert refused < 8
