"""What one subject of the module adds, and all subjects together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from uuid import UUID

from kehu.api import (
    Call,
    Event,
    Field,
    JobDef,
    MessageTemplate,
    NavItem,
    OfferSource,
    Panel,
    Permission,
    PluginBlueprint,
    ReceivedMail,
    RecordAction,
    RecordType,
    Starter,
    SubjectReport,
)
from plugins_builtin.automotive.dashboard.numbers import Numbers

SUBJECTS = (
    "starting",
    "vehicles",
    "showroom",
    "protection",
    "appraisal",
    "accessories",
    "second_car",
    "leads",
    "drives",
    "warranty",
    "replacement",
    "upkeep",
    "dashboard",
)  # fmt: skip
"""The sub-packages; each has a module `part` with its `PART`. Their order is that of the set-up."""


@dataclass(frozen=True, kw_only=True)
class VehicleCard:
    """A card on the page of a vehicle, fetched by itself; the endpoint gets `vehicle_id` in its query string."""

    endpoint: str
    permission: str
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a subject adds to Kehu; the module's hooks gather these.

    :param settings: fields of the module's one form of settings; their keys begin with the subject's name.
    :param secrets: keys of those that are kept encrypted.
    :param enabled: prepares one tenant that has switched the module on, as `kehu_tenant_enabled`.
    :param mail: takes in a mail and says so, as `kehu_mail_received`.
    :param after_change: acts on what has happened, as `kehu_after_change`; must be safe to run again.
    :param numbers: what it counts for the dealer's dashboard.
    :param subject: answers for one person, as `kehu_subject_data`; rows with a key to him need none.
    """

    records: tuple[RecordType, ...] = ()
    routes: tuple[PluginBlueprint, ...] = ()
    permissions: tuple[Permission, ...] = ()
    navigation: tuple[NavItem, ...] = ()
    panels: tuple[Panel, ...] = ()
    actions: tuple[RecordAction, ...] = ()
    vehicle_cards: tuple[VehicleCard, ...] = ()
    jobs: tuple[JobDef, ...] = ()
    messages: tuple[MessageTemplate, ...] = ()
    offer_sources: tuple[OfferSource, ...] = ()
    settings: tuple[Field, ...] = ()
    secrets: tuple[str, ...] = ()
    starters: tuple[Starter, ...] = ()
    numbers: tuple[Numbers, ...] = ()
    enabled: Callable[[Call, bool], None] | None = None
    after_change: Callable[[Call, Event], None] | None = None
    subject: Callable[[Call, str, UUID, str], SubjectReport] | None = None
    mail: Callable[[Call, ReceivedMail], bool] | None = None


def parts() -> Iterator[Part]:
    """Give the part of each subject."""
    for subject in SUBJECTS:
        yield import_module(f"{__package__}.{subject}.part").PART
