"""What hooks return: frozen data, checked when it is made.

A mistake is found where the plugin's author made it, with the field and the remedy in the message.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from plugins.contracts import Label
from plugins.slots import check_slot

_PERMISSION: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*:[a-z][a-z0-9_]*")
_ENDPOINT: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _check_permission(code: str) -> None:
    _require(
        _PERMISSION.fullmatch(code) is not None,
        f'The permission {code!r} is not of the form resource:action. Write it as "automotive.vehicle:read".',
    )


def _check_endpoint(endpoint: str) -> None:
    _require(
        _ENDPOINT.fullmatch(endpoint) is not None,
        f"The endpoint {endpoint!r} is not of the form blueprint.function.",
    )


class Section(StrEnum):
    """Groups of the side bar."""

    MAIN = "main"
    PLUGINS = "plugins"
    SETTINGS = "settings"


class Width(StrEnum):
    """How much of its slot a panel takes."""

    HALF = "half"
    FULL = "full"


@dataclass(frozen=True, kw_only=True, slots=True)
class Permission:
    """Something a role may be allowed to do, in the platform's one registry.

    `roles` names the built-in roles that get it on the day the plugin is switched on.
    """

    code: str
    description: Label
    roles: tuple[str, ...] = ("owner", "admin")

    def __post_init__(self) -> None:
        _check_permission(self.code)


@dataclass(frozen=True, kw_only=True, slots=True)
class NavItem:
    """A line of the side bar and a command of the palette."""

    label: Label
    endpoint: str
    permission: str
    section: Section = Section.PLUGINS
    icon: str = "plugin"
    order: int = 100

    def __post_init__(self) -> None:
        _check_endpoint(self.endpoint)
        _check_permission(self.permission)


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
    width: Width = Width.FULL
    lazy: bool = True
    order: int = 100

    def __post_init__(self) -> None:
        check_slot(self.slot)
        _check_endpoint(self.endpoint)
        _check_permission(self.permission)


class BillingMode(StrEnum):
    """Whether and how the installation takes money."""

    OFF = "off"
    TEST = "test"
    LIVE = "live"


@dataclass(frozen=True, kw_only=True, slots=True)
class BillingState:
    """Where a tenant stands with billing. `phase` is None while the mode is off."""

    mode: BillingMode
    phase: str | None = None
    plan: str | None = None
    trial_ends_at: datetime | None = None
    read_only: bool = False


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
