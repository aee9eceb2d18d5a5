"""Tax ids by country: what they look like, and what Stripe calls their kind."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kehu.core.i18n import _

PENDING, VERIFIED, UNVERIFIED, INVALID, UNAVAILABLE = (
    "pending",
    "verified",
    "unverified",
    "invalid",
    "unavailable",
)
"""Being checked; exists; does not exist as far as the register says; refused for its form; nobody can check it."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a country writes its tax ids.

    :param kind: as Stripe names it.
    :param pattern: of the id without blanks, dots and dashes.
    """

    kind: str
    pattern: str
    example: str


def _vat(prefix: str, rest: str, example: str) -> Form:
    return Form(kind="eu_vat", pattern=prefix + rest, example=prefix + example)


# Forms of the EU: https://taxation-customs.ec.europa.eu (VIES, question 11), looked at in November 2026. Kinds:
# https://docs.stripe.com/billing/customer/tax-ids#supported-tax-id.
FORMS = {
    "AT": _vat("AT", r"U\d{8}", "U12345678"),
    "BE": _vat("BE", r"[01]\d{9}", "0123456789"),
    "BG": _vat("BG", r"\d{9,10}", "0123456789"),
    "CY": _vat("CY", r"\d{8}[A-Z]", "12345678Z"),
    "CZ": _vat("CZ", r"\d{8,10}", "1234567890"),
    "DE": _vat("DE", r"\d{9}", "123456789"),
    "DK": _vat("DK", r"\d{8}", "12345678"),
    "EE": _vat("EE", r"\d{9}", "123456789"),
    "ES": _vat("ES", r"[A-Z0-9]\d{7}[A-Z0-9]", "A1234567Z"),
    "FI": _vat("FI", r"\d{8}", "12345678"),
    "FR": _vat("FR", r"[A-Z0-9]{2}\d{9}", "AB123456789"),
    "GR": _vat("EL", r"\d{9}", "123456789"),
    "HR": _vat("HR", r"\d{11}", "12345678912"),
    "HU": _vat("HU", r"\d{8}", "12345678"),
    "IE": _vat("IE", r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}", "1234567AB"),
    "IT": _vat("IT", r"\d{11}", "12345678912"),
    "LT": _vat("LT", r"(\d{9}|\d{12})", "123456789123"),
    "LU": _vat("LU", r"\d{8}", "12345678"),
    "LV": _vat("LV", r"\d{11}", "12345678912"),
    "MT": _vat("MT", r"\d{8}", "12345678"),
    "NL": _vat("NL", r"[A-Z0-9+*]{10}\d{2}", "123456789B12"),
    "PL": _vat("PL", r"\d{10}", "1234567890"),
    "PT": _vat("PT", r"\d{9}", "123456789"),
    "RO": _vat("RO", r"\d{2,10}", "1234567891"),
    "SE": _vat("SE", r"\d{12}", "123456789123"),
    "SI": _vat("SI", r"\d{8}", "12345678"),
    "SK": _vat("SK", r"\d{10}", "1234567891"),
    "GB": Form(kind="gb_vat", pattern=r"(GB|XI)\d{9}(\d{3})?", example="GB123456789"),
    "CH": Form(kind="ch_vat", pattern=r"CHE\d{9}(MWST|TVA|IVA)", example="CHE123456789MWST"),
    "NO": Form(kind="no_vat", pattern=r"\d{9}MVA", example="123456789MVA"),
    "CN": Form(kind="cn_tin", pattern=r"[0-9A-Z]{15,20}", example="91310000123456789X"),
    "HK": Form(kind="hk_br", pattern=r"\d{8}", example="12345678"),
    "TW": Form(kind="tw_vat", pattern=r"\d{8}", example="12345678"),
    "JP": Form(kind="jp_trn", pattern=r"T\d{13}", example="T1234567891234"),
    "RU": Form(kind="ru_inn", pattern=r"\d{10}(\d{2})?", example="1234567891"),
}


def written(country: str, value: str) -> str:
    """Return a tax id as registers write it: no blanks, dots or dashes, in capitals."""
    return re.sub(r"[\s./-]", "", value).upper()[:40]


def problem(country: str, value: str) -> str:
    """Return what is wrong with the form of an id, for people; nothing where it fits or nobody knows the form."""
    form = FORMS.get(country)
    if not value or form is None or re.fullmatch(form.pattern, value):
        return ""
    return _(
        "This does not look like a tax id of your country; write it as %(example)s.", example=form.example
    )
