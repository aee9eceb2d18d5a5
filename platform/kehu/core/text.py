"""Normalised forms of names, mails and phones, for comparing and searching."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from kehu.core.errors import InvalidInput
from kehu.core.i18n import _

_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ufeff]")
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SEEN = re.compile("[^\\s\u00ad\u115f\u1160\u200b-\u200d\u2060-\u2064\u3164\ufe00-\ufe0f\uffa0]")
_MAIL = re.compile(r"[^@\s,;<>\"']+@[^@\s.,;<>\"']+(\.[^@\s.,;<>\"']+)+")


def clean(value: str, *, lines: bool = False) -> str:
    """Return a text as it is kept: NFC, without control characters, lone surrogates and outer space.

    One of which nothing could be seen is empty.

    :param lines: keep line breaks; otherwise each run of white space becomes one space.
    """
    value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    value = unicodedata.normalize("NFC", _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n")))
    if not _SEEN.search(value):
        return ""
    if lines:
        return value.strip()
    return _SPACE.sub(" ", _BIDI.sub("", value)).strip()


def fold(value: str) -> str:
    """Return a text without case, accents and width: the form in which names are compared."""
    decomposed = unicodedata.normalize("NFKD", value.casefold())
    bare = "".join(ch for ch in decomposed if not unicodedata.combining(ch))
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", bare)).strip()


def normal_email(value: str) -> str:
    """Return an e-mail address in the form in which it is compared."""
    return unicodedata.normalize("NFKC", value).strip().casefold()


def check_email(value: str) -> str:
    """Return an e-mail address as it is kept.

    :raises InvalidInput: when it can't be one.
    """
    value = clean(value)
    if len(value) > 254 or not _MAIL.fullmatch(value):
        raise InvalidInput(
            _("“%(value)s” is no e-mail address; write it as name@example.com.", value=value[:80])
        )
    return value


def normal_phone(value: str, country: str = "") -> str:
    """Return a phone number as E.164 (`+442079464410`).

    :param country: ISO 3166 code by which numbers without country code are read.
    :raises InvalidInput: when it can't be a phone number.
    """
    text = clean(value)
    try:
        number = phonenumbers.parse(text, country.upper() or None)
    except phonenumbers.NumberParseException as error:
        raise InvalidInput(
            _(
                "“%(value)s” is no phone number; write it with country code, as +44 20 7946 4410.",
                value=text[:80],
            )
        ) from error
    if not phonenumbers.is_possible_number(number):
        raise InvalidInput(
            _("“%(value)s” has too many or too few digits for a phone number.", value=text[:80])
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def show_phone(e164: str) -> str:
    """Return an E.164 number as people write it."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
