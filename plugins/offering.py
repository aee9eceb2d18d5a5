"""What plugins bring to offers that follow from dates: things with a day."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from plugins.contracts import Label

FATES: Final = ("bought", "sold", "gone")
"""What ends an offer: the customer bought, has the thing no more, or there is no such thing any more."""

_KEY: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class DatedThing:
    """Something of a customer whose day comes.

    :param key: tells the thing apart within its source; a thing that comes back has another key each time.
    :param name: what it is, as it stands in lists and in the mail.
    :param due_on: its day.
    :param basis: in words how the day was reckoned, for the member who calls.
    :param owner_id: the member who looks after it; without one, who looks after the customer.
    """

    key: str
    customer_id: UUID
    name: str
    due_on: date
    contact_id: UUID | None = None
    item_id: UUID | None = None
    owner_id: UUID | None = None
    basis: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.key) <= 200:
            raise ValueError("The key of a dated thing has 1 to 200 characters.")


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferSource:
    """A kind of dated thing for which a firm can make offers.

    :param key: `<slug>.<name>`, as `dentist.checkup`.
    :param label: what has its day, for the person who makes a rule.
    :param due: called as `due(ctx, since, until)`; returns the things whose day lies from `since` to `until`.
    :param fates: called as `fates(ctx, keys)`; returns by key what became of those that need no offer any more, one of
        `FATES`.
    """

    key: str
    label: Label
    due: Callable[[Any, date, date], Iterable[DatedThing]]
    fates: Callable[[Any, Sequence[str]], Mapping[str, str]] | None = None

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(f'The source {self.key!r} is not named well. Write it as "dentist.checkup".')
