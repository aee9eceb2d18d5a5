"""Documents as senders write them, one for each dialect of AUTOMOTIVE.md 3, with what they mean."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from email.message import EmailMessage

MAIL = "ann.lee@example.com"
PHONE = "+13939993922"
CONTACT = (
    '<customer><contact><name part="first">Ann</name><name part="last">Lee</name>'
    "<email>Ann.Lee@Example.com</email></contact></customer>"
)
GOLF = '<vehicle interest="buy" status="used"><year>2021</year><make>VW</make><model>Golf</model></vehicle>'
POLO = '<vehicle interest="buy" status="new"><year>2026</year><make>VW</make><model>Polo</model></vehicle>'
OLD = (
    '<vehicle interest="trade-in" status="used"><year>2009</year><make>Ford</make><model>Focus</model>'
    '<odometer units="km">180000</odometer></vehicle>'
)
Meant = tuple[str, str, str, list[str]]
ANN: Meant = ("Ann Lee", MAIL, "2021 VW Golf", [])


def document(*parts: str, head: str = '<?xml version="1.0"?><?adf version="1.0"?>') -> str:
    """Return a document with one prospect of these parts."""
    return f"{head}<adf><prospect>{''.join(parts)}</prospect></adf>"


@dataclass(frozen=True)
class Dialect:
    """A way to write ADF: the bytes, whom and what they mean, and which repairs must be named."""

    name: str
    written: str | bytes
    people: tuple[Meant, ...] = (ANN,)
    repairs: tuple[str, ...] = ()
    charset: str = ""
    raw: bytes = field(init=False)

    def __post_init__(self) -> None:
        written = self.written
        object.__setattr__(self, "raw", written if isinstance(written, bytes) else written.encode())


PLAIN = document(GOLF, CONTACT)
UPPER = (
    "<ADF><PROSPECT STATUS='NEW'><VEHICLE INTEREST='BUY'><YEAR>2021</YEAR><MAKE>VW</MAKE><MODEL>Golf</MODEL></VEHICLE>"
    "<CUSTOMER><CONTACT><NAME PART='FIRST'>Ann</NAME><NAME PART='LAST'>Lee</NAME><EMAIL>ANN.LEE@EXAMPLE.COM</EMAIL>"
    "</CONTACT></CUSTOMER></PROSPECT></ADF>"
)
PREFIXED = (
    '<adf:adf><adf:prospect><adf:vehicle interest="buy"><adf:year>2021</adf:year><adf:make>VW</adf:make>'
    '<adf:model>Golf</adf:model></adf:vehicle><adf:customer><adf:contact><adf:name part="full">Ann Lee</adf:name>'
    "<adf:email>ann.lee@example.com</adf:email></adf:contact></adf:customer></adf:prospect></adf:adf>"
)
PHONES = "".join(
    f'<phone type="{kind}">{number}</phone>'
    for kind, number in (
        ("fax", "393-999-1111"), ("cell", "393-999-3922"), ("mobile", "393-999-3923"), ("home", "393-999-3924"),
        ("work", "393-999-3925"),
    )
)  # fmt: skip
XXE = (
    '<?xml version="1.0"?><!DOCTYPE adf [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
    f"<adf><prospect>{GOLF}{CONTACT}<comments>&secret;</comments></prospect></adf>"
)
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE adf [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    f"<adf><prospect>{GOLF}{CONTACT}<comments>&b;</comments></prospect></adf>"
)
FACTS = "<comments><![CDATA[Budget: 20000\nOpt-in: yes\nIncome: 50-75k\nI like it & want it]]></comments>"
WHOLE_NAME = CONTACT.replace('part="first">Ann</name><name part="last">Lee', ">Ann Lee")
WIFE = CONTACT.replace("Ann<", "Bob<").replace("Ann.Lee", "bob.lee")

DIALECTS = (
    Dialect("plain", PLAIN),
    Dialect("upper case", UPPER, repairs=("case",)),
    Dialect(
        "capitalised",
        UPPER.title().replace("Ann.Lee@Example.Com", MAIL).replace("Vw", "VW"),
        repairs=("case",),
    ),
    Dialect(
        "namespace declared",
        PREFIXED.replace("<adf:adf", '<adf:adf xmlns:adf="urn:adf"'),
        repairs=("namespace",),
    ),
    Dialect("namespace undeclared", PREFIXED, repairs=("namespace",)),
    Dialect("no wrapper", f"<prospect>{GOLF}{CONTACT}</prospect>", repairs=("wrapper",)),
    Dialect(
        "two prospects, no wrapper",
        f"<prospect>{GOLF}{CONTACT}</prospect><prospect>{POLO}{WIFE}</prospect>",
        people=(ANN, ("Bob Lee", "bob.lee@example.com", "2026 VW Polo", [])),
    ),
    Dialect(
        "processing instruction first",
        document(GOLF, CONTACT, head='<?ADF VERSION "1.0"?><?xml version="1.0"?>'),
        repairs=("declaration",),
    ),
    Dialect(
        "processing instruction after",
        document(GOLF, CONTACT, head='<?xml version="1.0"?>\n<?ADF VERSION "1.0"?>'),
    ),
    Dialect("no declaration", document(GOLF, CONTACT, head="")),
    Dialect("blank lines first", "\n\n" + PLAIN),
    Dialect("byte order mark", "\ufeff" + PLAIN),
    Dialect("UTF-16", PLAIN.encode("utf-16")),
    Dialect(
        "phone types",
        document(GOLF, f'<customer><contact><name part="full">Ann Lee</name>{PHONES}</contact></customer>'),
        people=(("Ann Lee", PHONE, "2021 VW Golf", []),),
    ),
    Dialect("surname", document(GOLF, CONTACT.replace('part="last"', 'part="surname"'))),
    Dialect("whole name, no part", document(GOLF, WHOLE_NAME)),
    Dialect("trade-in first", document(OLD, GOLF, CONTACT), people=((*ANN[:3], ["2009 Ford Focus"]),)),
    Dialect(
        "trade-in as sell",
        document(OLD.replace("trade-in", "sell"), GOLF, CONTACT),
        people=((*ANN[:3], ["2009 Ford Focus"]),),
    ),
    Dialect(
        "trade-in as Trade In",
        document(OLD.replace("trade-in", "Trade In"), GOLF, CONTACT),
        people=((*ANN[:3], ["2009 Ford Focus"]),),
    ),
    Dialect("trade-in alone", document(OLD, CONTACT), people=(("Ann Lee", MAIL, "", ["2009 Ford Focus"]),)),
    Dialect("several wanted", document(GOLF, POLO, CONTACT)),
    Dialect("interest missing", document(GOLF.replace(' interest="buy"', ""), CONTACT)),
    Dialect(
        "empty year and make",
        document(GOLF.replace("2021", "").replace("VW", ""), CONTACT),
        people=(("Ann Lee", MAIL, "Golf", []),),
    ),
    Dialect(
        "empty car first", document('<vehicle interest="buy"><year/><make></make></vehicle>', GOLF, CONTACT)
    ),
    Dialect(
        "in an HTML mail",
        f"<html><body><p>New lead</p><pre>{html.escape(PLAIN)}</pre></body></html>",
        repairs=("found_inside",),
    ),
    Dialect(
        "in a plain mail",
        f"Hello,\nthis came in:\n{PLAIN}\n-- \nYour portal & friends",
        repairs=("found_inside",),
    ),
    Dialect(
        "bare ampersand",
        document(GOLF, CONTACT, "<comments>Cash & trade &nbsp; soon, R&D</comments>"),
        repairs=("ampersand",),
    ),
    Dialect("key and value in CDATA", document(GOLF, CONTACT, FACTS)),
    Dialect(
        "typographic quotes",
        PLAIN.replace('interest="buy" status="used"', "interest=\u201cbuy\u201d status=\u201cused\u201d"),
        repairs=("quotes",),
    ),
    Dialect("unquoted attribute", PLAIN.replace('interest="buy"', "interest=buy"), repairs=("tags",)),
    Dialect("tags that do not match", PLAIN.replace("</model>", ""), repairs=("tags",)),
    Dialect("cut off", PLAIN[: PLAIN.index("</contact>")], repairs=("tags",)),
    Dialect("external entity", XXE, repairs=("doctype",)),
    Dialect("entities that grow", BOMB, repairs=("doctype",)),
    Dialect("control characters", PLAIN.replace("Golf", "Go\x0blf"), repairs=("control",)),
    Dialect(
        "two prospects",
        f"<adf><prospect>{GOLF}{CONTACT}</prospect><prospect>{OLD}{POLO}{WIFE}</prospect></adf>",
        people=(ANN, ("Bob Lee", "bob.lee@example.com", "2026 VW Polo", ["2009 Ford Focus"])),
    ),
    Dialect("no vendor", PLAIN),
    Dialect("resend", PLAIN.replace("<prospect>", '<prospect status="resend"><id sequence="1">77</id>')),
    Dialect(
        "miles",
        document(GOLF.replace("</model>", '</model><odometer units="miles">60,000</odometer>'), CONTACT),
    ),
    Dialect(
        "number in comments",
        document(
            GOLF,
            '<customer><contact><name part="full">Ann Lee</name></contact></customer>',
            "<comments>please ring 393-999-3922</comments>",
        ),
        people=(("Ann Lee", PHONE, "2021 VW Golf", []),),
        repairs=("reach_from_comments",),
    ),
    Dialect(
        "Cyrillic in cp1251",
        document(
            GOLF,
            CONTACT.replace("Ann<", "Анна<").replace(">Lee<", ">Ли<"),
            head='<?xml version="1.0" encoding="windows-1251"?>',
        ).encode("cp1251"),
        people=(("Анна Ли", MAIL, "2021 VW Golf", []),),
    ),
    Dialect(
        "Chinese in GB18030",
        document(GOLF, CONTACT.replace("Ann</name>", "伟</name>").replace(">Lee<", ">王<")).encode("gb18030"),
        people=(("伟 王", MAIL, "2021 VW Golf", []),),
        charset="gb18030",
    ),
    Dialect(
        "encoding that is not so",
        document(GOLF, CONTACT.replace("Ann<", "Zoë<")).encode("cp1252"),
        people=(("Zoë Lee", MAIL, "2021 VW Golf", []),),
        repairs=("encoding",),
    ),
)


def mail_of(body: str, kind: str = "plain", **more: str) -> EmailMessage:
    """Return a mail of a portal."""
    made = EmailMessage()
    made["From"] = "Portal <leads@portal.example>"
    made["To"] = "leads@dealer.example"
    made["Subject"] = "New lead"
    made["Message-ID"] = "<17@portal.example>"
    made.set_content(body, subtype=kind, **more)
    return made
