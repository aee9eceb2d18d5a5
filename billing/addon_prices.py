"""What paid add-ons cost: read from the manifests of the plugins that are installed, in minor units.

A firm keeps the version of a price that it bought; one that no manifest names any more is found where
`kehu billing catalogue` wrote it down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.catalogue import INTERVALS, CatalogueError, catalogue
from billing.models import Price
from kehu.core import hooks
from kehu.core.i18n import _
from kehu.core.money import digits, to_minor
from plugins.manifest import Manifest
from plugins.pricing import Meter

KIND = "x:"
"""Before the slug where a row names an add-on in the place of a plan."""


@dataclass(frozen=True, kw_only=True)
class AddonPrice:
    """A price of an add-on for a period, or of one more of what a meter counts.

    :param ref: what rows hold of it: `x:clinic@1`, or `x:clinic@1:visits:100` with what is included.
    """

    slug: str
    version: int
    interval: str
    currency: str
    amount: int
    meter: str = ""
    included: int = 0

    @property
    def ref(self) -> str:
        """What rows hold of it."""
        base = f"{KIND}{self.slug}@{self.version}"
        return f"{base}:{self.meter}:{self.included}" if self.meter else base

    @property
    def lookup_key(self) -> str:
        """The name by which a provider knows it."""
        return lookup_key(self.slug, self.version, self.interval, self.currency, self.meter)


def lookup_key(slug: str, version: int, interval: str, currency: str, meter: str = "") -> str:
    """Return the name by which a provider knows a price of an add-on."""
    parts = ["kehu_x", slug, f"v{version}", *([meter] if meter else []), interval, currency.lower()]
    return "-".join(parts)  # No slug and no meter has a hyphen in it.


def manifest_of(slug: str) -> Manifest | None:
    """Return the manifest of a plugin of this installation."""
    record = hooks.host().installed.get(slug)
    return record.manifest if record is not None else None


def sold(slug: str) -> Manifest | None:
    """Return the manifest of an add-on that has a price, or None."""
    found = manifest_of(slug)
    return found if found is not None and found.pricing.paid else None


def all_sold() -> list[str]:
    """Return the add-ons that have a price."""
    return [record.slug for record in hooks.host().installed if sold(record.slug) is not None]


def comes_with(slug: str, plan: str) -> bool:
    """Tell whether a plan brings an add-on without a price.

    :param plan: its key.
    """
    found = sold(slug)
    return found is not None and plan in found.pricing.included


def name_of(slug: str) -> str:
    """Return what people call an add-on."""
    found = manifest_of(slug)
    return _(found.name) if found is not None else slug


def offered() -> Iterator[AddonPrice]:
    """Return all prices that the manifests name, in the currencies of the catalogue.

    :raises CatalogueError: for an amount that is no whole number of the smallest unit; names plugin and remedy.
    """
    for record in hooks.host().installed:
        manifest = record.manifest
        if manifest is not None and manifest.pricing.paid:
            for interval in INTERVALS:
                for currency in catalogue().currencies:
                    yield from _prices(manifest, interval, currency)


def _prices(manifest: Manifest, interval: str, currency: str) -> Iterator[AddonPrice]:
    found = manifest.pricing.amount(interval, currency)
    if found is None:
        return
    text, times = found
    base = {
        "slug": manifest.slug,
        "version": manifest.pricing.version,
        "interval": interval,
        "currency": currency,
    }
    yield AddonPrice(**base, amount=times * _minor(manifest.slug, text, currency))  # type: ignore[arg-type]
    for meter in manifest.pricing.meters:
        amount = _minor(manifest.slug, meter.amounts[currency], currency)
        included = included_of(meter, interval)
        yield AddonPrice(**base, amount=amount, meter=meter.name, included=included)  # type: ignore[arg-type]


def included_of(meter: Meter, interval: str) -> int:
    """Return how many of a period are included: those of a month, twelve times for a year."""
    return meter.included * INTERVALS[interval]


def _minor(slug: str, text: str, currency: str) -> int:
    value = Decimal(text)
    minor = to_minor(value, currency)
    if Decimal(minor) != value.scaleb(digits(currency)):
        raise CatalogueError(
            f"plugin.toml of {slug}: {text} is no whole number of the smallest unit of {currency}."
        )
    return minor


def amount(session: Session, slug: str, version: int, interval: str, currency: str) -> int | None:
    """Return what a version of an add-on costs for a period, for the firm or a seat; None when it has no such price."""
    manifest = sold(slug)
    if manifest is not None and manifest.pricing.version == version:
        found = next(_prices(manifest, interval, currency), None)
        return found.amount if found is not None else None
    key = lookup_key(slug, version, interval, currency)
    return session.execute(select(Price.amount).where(Price.lookup_key == key)).scalar_one_or_none()


def meter_prices(
    session: Session, slug: str, version: int, interval: str, currency: str
) -> Mapping[str, AddonPrice]:
    """Return what one more of each meter of a version costs, by the meter's name."""
    manifest = sold(slug)
    if manifest is not None and manifest.pricing.version == version:
        return {one.meter: one for one in _prices(manifest, interval, currency) if one.meter}
    ref = f"{KIND}{slug}@{version}:"
    statement = select(Price.plan, Price.amount).where(
        Price.plan.startswith(ref), Price.interval == interval, Price.currency == currency
    )
    found = {}
    for row in session.execute(statement.limit(50)):
        meter, _colon, included = row.plan.removeprefix(ref).partition(":")
        found[meter] = AddonPrice(
            slug=slug,
            version=version,
            interval=interval,
            currency=currency,
            amount=row.amount,
            meter=meter,
            included=int(included),
        )
    return found


def meter_keys(session: Session, slug: str, version: int, interval: str, currency: str) -> list[str]:
    """Return the names by which a provider knows the prices of what a version of an add-on counts."""
    found = meter_prices(session, slug, version, interval, currency)
    return [one.lookup_key for one in found.values()]


def of_lookup_key(key: str) -> tuple[str, int, str] | None:
    """Return slug, version and meter that a provider's price stands for; None for one that is no add-on's."""
    parts = key.split("-")
    if parts[0] != "kehu_x" or not 5 <= len(parts) <= 6 or not parts[2].removeprefix("v").isdecimal():
        return None
    return parts[1], int(parts[2].removeprefix("v")), parts[3] if len(parts) == 6 else ""
