"""ADF as senders write it: each dialect gives the right person and the right wanted car (AUTOMOTIVE.md 3)."""

from __future__ import annotations

import datetime as dt
import html
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from plugins_builtin.automotive.leads import adf, mails, normal
from plugins_builtin.automotive.leads.adf import Prospect, Unreadable, read
from tests.unit.automotive.adf_dialects import DIALECTS, PLAIN, Dialect, mail_of

ZONE = ZoneInfo("Europe/London")


@pytest.fixture
def shared() -> Path:
    """The folder with documents that others wrote."""
    folders = (up / "shared/data/adf-leads" for up in Path(__file__).resolve().parents)
    folder = next((one for one in folders if one.is_dir()), None)
    if folder is None:
        pytest.skip("the folder ../shared/data/adf-leads is not on this machine")
    return folder


@pytest.mark.parametrize("case", DIALECTS, ids=lambda case: case.name)
def test_each_dialect_gives_person_and_car(case: Dialect) -> None:
    prospects = read(case.raw, case.charset)
    assert len(prospects) == len(case.people)
    for one, (name, reach, wanted, traded) in zip(prospects, case.people, strict=True):
        person, mended = normal.person_of(one, "US")
        assert person.name == name
        assert reach in (*person.emails, *person.numbers)
        assert (one.wanted[0].name if one.wanted else "") == wanted
        assert [car.name for car in one.trade_ins] == traded
        assert set(case.repairs) <= {*one.repairs, *mended}
    if not case.repairs:
        assert not prospects[0].repairs


def test_the_shared_set(shared: Path) -> None:
    files = sorted(shared.glob("*.xml"))
    assert files
    for file in files:
        (one,) = read(file.read_bytes())
        person, _mended = normal.person_of(one, "US")
        assert person.name == "John Doe"
        assert one.wanted[0].name.startswith("1999 Chevrolet Blazer")
        assert person.numbers[0] == ("+13939912999" if file.stem.startswith("full") else "+13939993922")
        assert not one.repairs


def test_the_full_example_and_its_traps(shared: Path) -> None:
    (one,) = read((shared / "full_spec_example.xml").read_bytes())
    car = one.wanted[0]
    assert (one.provider, one.preferred, one.timeframe) == ("CarPoint", "phone", "Within 1 month")
    assert (car.km, car.odometer, car.price, car.currency) == (144_841, "90000 miles", "26995", "USD")
    assert car.details["colours"].startswith("cobalt blue")
    assert car.details["finance monthly"] == "1000 USD"
    person, mended = normal.person_of(one, "GB")
    assert mended == ["country"]
    assert person.address["postcode"] == "98002-3903"
    assert "country" not in person.address
    assert [phone["label"] for phone in person.phones] == ["", "", "fax"]
    assert person.numbers == ["+13939912999", "+13939993922"]
    assert normal.doubts(one.wanted) == [
        {"code": "vin_year", "vin": "2GTEK19R7V1511644", "by_vin": 1997, "written": 1999}
    ]
    moment, _mended = normal.requested_at(one.requested, ZONE)
    assert moment == dt.datetime(2000, 3, 30, 23, 30, 20, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"<adf></adf>", "no_prospect"),
        (b"<adf><customer/></adf>", "no_prospect"),
        (b"Dear all, please find our price list attached.", "not_adf"),
        (b"", "not_adf"),
        (b"\x00\x01\xff", "not_adf"),
        (b"<html><body>Hello</body></html>", "not_adf"),
        (b"<adf>" + b"<prospect/>" * 51 + b"</adf>", "too_many"),
        (b"<adf>" + b" " * 300 * 1024 + b"</adf>", "too_large"),
        (b"<prospect>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</prospect>", "unreadable"),
    ],
)
def test_what_is_no_lead_is_named(raw: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(raw)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("written", "iso", "mended"),
    [
        ("2026-11-29T10:00:00Z", "2026-11-29T10:00:00+00:00", []),
        ("2026-11-29T10:00:00-08:00", "2026-11-29T18:00:00+00:00", []),
        ("2026-11-29T10:00:00-08:0", "2026-11-29T18:00:00+00:00", ["date_zone"]),
        ("2026-07-29 10:00", "2026-07-29T09:00:00+00:00", ["date_zone"]),
        ("07/04/2026 5:04 PM", "2026-07-04T16:04:00+00:00", ["date_form"]),
        ("11/29/26", "2026-11-29T00:00:00+00:00", ["date_form"]),
        ("29/11/2026 12:30 AM", "2026-11-29T00:30:00+00:00", ["date_form"]),
        ("2026-13-45", None, ["date_unreadable"]),
        ("2026-11-29T10:00:00+99:00", None, ["date_unreadable"]),
        ("yesterday", None, ["date_unreadable"]),
        ("", None, []),
    ],
)
def test_moments(written: str, iso: str | None, mended: list[str]) -> None:
    moment, found = normal.requested_at(written, ZONE)
    assert (moment.isoformat() if moment else None, found) == (iso, mended)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("John Doe", "john doe", True),
        ("J. Doe", "John Doe", True),
        ("Doe John", "John Doe", True),
        ("John Doe", "John A. Doe", True),
        ("Jane Doe", "John Doe", False),
        ("王伟", "王伟", True),
        ("王芳", "王伟", False),
        ("Иванов Пётр", "Пётр Иванов", True),
        ("José Núñez", "Jose Nunez", True),
        ("", "John Doe", True),
    ],
)
def test_one_person_or_two(one: str, other: str, same: bool) -> None:
    assert normal.same_person(one, other) is same


