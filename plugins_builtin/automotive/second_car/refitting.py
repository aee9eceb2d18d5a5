"""Fit the second-car weights to a firm's own outcomes, and keep the better ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from typing import Any

from kehu.api import Call, Session, _, actor, audit, clock, new_id, run_later, select, tenant
from plugins_builtin.automotive.second_car.evidence import evidence, homes, weights
from plugins_builtin.automotive.second_car.fitting import (
    LEAST,
    LEAST_OF_EACH,
    TooFewError,
    enough,
    fit,
    held_out,
    quality,
)
from plugins_builtin.automotive.second_car.model import SHIPPED, Evidence, Weights
from plugins_builtin.automotive.second_car.models import SecondCar, SecondCarWeights
from plugins_builtin.automotive.second_car.permissions import NAME, REFIT
from plugins_builtin.automotive.second_car.words import HITS, MISSES

MOST = 20_000
"""The latest outcomes that a fit looks at."""
BATCH = 1_000
SCORES = "automotive.second_car"
"""The job that scores all households."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a fit came to; qualities are areas under the ROC curve on outcomes that the fit did not see."""

    outcomes: int
    hits: int
    before: float = 0.0
    after: float = 0.0
    enough: bool = True

    @property
    def kept(self) -> bool:
        """Whether the new weights hold from now on."""
        return self.enough and self.after > self.before

    @property
    def words(self) -> str:
        """The report as a sentence."""
        if not self.enough:
            return _(
                "A fit needs %(least)s outcomes, at least %(each)s of each kind; there are %(there)s, %(hits)s of them "
                "with interest.",
                least=LEAST,
                each=LEAST_OF_EACH,
                there=self.outcomes,
                hits=self.hits,
            )
        values = {"before": f"{self.before:.3f}", "after": f"{self.after:.3f}", "outcomes": self.outcomes}
        if self.kept:
            return _(
                "New weights hold: on outcomes kept apart they rank better (AUC %(after)s, before %(before)s), by "
                "%(outcomes)s outcomes.",
                **values,
            )
        return _(
            "The weights stay: on outcomes kept apart new ones rank no better (AUC %(after)s, now %(before)s), by "
            "%(outcomes)s outcomes.",
            **values,
        )


def job(ctx: Call) -> str:
    """Fit by command: `kehu plugin run ADDRESS automotive.second_car_refit`; returns what came of it."""
    return refit(ctx.session).words


def refit(session: Session) -> Report:
    """Fit the weights to the outcomes; they hold if they rank better outcomes that the fit did not see."""
    actor().require(REFIT)
    known, outcomes = _outcomes(session)
    try:
        enough(outcomes)
    except TooFewError as error:
        return Report(outcomes=error.there, hits=error.hits, enough=False)
    apart = held_out(outcomes)
    rest = [not one for one in apart]
    tried = fit(list(compress(known, rest)), list(compress(outcomes, rest)))
    judges = list(compress(known, apart)), list(compress(outcomes, apart))
    report = Report(
        outcomes=len(outcomes),
        hits=sum(outcomes),
        before=quality(*judges, weights(session)),
        after=quality(*judges, tried),
    )
    if report.kept:
        _keep(session, fit(known, outcomes), len(outcomes), report)
    return report


def take_shipped(session: Session) -> None:
    """Let the weights hold again that Kehu ships; those of the firm are kept beside them."""
    actor().require(REFIT)
    _keep(session, SHIPPED, 0, None)


def fits(session: Session) -> Sequence[SecondCarWeights]:
    """Return the latest fits, that which holds first."""
    statement = (
        select(SecondCarWeights)
        .where(SecondCarWeights.tenant_id == tenant().id)
        .order_by(SecondCarWeights.made_at.desc(), SecondCarWeights.id.desc())
        .limit(10)
    )
    return session.execute(statement).scalars().all()


def _keep(session: Session, found: Weights, outcomes: int, report: Report | None) -> None:
    values: dict[str, Any] = asdict(found)
    row = SecondCarWeights(
        tenant_id=tenant().id, id=new_id(), made_at=clock.now(), weights=values, outcomes=outcomes
    )
    session.add(row)
    said = report.words if report else _("The shipped weights hold again.")
    audit(
        session,
        object=NAME,
        record_id=row.id,
        action="refitted",
        title=said,
        changes={"weights": [None, values["by_signal"]]},
    )
    run_later(session, SCORES, once="refitted")


def _outcomes(session: Session) -> tuple[list[Evidence], list[bool]]:
    statement = (
        select(SecondCar)
        .where(SecondCar.outcome.in_((*HITS, *MISSES)), SecondCar.deleted_at.is_(None))
        .order_by(SecondCar.asked_on.desc().nulls_last(), SecondCar.id)
        .limit(MOST)
    )
    rows = session.execute(statement).scalars().all()
    known: list[Evidence] = []
    for at in range(0, len(rows), BATCH):
        batch = rows[at : at + BATCH]
        there = homes(session, [one.customer_id for one in batch])
        known += [evidence(one, there[one.customer_id]) for one in batch]
    return known, [one.outcome in HITS for one in rows]
