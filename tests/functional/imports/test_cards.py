"""vCard files: their cards become rows, and go the way of all rows."""

import pytest
from sqlalchemy import select

from kehu.core.errors import InvalidInput
from kehu.customers.models import Contact, Customer
from kehu.imports.reader import RowReader, inspect_file

OWN = "\r\n".join(
    (
        "BEGIN:VCARD",
        "VERSION:3.0",
        "FN:Anna Lindqvist",
        "N:Lindqvist;Anna;;Dr.;",
        "ORG:Birch Joinery;Sales",
        "TITLE:Head of sales",
        "EMAIL;TYPE=home:anna@home.example",
        "EMAIL;TYPE=work,pref:anna@birch.example",
        "TEL;TYPE=CELL:+44 20 7946 0001",
        "item1.TEL:+44 20 7946 0002",
        "item1.X-ABLabel:_$!<Assistant>!$_",
        "TEL;TYPE=FAX:+44 20 7946 0003",
        "ADR;TYPE=WORK:;Yard 3;1 Mill Lane;Bath;Somerset;BA1 1AA;United Kingdom",
        "BDAY:19800322",
        "NICKNAME:Annie",
        "PHOTO;ENCODING=b;TYPE=JPEG:" + "A" * 40,
        " " + "A" * 70,
        "NOTE:A long note that goes",
        "  on in a second line\\, with a comma\\nand a new line.",
        "UID:urn:uuid:11111111-2222",
        "END:VCARD",
        "BEGIN:VCARD",
        "VERSION:2.1",
        "N;CHARSET=windows-1251;ENCODING=QUOTED-PRINTABLE:=C8=E2=E0=ED=EE=E2;=CF=B8=F2=F0",
        "TEL;CELL:+7 916 000-00-01",
        "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=9F=D1=80=",
        "=D0=B8=D0=B2=D0=B5=D1=82, C:\\new",
        "END:VCARD",
        "BEGIN:VCARD",
        "VERSION:4.0",
        "KIND:org",
        "FN:Cedar Ltd",
        'TEL;VALUE=uri;TYPE="work,voice":tel:+44-20-7946-0004;ext=12',
        "BDAY:--0203",
        "END:VCARD",
    )
)


def _rows(tmp_path, content, wishes=None):
    path = tmp_path / "cards.vcf"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    info = inspect_file(path, wishes)
    names = [column.name for column in info.columns]
    rows = list(RowReader(path, info.options))
    return (
        info,
        [{name: cell for name, cell in zip(names, row.cells, strict=True) if cell} for row in rows],
        rows,
    )


def test_cards_become_rows(tmp_path):
    info, (anna, peter, cedar), _raw = _rows(tmp_path, OWN)
    assert (info.options.kind, info.options.header) == ("vcf", True)
    assert anna == {
        "Name": "Anna Lindqvist",
        "Kind": "person",
        "Company": "Birch Joinery",
        "Department": "Sales",
        "Job title": "Head of sales",
        "E-mail": "anna@birch.example;anna@home.example",
        "Phone": "+44 20 7946 0001;+44 20 7946 0002",
        "Address: Street": "1 Mill Lane, Yard 3",
        "Address: Postcode": "BA1 1AA",
        "Address: City": "Bath",
        "Address: State or province": "Somerset",
        "Address: Country": "United Kingdom",
        "Date of birth": "1980-03-22",
        "Description": "A long note that goes on in a second line, with a comma\nand a new line.\n\n"
        "Fax: +44 20 7946 0003\nNickname: Annie",
        "Number elsewhere": "11111111-2222",
    }
    assert peter == {
        "Name": "Пётр Иванов",
        "Kind": "person",
        "Phone": "+7 916 000-00-01",
        "Description": "Привет, C:\\new",
    }
    assert cedar == {
        "Name": "Cedar Ltd",
        "Kind": "company",
        "Phone": "+44-20-7946-0004 ext 12",
        "Description": "Bday: --0203",
    }


def test_cards_come_in_as_contacts_of_their_firms_and_go_again(importer):
    job = importer.take("contacts", OWN, "phone.vcf")
    mapped = importer.columns(job)
    assert {mapped[name] for name in ("Company", "Job title", "E-mail", "Phone", "Date of birth")} == {
        "customer_id",
        "job_title",
        "emails",
        "phones",
        "born_on",
    }
    importer.change(job, missing={"customer_id": "create"})
    done = importer.run(job)
    assert (done.created_count, done.error_count) == (3, 0)
    with importer.shop.work() as session:
        anna = session.execute(select(Contact).where(Contact.name == "Anna Lindqvist")).scalar_one()
        firm = session.execute(select(Customer.name).where(Customer.id == anna.customer_id)).scalar_one()
        assert (firm, anna.emails[0]["address"], anna.external_id) == (
            "Birch Joinery",
            "anna@birch.example",
            "11111111-2222",
        )
    again = importer.run(importer.take("contacts", OWN, "phone.vcf"))
    assert (again.created_count, again.unchanged_count) == (0, 3)
    importer.undo(job)
    assert (importer.live("contacts"), importer.live("customers")) == (0, 0)


