"""What a firm sets up before it sells: pipelines, their stages, products."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _, _n
from kehu.core.ids import new_id, parse_id
from kehu.core.money import is_currency
from kehu.core.records.service import RecordService
from kehu.core.text import fold
from kehu.deals.models import Deal, Pipeline, Product, Stage
from kehu.deals.services import DealService, refused

ORDER = "_order"
"""Key in the trail under which a new order of stages is kept, for undo."""


Step = tuple[str, int, str, int | None]
"""Name, probability, outcome and usual days of a stage."""


class PipelineService(RecordService[Pipeline]):
    """Write pipelines."""

    type_name = "pipelines"

    def defaults(self) -> dict[str, Any]:
        """A new pipeline comes last and is not the default one."""
        last = self.session.execute(select(func.max(Pipeline.position))).scalar() or 0
        return {"position": last + 1, "is_default": False}

    def saved(self, records: Sequence[Pipeline], action: str) -> None:
        """Give a new pipeline the three stages without which it is no use."""
        if action != "created":
            return
        steps = ((_("New"), 10, "open", None), (_("Won"), 100, "won", None), (_("Lost"), 0, "lost", None))
        for record in records:
            self._add_stages(record, steps)

    def _add_stages(self, record: Pipeline, steps: Sequence[Step]) -> list[Stage]:
        stages = [
            Stage(
                id=new_id(),
                version=1,
                pipeline_id=record.id,
                name=name,
                position=at,
                probability=chance,
                outcome=outcome,
                usual_days=days,
            )
            for at, (name, chance, outcome, days) in enumerate(steps, 1)
        ]
        self.session.add_all(stages)
        self.session.flush()  # Deals may point at them in the same unit of work.
        return stages

    def make_default(self, pipeline_id: object) -> Pipeline:
        """Let new deals start in this pipeline."""
        chosen = self.get(pipeline_id, action="write", lock=True)
        for record in self.session.execute(select(Pipeline).where(Pipeline.is_default)).scalars():
            record.is_default = False
        chosen.is_default = True
        self._stamp(chosen)
        self._flush()
        return chosen

    def trash(self, record_id: object, *, version: int | None = None) -> Pipeline:
        """Retire a pipeline that holds no deals and is not the default one.

        :raises Conflict: says what stands against it.
        """
        record = self.get(record_id, action="delete")
        held = _count(self.session, Deal.pipeline_id == record.id)
        if record.is_default:
            raise Conflict(
                _("New deals start in “%(name)s”. Make another pipeline the default first.", name=record.name)
            )
        if held:
            raise Conflict(
                _n(
                    "“%(name)s” holds %(num)s deal. Move it to another pipeline first.",
                    "“%(name)s” holds %(num)s deals. Move them to another pipeline first.",
                    held,
                    name=record.name,
                )
            )
        return super().trash(record_id, version=version)

    def search_texts(self, record: Pipeline) -> Iterable[tuple[str, str]]:
        """Pipelines are not searched for."""
        return ()


class ReadyPipelines(PipelineService):
    """Makes pipelines whose stages are known."""

    def make(self, name: str, steps: Sequence[Step]) -> tuple[Pipeline, list[Stage]]:
        """Make a pipeline with its stages in their order."""
        self._steps, self._made = steps, list[Stage]()
        return self.create({"name": name}), self._made

    def saved(self, records: Sequence[Pipeline], action: str) -> None:
        """Give it its own stages."""
        for record in records if action == "created" else ():
            self._made = self._add_stages(record, self._steps)


class StageService(RecordService[Stage]):
    """Write the stages of pipelines."""

    type_name = "stages"

    def defaults(self) -> dict[str, Any]:
        """A new stage is open and belongs to the default pipeline."""
        found = (
            select(Pipeline.id)
            .where(Pipeline.deleted_at.is_(None))
            .order_by(Pipeline.is_default.desc(), Pipeline.position)
        )
        return {"pipeline_id": self.session.execute(found.limit(1)).scalar(), "probability": 0}

    def of(self, pipeline_id: object) -> list[Stage]:
        """Return the live stages of a pipeline in their order."""
        self.actor.require("stages:read")
        statement = select(Stage).where(
            Stage.pipeline_id == parse_id(pipeline_id), Stage.deleted_at.is_(None)
        )
        return list(self.session.execute(statement.order_by(Stage.position, Stage.id)).scalars())

    def prepare(self, record: Stage, changed: set[str]) -> None:
        """Won is certain, lost is not to be expected; a new stage stands before the closing ones."""
        record.probability = {"won": 100, "lost": 0}.get(record.outcome or "open", record.probability or 0)
        place: Any = record.position
        if place is None:
            self._place(record)

    def _place(self, record: Stage) -> None:
        others = self.of(record.pipeline_id)
        kind = record.outcome or "open"
        stands_after = {"open": ("open",), "won": ("open", "won"), "lost": ("open", "won", "lost")}[kind]
        before = [one for one in others if one.outcome in stands_after]
        _number([*before, record, *(one for one in others if one not in before)])

    def check(self, record: Stage, changed: set[str]) -> None:
        """Refuse a change of meaning, or of pipeline, while deals stand in the stage."""
        moved = changed & {"outcome", "pipeline_id"}
        if not moved or record not in self.session:
            return
        with self.session.no_autoflush:
            held = _count(self.session, Deal.stage_id == record.id)
        if held:
            raise refused(
                min(moved),
                _n(
                    "%(num)s deal stands in this stage. Move it first, then change what the stage means.",
                    "%(num)s deals stand in this stage. Move them first, then change what the stage means.",
                    held,
                ),
            )

    def reorder(self, pipeline_id: object, stage_ids: Sequence[object]) -> list[Stage]:
        """Put the stages of a pipeline into an order; those not named keep theirs, behind."""
        self.actor.require("stages:write")
        stages = self.of(pipeline_id)
        before = [stage.id for stage in stages]
        wanted = [parse_id(one) for one in stage_ids]
        place = {one: at for at, one in enumerate(wanted) if one is not None}
        stages.sort(key=lambda stage: (place.get(stage.id, len(place)), stage.position))
        after = [stage.id for stage in stages]
        if after != before:
            _number(stages)
            self._flush()
            order = [[str(one) for one in before], [str(one) for one in after]]
            self._trail(stages[0], "reordered", {ORDER: order})
        return stages

    def undone(self, record: Stage, changes: Mapping[str, list[Any]]) -> None:
        """Put the stages back into the order that they had."""
        before = changes.get(ORDER, [None])[0]
        if before:
            self.reorder(record.pipeline_id, before)

    def retire(self, stage_id: object, target_id: object = None, *, lost_reason: str | None = None) -> Stage:
        """Put a stage into the trash; its deals go to another stage of the same meaning first.

        :raises InvalidInput: names `target_id` when deals stand in it and no other stage is named.
        :raises Conflict: when the pipeline would be left without a stage of this meaning.
        """
        record = self.get(stage_id, action="delete", lock=True)
        if not any(
            one.outcome == record.outcome and one.id != record.id for one in self.of(record.pipeline_id)
        ):
            raise Conflict(
                _(
                    "“%(name)s” is the last stage of its kind in this pipeline; it can be renamed.",
                    name=record.name,
                )
            )
        held = self._deals_in(record.id)
        if held:
            target = self._target(record, target_id)
            deals = DealService(self.session, self.actor)
            for deal_id in held:
                deals.move(deal_id, target.id, lost_reason=lost_reason)
        self._trash(record)
        return record

    def trash(self, record_id: object, *, version: int | None = None) -> Stage:
        """Put a stage that holds no deals into the trash."""
        return self.retire(record_id)

    def _deals_in(self, stage_id: uuid.UUID) -> Sequence[uuid.UUID]:
        statement = select(Deal.id).where(Deal.stage_id == stage_id, Deal.deleted_at.is_(None))
        return self.session.execute(statement.order_by(Deal.rank.desc(), Deal.id.desc())).scalars().all()

    def _target(self, record: Stage, target_id: object) -> Stage:
        wanted = parse_id(target_id)
        others = {
            one.id: one
            for one in self.of(record.pipeline_id)
            if one.id != record.id and one.outcome == record.outcome
        }
        if wanted not in others:
            raise refused(
                "target_id",
                _("Deals stand in “%(name)s”. Choose the stage that they go to.", name=record.name),
            )
        return others[wanted]

    def search_texts(self, record: Stage) -> Iterable[tuple[str, str]]:
        """Stages are not searched for."""
        return ()


class ProductService(RecordService[Product]):
    """Write products."""

    type_name = "products"

    def defaults(self) -> dict[str, Any]:
        """A new product is priced in the tenant's currency."""
        return {"currency": self.tenant.currency}

    def prepare(self, record: Product, changed: set[str]) -> None:
        """Normalise name and currency."""
        record.name_norm = fold(record.name)
        record.currency = (record.currency or self.tenant.currency).upper()

    def check(self, record: Product, changed: set[str]) -> None:
        """Refuse an unknown currency and an article number that stands elsewhere."""
        if not is_currency(record.currency):
            raise refused("currency", _("“%(code)s” is no currency; write it as EUR.", code=record.currency))
        if not record.code or "code" not in changed:
            return
        with self.session.no_autoflush:
            other = self.session.execute(
                select(Product.name)
                .where(Product.code == record.code, Product.id != record.id, Product.deleted_at.is_(None))
                .limit(1)
            ).scalar()
        if other is not None:
            message = _("“%(name)s” has this article number already.", name=other)
            raise InvalidInput(message, fields={"code": [message]})

    def search_texts(self, record: Product) -> Iterable[tuple[str, str]]:
        """Find a product by name, article number and series."""
        yield "name", record.name
        if record.code:
            yield "code", record.code
        if record.series:
            yield "text", record.series


def _number(stages: Sequence[Stage]) -> None:
    for at, stage in enumerate(stages, 1):
        if stage.position != at:
            stage.position = at


def _count(session: Any, condition: Any) -> int:
    statement = select(func.count()).select_from(Deal).where(condition, Deal.deleted_at.is_(None))
    return int(session.execute(statement).scalar_one())
