"""Writing the catalogue's prices down: a price that stands is never changed in its place."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import addon_prices
from billing.catalogue import Catalogue, CatalogueError
from billing.models import Price
from kehu.core import clock
from kehu.core.money import show


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is to be done for a price: `add` it, or nothing for one that `stands`."""

    action: str
    lookup_key: str
    plan: str
    interval: str
    currency: str
    amount: int

    def line(self) -> str:
        """Return it as operators read it."""
        return f"{self.action:<7}{self.lookup_key:<36}{show(self.amount, self.currency, 'en')}"


def steps(session: Session, catalogue: Catalogue) -> list[Step]:
    """Return what the catalogue and the manifests of paid plugins ask for.

    :raises CatalogueError: when a price was written down with another amount.
    """
    known = {row.lookup_key: row for row in session.execute(select(Price).limit(10_000)).scalars()}
    found = []
    for plan in catalogue.plans.values():
        for (interval, currency), amount in plan.prices.items():
            key = plan.lookup_key(interval, currency)
            remedy = f"Leave version {plan.version} as it is and add version {plan.version + 1}."
            where = f"catalogue.toml: {plan.ref}"
            found.append(_step(known.get(key), key, plan.ref, interval, currency, amount, where, remedy))
    for one in addon_prices.offered():
        remedy = f"Set version = {one.version + 1} in [pricing]."
        where = f"plugin.toml of {one.slug}"
        row = known.get(one.lookup_key)
        found.append(
            _step(row, one.lookup_key, one.ref, one.interval, one.currency, one.amount, where, remedy)
        )
    return found


def _step(
    row: Price | None, key: str, ref: str, interval: str, currency: str, amount: int, where: str, remedy: str
) -> Step:
    if row is not None and row.amount != amount:
        raise CatalogueError(
            f"{where}: {key} was written down as {show(row.amount, currency, 'en')} "
            f"and can't become {show(amount, currency, 'en')}. {remedy}"
        )
    if row is not None and row.plan != ref:
        raise CatalogueError(
            f"{where}: {key} was written down as {row.plan} and can't become {ref}. {remedy}"
        )
    return Step(
        action="stands" if row is not None else "add",
        lookup_key=key,
        plan=ref,
        interval=interval,
        currency=currency,
        amount=amount,
    )


def apply(session: Session, catalogue: Catalogue) -> list[Step]:
    """Write the prices down that are new, and return all steps."""
    found = steps(session, catalogue)
    for step in found:
        if step.action == "add":
            session.add(
                Price(
                    lookup_key=step.lookup_key,
                    plan=step.plan,
                    interval=step.interval,
                    currency=step.currency,
                    amount=step.amount,
                    applied_at=clock.now(),
                )
            )
    return found
