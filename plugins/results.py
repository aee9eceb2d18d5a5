"""What hooks return: frozen data, checked when it is made.

A mistake is found where the plugin's author made it, with the field and the remedy in the message.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from plugins.contracts import Label
from plugins.slots import check_slot

_PERMISSION: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*:[a-z][a-z0-9_]*")
_ENDPOINT: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def check_permission(code: str) -> None:
    """Check the form of a permission's code.

    :raises ValueError: with the remedy.
    """
    _require(
        _PERMISSION.fullmatch(code) is not None,
        f'The permission {code!r} is not of the form resource:action. Write it as "automotive.vehicle:read".',
    )


def _check_endpoint(endpoint: str) -> None:
    _require(
        _ENDPOINT.fullmatch(endpoint) is not None,
        f"The endpoint {endpoint!r} is not of the form blueprint.function.",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Permission:
    """Something a role may be allowed to do, in the platform's one registry.

    `roles` names the built-in roles that get it on the day the plugin is switched on.
    """

    code: str
    description: Label
    roles: tuple[str, ...] = ("owner", "admin")

    def __post_init__(self) -> None:
        check_permission(self.code)


@dataclass(frozen=True, kw_only=True, slots=True)
class NavItem:
    """A line of the side bar and a command of the palette."""

    label: Label
    endpoint: str
    permission: str
    icon: str = "puzzle"
    order: int = 100

    def __post_init__(self) -> None:
        _check_endpoint(self.endpoint)
        check_permission(self.permission)


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """A piece of page in a slot, fetched as a fragment of its own when it comes into view.

    The endpoint gets the slot's arguments in its query string. A panel that is not lazy is drawn with the
    page itself and must be cheap.
    """

    slot: str
    endpoint: str
    title: Label
    permission: str
    lazy: bool = True
    order: int = 100

    def __post_init__(self) -> None:
        check_slot(self.slot)
        _check_endpoint(self.endpoint)
        check_permission(self.permission)


_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")


def _check_name(what: str, name: str) -> None:
    _require(
        _NAME.fullmatch(name) is not None,
        f"The {what} {name!r} is not usable. Use small letters, digits and underscores, a letter first.",
    )


_CRITERION: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Criterion:
    """A filter on customers that knows the plugin's own data: in lists, saved views, exports and segments.

    :param key: `<slug>.<name>`, as `dentist.due_days`; in addresses it stands as `dentist_due_days`.
    :param kind: `bool` (yes or no), `number` (a range) or `choice`.
    :param condition: called as `condition(ctx, customer_id, asked)` with the column of the customer's id and what is
        asked (`yes`, `low` and `high`, or `values`); returns an SQL condition.
    :param options: the choices of a `choice`: (value, label).
    """

    key: str
    label: Label
    kind: str
    condition: Callable[[Any, Any, Any], Any] = field(compare=False)
    options: tuple[tuple[str, Label], ...] = ()

    def __post_init__(self) -> None:
        _require(
            _CRITERION.fullmatch(self.key) is not None,
            f'The key {self.key!r} is not usable. Write it as "dentist.due_days".',
        )
        _require(
            self.kind in ("bool", "number", "choice"),
            f"The kind {self.kind!r} is unknown. Use bool, number or choice.",
        )
        _require(
            (self.kind == "choice") == bool(self.options),
            f"{self.key}: a choice has options, others have none.",
        )


_STEPS: Final = ("call", "mail", "visit", "meeting", "task")
_SUGGESTION: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]{0,40}(:[A-Za-z0-9._-]{1,80})?")


@dataclass(frozen=True, kw_only=True, slots=True)
class NextStep:
    """An activity that one click plans.

    :param kind: call, mail, visit, meeting or task.
    :param days: due so many days from now.
    """

    kind: str
    subject: Label
    days: int = 1

    def __post_init__(self) -> None:
        _require(self.kind in _STEPS, f"The kind {self.kind!r} is unknown. Use one of: {', '.join(_STEPS)}.")
        _require(0 <= self.days <= 365, f"A step can be due in 0 to 365 days, not in {self.days}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """A next step for a customer or deal, with its reason and what one click does.

    :param key: `<slug>.<kind>`, and behind a colon what it is about, as `dentist.recall:2026-05`. Who declines it does
        not see the same key again for 90 days.
    :param score: from 0 to 100; the highest five show.
    :param step: what is planned on a click; or
    :param url: a page of the firm's own on which it is done, as `/x/dentist/recalls`.
    """

    key: str
    title: Label
    reason: Label
    score: int = 50
    icon: str = "sparkles"
    step: NextStep | None = None
    url: str = ""

    def __post_init__(self) -> None:
        _require(
            _SUGGESTION.fullmatch(self.key) is not None,
            f'The key {self.key!r} is not usable. Write it as "dentist.recall" or "dentist.recall:2026-05".',
        )
        _require(0 <= self.score <= 100, f"{self.key}: a score lies between 0 and 100.")
        _require((self.step is None) != (not self.url), f"{self.key}: give either a step or a url.")
        _require(
            not self.url or (self.url.startswith("/") and not self.url.startswith(("//", "/\\"))),
            f"{self.key}: the url must be a page of the firm's own, as /x/dentist/recalls.",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class JobDef:
    """Work in the background: what comes back by the clock, and what a plugin asks for itself.

    :param run: called as `run(ctx, **arguments)`, with the tenant bound, in a transaction of its own. Must be safe
        to run twice: after an exception the job tries again. A sentence that it returns is what `kehu plugin run` says.
    :param title: what it does, in words for admins.
    :param at: times of the day in the tenant's zone, as "02:30" or "07:00 19:00".
    :param every_minutes: or the length of a turn; with neither the job runs only when it is asked for.
    """

    name: str
    run: Callable[..., str | None]
    title: Label
    at: str = ""
    every_minutes: int = 0

    def __post_init__(self) -> None:
        _check_name("job", self.name)
        _require(
            not (self.at and self.every_minutes),
            f"The job {self.name!r} has times of the day and a turn. Keep one of them.",
        )
        _require(
            self.every_minutes == 0 or 5 <= self.every_minutes <= 1440,
            f"The job {self.name!r} comes back every {self.every_minutes} minutes. Use 5 to 1440.",
        )
        for part in self.at.split():
            _require(
                re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", part) is not None,
                f'The job {self.name!r} is due at {part!r}. Write times of the day as "02:30".',
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsSchema:
    """What an admin may set for the plugin; the form is made from it.

    :param fields: `kehu.api.Field` each; their keys are those of `ctx.settings`.
    :param secrets: keys whose values are kept encrypted and never shown again.
    """

    fields: tuple[Any, ...]
    secrets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        keys = [field.key for field in self.fields]
        _require(len(set(keys)) == len(keys), "Two settings have the same key.")
        for key in keys:
            _check_name("setting", key)
        for key in self.secrets:
            _require(key in keys, f"The secret {key!r} is no setting. Name one of: {', '.join(keys)}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordAction:
    """A button on the page of a record of the platform, as "Book a test drive" on a deal.

    :param object: plural name of the record type: `customers`, `contacts`, `deals`, `tickets`.
    :param endpoint: an endpoint of the plugin's own; it gets the record's id as `record_id`.
    """

    object: str
    label: Label
    endpoint: str
    permission: str
    icon: str = "puzzle"
    order: int = 100

    def __post_init__(self) -> None:
        _check_endpoint(self.endpoint)
        check_permission(self.permission)


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomField:
    """A value that the plugin adds to records of the platform, kept with the record under the plugin's name.

    It stands on the record's page, in its forms, lists, history, imports, exports and in the API, as
    `<slug>_<key>`; a loaded record has it as an attribute of that name.

    :param object: plural name of the record type: one of `CUSTOM_OBJECTS`.
    :param field: a `kehu.api.Field` of one of `CUSTOM_KINDS`.
    """

    object: str
    field: Any

    def __post_init__(self) -> None:
        _require(
            self.object in CUSTOM_OBJECTS,
            f"There are no fields of plugins on {self.object!r}. Use one of: {', '.join(CUSTOM_OBJECTS)}.",
        )
        _check_name("field", self.field.key)
        _require(
            self.field.kind in CUSTOM_KINDS,
            f"The field {self.field.key!r} has the kind {self.field.kind!r}. "
            f"Use one of: {', '.join(CUSTOM_KINDS)}; what points at other records belongs into a table of yours.",
        )
        for name in ("required", "sortable", "filterable", "unique"):
            _require(
                not getattr(self.field, name),
                f"The field {self.field.key!r} can't be {name}: it is kept with the record and has no index. "
                "Leave that out, or keep it in a record type of your own.",
            )


CUSTOM_OBJECTS: Final = ("customers", "contacts", "deals", "tickets")
"""The record types of the platform that take fields of plugins."""

CUSTOM_KINDS: Final = ("text", "long_text", "number", "date", "bool", "choice", "email", "phone", "link")
"""The kinds of values that fields of plugins may hold."""


class BillingMode(StrEnum):
    """Whether and how the installation takes money."""

    OFF = "off"
    MANUAL = "manual"
    DEMO = "demo"
    STRIPE = "stripe"


@dataclass(frozen=True, kw_only=True, slots=True)
class BillingState:
    """Where a tenant stands with billing. `phase` is None while the mode is off.

    :param live: whether real money is taken from cards.
    :param owner_only: nobody but the owner comes in, to export and to start again.
    :param refusal: why nothing can be written, and the next step; given when `read_only`.
    :param stopped: ids of members who can't write, because the firm has more people than seats.
    :param page: the page of the firm on which billing is looked after.
    """

    mode: BillingMode
    live: bool = False
    phase: str | None = None
    plan: str | None = None
    trial_ends_at: datetime | None = None
    read_only: bool = False
    owner_only: bool = False
    refusal: Label | None = None
    stopped: frozenset[str] = frozenset()
    page: str = ""

    def __post_init__(self) -> None:
        _require(
            not self.read_only or self.refusal is not None, "A read-only state says why, and the next step."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SeatCheck:
    """Whether one more member fits. `limit` is None when seats are not counted."""

    allowed: bool
    used: int | None = None
    limit: int | None = None
    reason: Label | None = None

    def __post_init__(self) -> None:
        _require(
            self.allowed or self.reason is not None, "A refused seat needs a reason that says what to do."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanOffer:
    """A plan as visitors see it; prices of one seat in minor units, without tax."""

    name: Label
    summary: Label
    month: int
    year: int
    features: tuple[Label, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceList:
    """What the product costs here.

    :param note: what holds for every plan, as the days to try.
    """

    currency: str
    plans: tuple[PlanOffer, ...]
    note: Label


@dataclass(frozen=True, kw_only=True, slots=True)
class SeatOffer:
    """What is said before somebody is invited: how many seats are taken, and what one more costs.

    :param full: whether a seat has to be added first; `url` is where that is done, with what it costs.
    """

    note: Label
    full: bool = False
    label: Label | None = None
    url: str = ""


class Veto(Exception):
    """Raised by `kehu_tenant_enabling` to say why a tenant can't have the plugin yet; shown to the admin as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgeReport:
    """What a plugin removes, or would remove, of a tenant beyond its own tables: how many of what.

    The keys are words for people: `{"subscriptions at the parts shop": 3}`.
    """

    removed: Mapping[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, count in self.removed.items():
            _require(
                isinstance(name, str) and isinstance(count, int) and count >= 0,
                f"{name!r}: {count!r} is no number of things. Map words to whole numbers.",
            )


class Contribution(NamedTuple):
    """A value and the plugin it came from."""

    plugin: str
    value: object


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One failed call of a plugin, as it is handed to the platform to be recorded.

    Equal fingerprints are the same mistake, so that administrators see one line and not thousands.
    """

    plugin: str
    hook: str
    tenant_id: str | None
    error: BaseException
    fingerprint: str
    location: str
    trip: str | None = None
