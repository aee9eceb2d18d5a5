"""What pages of doubles say of a pair: why it is one, and what tells a record from its like."""

from __future__ import annotations

from typing import Any

from kehu.core.i18n import _l
from kehu.core.records.kinds import show_address
from kehu.core.records.types import registered
from kehu.core.text import show_phone

SIGNS = {
    "given": (_l("Same name"), _l("Given names differ")),
    "surname": (_l("Same family name"), _l("Family names differ")),
    "company": (_l("Same name"), _l("Names differ")),
    "phone": (_l("Same phone"), _l("Phones differ")),
    "email": (_l("Same e-mail address"), _l("E-mail addresses differ")),
    "website": (_l("Same website"), _l("Websites differ")),
    "postcode": (_l("Same postcode"), _l("Postcodes differ")),
    "city": (_l("Same town"), _l("Towns differ")),
    "customer": (_l("Same customer"), _l("At different customers")),
    "born": (_l("Same date of birth"), _l("Dates of birth differ")),
    "street": (_l("Same street"), _l("Streets differ")),
}
"""Field -> what is said when it agrees, and when it differs."""


def _signs(match: Any) -> tuple[list[str], list[str]]:
    agree = [str(SIGNS[key][0]) for key in match.agree]
    return list(dict.fromkeys(agree)), [str(SIGNS[key][1]) for key in match.differ]


def _note(row: Any) -> str:
    """Return what tells a record from its like in one line."""
    parts = [one["address"] for one in (row.emails or ())[:1]]
    parts += [show_phone(one["number"]) for one in (row.phones or ())[:1]]
    parts += [show_address(one) for one in (getattr(row, "addresses", None) or ())[:1]]
    return " · ".join(part for part in parts if part)


def shared(name: str) -> dict[str, Any]:
    """Return what the templates of doubles need of a kind of record."""
    return {"object": name, "type": registered()[name], "signs": _signs, "note": _note}