def test_cards_come_in_as_customers_with_their_addresses(importer):
    done = importer.run(importer.take("customers", OWN, "phone.vcf"))
    assert (done.created_count, done.error_count) == (3, 0)
    with importer.shop.work() as session:
        rows = {row.name: row for row in session.execute(select(Customer)).scalars()}
        assert {name: row.kind for name, row in rows.items()} == {
            "Anna Lindqvist": "person",
            "Пётр Иванов": "person",
            "Cedar Ltd": "company",
        }
        assert rows["Anna Lindqvist"].addresses[0]["city"] == "Bath"


def test_what_is_wrong_with_a_card_names_its_line_and_spares_the_others(importer):
    text = (
        "BEGIN:VCARD\nVERSION:3.0\nFN:Whole\nEMAIL:whole@example.com\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:Stray\nNOTE:one\nno line of a card\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:Cut off\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:Also whole\nEND:VCARD\n"
    )
    job = importer.take("contacts", text, "cards.vcf")
    done = importer.run(job)
    assert (done.created_count, done.error_count) == (2, 2)
    stray, cut = importer.refused(job)
    assert (stray.row, cut.row) == (2, 3)
    assert "Line 10 is no line of a card: “no line of a card”. Correct it" in stray.errors[""]
    assert "FN:Stray" in "\n".join(stray.cells)
    assert "The card that begins in line 12 has no end" in cut.errors[""]


def test_a_card_of_a_kind_within_a_card_is_no_card_of_its_own(tmp_path):
    text = (
        "BEGIN:VCARD\nVERSION:2.1\nN:Boss;Ann\nAGENT:\nBEGIN:VCARD\nVERSION:2.1\nN:Aide;Ben\nEND:VCARD\n"
        "TEL:+44 20 7946 0005\nEND:VCARD\n"
    )
    _info, found, _raw = _rows(tmp_path, text)
    assert [(one["Name"], one["Phone"]) for one in found] == [("Ann Boss", "+44 20 7946 0005")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1251"])
def test_files_in_other_encodings(tmp_path, encoding):
    text = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Общество с ограниченной ответственностью\r\nEND:VCARD\r\n"
    _info, found, _raw = _rows(tmp_path, text.encode(encoding))
    assert found[0]["Name"] == "Общество с ограниченной ответственностью"


def test_lines_with_a_charset_of_their_own(tmp_path):
    head, tail = b"BEGIN:VCARD\r\nVERSION:2.1\r\nFN;CHARSET=", b"\r\nEND:VCARD\r\n"
    lines = (b"koi8-r:" + "Пётр Иванов".encode("koi8-r"), b"UTF-8:" + "Анна Петрова".encode())
    _info, found, _raw = _rows(tmp_path, b"".join(head + line + tail for line in lines))
    assert [one["Name"] for one in found] == ["Пётр Иванов", "Анна Петрова"]


def test_a_picture_of_megabytes_costs_nothing(tmp_path):
    photo = "PHOTO;ENCODING=b:" + "A" * 3_000_000 + "\n" + (" " + "B" * 74 + "\n") * 20_000
    _info, found, _raw = _rows(tmp_path, f"BEGIN:VCARD\nVERSION:3.0\nFN:Ann\n{photo}TEL:1234567\nEND:VCARD\n")
    assert found == [{"Name": "Ann", "Kind": "person", "Phone": "1234567"}]


def test_a_line_without_end_is_refused_with_its_number(tmp_path):
    with pytest.raises(InvalidInput) as error:
        _rows(tmp_path, "BEGIN:VCARD\nVERSION:3.0\nNOTE:a\n" + (" " + "b" * 900 + "\n") * 300 + "END:VCARD\n")
    assert "Line 2" in str(error.value.message)


def test_cards_of_real_programs(importer, shared_data):
    folder = shared_data / "vcards"
    counts = {}
    for path in sorted(folder.glob("*.vcf")):
        job = importer.take("contacts", path, path.name)
        importer.change(job, missing={"customer_id": "create"}, keys=[], bad="leave")
        done = importer.run(job)
        counts[path.name] = (done.created_count, [list(row.errors.values()) for row in importer.refused(job)])
    broken = counts.pop("John_Doe_ANDROID.vcf")
    assert broken[0] == 5, broken
    assert "Line 81 is not in the encoding that it names (UTF-8)" in broken[1][0][0]
    assert counts == {
        "John_Doe_GMAIL.vcf": (1, []),
        "John_Doe_IPHONE.vcf": (1, []),
        "John_Doe_MS_OUTLOOK.vcf": (1, []),
        "fullcontact.vcf": (1, []),
        "gmail-list.vcf": (3, []),
        "gmail-single.vcf": (1, []),
        "outlook-2007.vcf": (1, []),
        "rfc2426-example.vcf": (2, []),
        "rfc6350-example.vcf": (1, []),
    }


def test_the_page_of_cards_asks_for_the_encoding_only(importer, shop):
    job = importer.take("contacts", OWN, "phone.vcf")
    client = shop.client()
    page = client.get(f"/imports/{job}").text
    assert 'name="encoding"' in page
    assert 'name="delimiter"' not in page
    assert 'name="top"' not in page
    client.post(f"/imports/{job}/read", data={"encoding": "utf-8"})
    assert importer.read(job).total_rows == 3
