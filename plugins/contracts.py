"""Shapes that cross the border between the platform and its plugins, as protocols.

This floor imports nothing of ours, so it says what it needs of a tenant, a call context or an event and lets
the platform bring its own classes.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable
from uuid import UUID


class LazyText(Protocol):
    """A text that is translated when it is shown, as `kehu.core.i18n._l` returns."""

    def __html__(self) -> str:
        """Return the text in the language of the reader."""


Label = str | LazyText
"""A text for people: a plain string or one that is translated late."""


@runtime_checkable
class TenantRecord(Protocol):
    """What every floor may know of a tenant."""

    @property
    def id(self) -> UUID:
        """Return the tenant's id."""

    @property
    def address(self) -> str:
        """Return the tenant's address name."""

    @property
    def plugins(self) -> frozenset[str]:
        """Return the slugs of the plugins that are switched on."""

    @property
    def held(self) -> frozenset[str]:
        """Return the slugs of the plugins that are switched on but may not run now."""


@runtime_checkable
class RecordDeclaration(Protocol):
    """A kind of record that a plugin brings, as `kehu.api.RecordType` declares it."""

    @property
    def name(self) -> str:
        """Return the plural name, as `automotive.vehicles`."""

    @property
    def singular(self) -> str:
        """Return the name of one, as `automotive.vehicle`."""

    @property
    def plural(self) -> Any:
        """Return what people call several, a text."""

    @property
    def model(self) -> Any:
        """Return the class of its rows."""

    @property
    def fields(self) -> Any:
        """Return the declarations of its values."""


class CallContext(Protocol):
    """What a hook gets as its first argument while it works for one tenant."""

    @property
    def tenant(self) -> Any:
        """Return the tenant the call is for."""

    @property
    def session(self) -> Any:
        """Return the database session of the running transaction."""


class EventRecord(Protocol):
    """One change that has been committed."""

    @property
    def name(self) -> str:
        """Return the event's name, as `deal.won`."""

    @property
    def payload(self) -> Mapping[str, Any]:
        """Return the event's data."""


class OutgoingMessage(Protocol):
    """A message on its way out of the house, as guards see it."""

    @property
    def channel(self) -> str:
        """Return how it goes: mail, phone, sms or post."""

    @property
    def purpose(self) -> str:
        """Return why it goes: transactional, service, marketing or survey."""

    @property
    def template(self) -> str:
        """Return the template's key, or an empty text."""

    @property
    def customer_id(self) -> UUID | None:
        """Return the customer it goes to, or whose contact it goes to."""

    @property
    def contact_id(self) -> UUID | None:
        """Return the contact it goes to, if it is one."""


class MergeWork(Protocol):
    """Two records that become one, or are parted again."""

    @property
    def object(self) -> str:
        """Return their kind: customers or contacts."""

    @property
    def keep_id(self) -> UUID:
        """Return the record that stays."""

    @property
    def drop_id(self) -> UUID:
        """Return the record that goes into it."""

    @property
    def undoing(self) -> bool:
        """Return whether the merge is being taken back."""

    @property
    def notes(self) -> dict[str, Any]:
        """Return what the plugin wrote down when they were merged, as JSON."""


class SuggestionSubject(Protocol):
    """The customer or deal for which next steps are looked for."""

    @property
    def object(self) -> str:
        """Return its kind: customers or deals."""

    @property
    def id(self) -> UUID:
        """Return its id."""

    @property
    def customer_id(self) -> UUID | None:
        """Return the customer, or whose deal it is."""
