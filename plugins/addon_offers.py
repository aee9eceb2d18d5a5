"""What billing says of a paid add-on to the page of that add-on."""

from dataclasses import dataclass
from datetime import datetime

from plugins.contracts import Label


@dataclass(frozen=True, kw_only=True, slots=True)
class AddonStep:
    """Something that can be done about an add-on.

    :param post: whether a press of the button does it; else `url` is a page that says more first.
    """

    label: Label
    url: str
    post: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AddonOffer:
    """Where a paid add-on stands with a tenant, what it costs, and what can be done about it.

    :param text: where it stands, in a sentence that also says why it is paused.
    :param amount: for the firm or one seat and a period, in minor units; None without a price in this currency.
    :param total: for the firm as it is now.
    :param interval: month or year.
    :param until: the end of the days to try or of the time that is paid, when one is near.
    :param trial_until: the end of the days to try, whether they run or are over.
    :param trial_days: days to try that can still be had.
    :param steps: the one next step first; empty for who may not take it.
    :param meters: what is counted and what it costs, in words.
    """

    entitled: bool
    text: Label
    per: str
    currency: str
    interval: str
    amount: int | None = None
    total: int | None = None
    seats: int = 1
    until: datetime | None = None
    trial_until: datetime | None = None
    trial_days: int = 0
    steps: tuple[AddonStep, ...] = ()
    meters: tuple[Label, ...] = ()