def test_a_number_in_the_comments_alone_is_found() -> None:
    person, mended = normal.person_of(
        Prospect(full="Ann Lee", comments="Call me on 020 7946 0958 please, or ann@example.com!"), "GB"
    )
    assert person.numbers == ["+442079460958"]
    assert person.emails == ["ann@example.com"]
    assert mended == ["reach_from_comments"]


def test_what_can_not_be_used_is_told() -> None:
    person, _mended = normal.person_of(
        Prospect(full="Ann", emails=["nobody"], phones=[adf.Phone("12")]), "GB"
    )
    assert not person.reachable
    assert person.unusable == ["nobody", "12"]


@pytest.mark.parametrize(
    ("vin", "year"),
    [
        ("2GTEK19R7V1511644", 1997),
        ("1HGCM82633A004352", 2003),
        ("1C4RJFAG5FC625797", 2015),
        ("WVWZZZ1JZXW000001", None),
    ],
)
def test_the_year_in_a_vin(vin: str, year: int | None) -> None:
    assert normal.model_year(vin) == year


@pytest.mark.parametrize("form", ["text", "page", "attachment", "forwarded", "quoted-printable"])
def test_mails_hold_it_in_many_ways(form: str) -> None:
    page = f"<html><body><p>Lead</p><pre>{html.escape(PLAIN)}</pre></body></html>"
    mail = mail_of("See the attachment." if form in ("attachment", "forwarded") else PLAIN)
    if form == "page":
        mail = mail_of(page, "html")
    elif form == "attachment":
        mail.add_attachment(PLAIN.encode(), maintype="application", subtype="x-adf+xml", filename="lead.xml")
    elif form == "forwarded":
        mail.add_attachment(mail_of(PLAIN))
    elif form == "quoted-printable":
        mail = mail_of(PLAIN, cte="quoted-printable")
    raw = mail.as_bytes()
    assert mails.is_mail(raw, "")
    assert mails.headers(raw) == ("<17@portal.example>", "leads@portal.example")
    (one,) = mails.read(raw)
    assert (one.name, one.wanted[0].name) == ("Ann Lee", "2021 VW Golf")


@pytest.mark.parametrize("code", ["undefined", "punycode", "idna", "zlib", "no-such"])
def test_no_code_that_a_sender_names_breaks_the_reading(code: str) -> None:
    body = (
        PLAIN.replace('version="1.0"?>', f'version="1.0" encoding="{code}"?>', 1)
        .replace("Lee", "L\xe9e")
        .encode()
    )
    assert adf.read(body, code)[0].wanted[0].name == "2021 VW Golf"
    for head in (
        f"Content-Type: text/xml; charset={code}",
        f"Content-Type: text/xml; name*={code}''a%20b.xml",
    ):
        raw = f"From: a@[\nMessage-ID: <a@[\n{head}\n\n".encode() + body
        assert mails.headers(raw)[0] == "<a@["
        assert mails.read(raw)[0].wanted[0].name == "2021 VW Golf"


def test_parts_within_parts_come_to_an_end() -> None:
    with pytest.raises(Unreadable):
        mails.read(b"Content-Type: message/rfc822\n\n" * 5000)


def test_a_mail_without_a_lead_is_named() -> None:
    with pytest.raises(Unreadable) as refused:
        mails.read(mail_of("Out of office").as_bytes())
    assert refused.value.code == "not_adf"
    assert not mails.is_mail(PLAIN.encode(), "text/xml")
