"""Pipelines and stages: what a firm sets up, and what is kept from it."""

import pytest

from kehu.core.errors import Conflict, Forbidden, InvalidInput
from kehu.deals.services import DealService
from kehu.deals.setup_services import PipelineService, StageService


@pytest.fixture
def stages(session):
    return StageService(session)


@pytest.fixture
def pipeline_id(session):
    return DealService(session).first_stage().pipeline_id


def names(stages, pipeline_id):
    return [stage.name for stage in stages.of(pipeline_id)]


def test_a_new_stage_stands_before_the_closing_ones(stages, pipeline_id):
    made = stages.create({"name": "Measured", "probability": "30", "usual_days": "5"})
    assert made.outcome == "open"
    assert made.pipeline_id == pipeline_id
    assert names(stages, pipeline_id) == [
        "New",
        "Qualified",
        "Proposal sent",
        "Negotiation",
        "Measured",
        "Won",
        "Lost",
    ]
    kept = stages.create({"name": "Won again", "outcome": "won", "probability": "10"})
    assert kept.probability == 100
    assert names(stages, pipeline_id)[-3:] == ["Won", "Won again", "Lost"]


def test_stages_are_put_in_order(stages, pipeline_id):
    found = stages.of(pipeline_id)
    stages.reorder(pipeline_id, [found[2].id, found[0].id])
    assert names(stages, pipeline_id) == ["Proposal sent", "New", "Qualified", "Negotiation", "Won", "Lost"]


def test_a_stage_with_deals_needs_a_target(session, stages, pipeline_id):
    new, qualified, *_rest, won, lost = stages.of(pipeline_id)
    made = DealService(session).create({"name": "Desk"})
    with pytest.raises(InvalidInput) as caught:
        stages.retire(new.id)
    assert set(caught.value.fields) == {"target_id"}
    with pytest.raises(InvalidInput):
        stages.retire(new.id, won.id)
    stages.retire(new.id, qualified.id)
    assert made.stage_id == qualified.id
    with pytest.raises(Conflict):
        stages.trash(lost.id)


def test_the_meaning_of_a_stage_with_deals_stays(session, stages, pipeline_id):
    new, qualified = stages.of(pipeline_id)[:2]
    DealService(session).create({"name": "Desk"})
    with pytest.raises(InvalidInput) as caught:
        stages.update(new.id, {"outcome": "won"})
    assert set(caught.value.fields) == {"outcome"}
    session.refresh(new)
    stages.update(qualified.id, {"outcome": "lost", "probability": 40})
    assert (qualified.outcome, qualified.probability) == ("lost", 0)


def test_pipelines_come_with_stages_and_go_when_empty(session, stages, pipeline_id):
    service = PipelineService(session)
    made = service.create({"name": "Service contracts"})
    assert names(stages, made.id) == ["New", "Won", "Lost"]
    deal = DealService(session).create({"name": "Plan", "stage_id": stages.of(made.id)[0].id})
    assert deal.pipeline_id == made.id
    with pytest.raises(Conflict):
        service.trash(made.id)
    with pytest.raises(Conflict):
        service.trash(pipeline_id)
    DealService(session).trash(deal.id)
    service.make_default(made.id)
    assert DealService(session).create({"name": "Next"}).pipeline_id == made.id
    service.trash(pipeline_id)


def test_members_only_look(shop):
    member = shop.member("member")
    with shop.work(member) as session:
        service = StageService(session)
        first = DealService(session).first_stage()
        assert service.of(first.pipeline_id)
        with pytest.raises(Forbidden):
            service.update(first.id, {"name": "Mine"})
        with pytest.raises(Forbidden):
            service.reorder(first.pipeline_id, [])
