"""The rules of protection, without a database.

A member who has had an effective contact with a customer is protected for some days. Who comes while somebody
else is protected helps him; when several are, a manager decides. Days and shares are the tenant's.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EVENTS = ("walk_in", "contact", "quote", "order", "decision")
STEPS = {
    "greeted": "walk_in",
    "interview": "walk_in",
    "presentation": "contact",
    "drive": "contact",
    "write_up": "quote",
    "sold": "order",
    "delivered": "order",
}
"""Farthest step of a visit -> what it counts as."""
TALKS = ("call", "meeting", "visit")
"""Kinds of activities in which two people talk."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """A tenant's rules; a case keeps a copy of those it was opened under.

    :param case_hours: time for the decision of a case.
    :param appeal_days: how long a decision may be objected to.
    :param help_share: percent of who helps with the customer of somebody else.
    :param relatives: whether members of the household and near relatives count as the same customer.
    """

    walk_in_days: int = 3
    contact_days: int = 10
    quote_days: int = 30
    order_days: int = 90
    case_hours: int = 24
    appeal_days: int = 7
    help_share: int = 50
    relatives: bool = True

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Rules:
        """Read the rules from the module's settings, where each key begins with `protection_`."""
        return cls(**{key: settings[f"protection_{key}"] for key in cls.__dataclass_fields__})

    def days(self, event: str) -> int:
        """Return how long an event protects, in days."""
        return {
            "walk_in": self.walk_in_days,
            "contact": self.contact_days,
            "quote": self.quote_days,
            "order": self.order_days,
            "decision": self.contact_days,
        }[event]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """That a member may say a customer is his, since when and until when."""

    holder: uuid.UUID
    event: str
    contact_at: dt.datetime
    until: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the rules say when a member meets a customer.

    :param kind: `free` (nobody else has a claim), `help` (one has) or `conflict` (several, or one beside the member).
    :param claims: those that live, the latest contact first, one for each holder.
    """

    kind: str
    claims: tuple[Claim, ...] = ()

    @property
    def holder(self) -> uuid.UUID | None:
        """Whose the customer is, when the rules alone can say."""
        return self.claims[0].holder if len(self.claims) == 1 else None


def live(claims: Iterable[Claim], now: dt.datetime) -> tuple[Claim, ...]:
    """Return one claim for each holder of those that have not lapsed, the latest contact first."""
    best: dict[uuid.UUID, Claim] = {}
    for one in claims:
        if one.until > now and (one.holder not in best or best[one.holder].contact_at < one.contact_at):
            best[one.holder] = one
    return tuple(sorted(best.values(), key=lambda one: (one.contact_at, str(one.holder)), reverse=True))


def judge(claims: Iterable[Claim], host: uuid.UUID | None, now: dt.datetime) -> Verdict:
    """Say what follows when a host meets a customer of whom there are claims.

    :param host: None while nobody serves the visitor.
    """
    standing = live(claims, now)
    others = [one for one in standing if one.holder != host]
    if not others:
        return Verdict(kind="free", claims=standing)
    alone = len(standing) == 1
    return Verdict(kind="help" if alone else "conflict", claims=standing)


def effective(kind: str, minutes: int | None, outcome: str | None) -> bool:
    """Tell whether an activity that is done was a contact: a talk; a call only if it was answered.

    A call that was answered has minutes or an outcome; a number that was only dialled has neither.
    """
    if kind not in TALKS:
        return False
    return kind != "call" or bool(minutes) or bool((outcome or "").strip())


def read_shares(given: Mapping[str, str], claimants: Sequence[uuid.UUID]) -> dict[str, int] | None:
    """Return percents by member that a manager wrote, or None when they are no division of a whole."""
    shares: dict[str, int] = {}
    for one in claimants:
        text = (given.get(str(one)) or "0").strip()
        if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > 100:
            return None
        if int(text):
            shares[str(one)] = int(text)
    return shares if sum(shares.values()) == 100 else None
