"""Settings of pipelines: stages are added, changed, ordered and retired; products are listed."""

import json

import pytest

from kehu.core.ids import new_id
from kehu.deals.services import DealService
from kehu.deals.setup_services import ProductService, StageService

SCRIPT = {"HX-Request": "true"}


@pytest.fixture
def stages(shop):
    with shop.work() as session:
        service = DealService(session)
        return {stage.name: stage.id for stage in service.stages().values()}


@pytest.fixture
def pipeline_id(shop):
    with shop.work() as session:
        return DealService(session).first_stage().pipeline_id


def order(shop, pipeline_id):
    with shop.work() as session:
        return [stage.name for stage in StageService(session).of(pipeline_id)]


def undo_of(answer):
    return json.loads(answer.headers["HX-Trigger"])["kehu:toast"]["items"][0]["undo_url"]


def test_the_page_lists_the_stages(shop, stages):
    page = shop.client().get("/settings/pipelines")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert all(name in text for name in stages)


def test_a_stage_is_added_and_changed(shop, pipeline_id, stages):
    client = shop.client()
    url = f"/settings/pipelines/{pipeline_id}/stages/new"
    assert "New stage" in client.get(url).get_data(as_text=True)
    assert client.post(url, data={"name": ""}).status_code == 422
    assert client.post(url, data={"name": "Measured", "probability": "101"}).status_code == 422
    assert (
        client.post(url, data={"name": "Measured", "probability": "40", "usual_days": "5"}).status_code == 204
    )
    assert order(shop, pipeline_id)[4] == "Measured"
    edit = f"/settings/stages/{stages['New']}"
    assert "Stage “New”" in client.get(edit).get_data(as_text=True)
    assert client.post(edit, data={"name": "Fresh", "version": "1"}).status_code == 204
    assert client.post(edit, data={"name": "Fresher", "version": "1"}).status_code == 409
    assert "Fresh" in order(shop, pipeline_id)


def test_a_new_order_can_be_undone(shop, pipeline_id, stages):
    client = shop.client()
    before = order(shop, pipeline_id)
    answer = client.post(f"/settings/stages/{stages['New']}/shift?by=1", headers=SCRIPT)
    assert order(shop, pipeline_id)[:2] == ["Qualified", "New"]
    assert client.post(undo_of(answer), headers=SCRIPT).status_code < 300
    assert order(shop, pipeline_id) == before
    client.post(f"/settings/stages/{stages['New']}/shift?by=-1", headers=SCRIPT)
    assert order(shop, pipeline_id) == before


def test_retiring_a_stage_moves_its_deals_and_can_be_undone(shop, pipeline_id, stages):
    client = shop.client()
    with shop.work() as session:
        deal_id = DealService(session).create({"name": "Desk"}).id
    url = f"/settings/stages/{stages['New']}/retire"
    assert "1 deal stands in this stage" in client.get(url).get_data(as_text=True)
    assert client.post(url, data={}).status_code == 422
    answer = client.post(url, data={"target_id": str(stages["Qualified"])}, headers=SCRIPT)
    assert answer.status_code == 204
    assert "New" not in order(shop, pipeline_id)
    with shop.work() as session:
        assert DealService(session).get(deal_id).stage_id == stages["Qualified"]
    assert client.post(undo_of(answer), headers=SCRIPT).status_code < 300
    with shop.work() as session:
        assert DealService(session).get(deal_id).stage_id == stages["New"]
    assert client.post(f"/settings/stages/{stages['Won']}/retire").status_code == 409


def test_pipelines_come_and_go(shop, pipeline_id):
    client = shop.client()
    assert client.post("/settings/pipelines/new", data={"name": " "}).status_code == 422
    assert client.post("/settings/pipelines/new", data={"name": "Service"}).status_code == 303
    text = client.get("/settings/pipelines").get_data(as_text=True)
    assert "Service" in text
    with shop.work() as session:
        other = next(
            s.pipeline_id for s in DealService(session).stages().values() if s.pipeline_id != pipeline_id
        )
    assert client.post(f"/settings/pipelines/{other}", data={"name": "Upkeep"}).status_code == 204
    assert client.get(f"/deals/board?pipeline={other}").get_data(as_text=True).count("data-stage=") == 3
    assert client.post(f"/settings/pipelines/{other}/default").status_code == 204
    assert client.post(f"/settings/pipelines/{other}/retire").status_code == 409
    assert client.post(f"/settings/pipelines/{pipeline_id}/retire").status_code == 303
    assert "Upkeep" in client.get("/deals/board").get_data(as_text=True)


def test_only_who_may_set_up(shop, other_shop, pipeline_id, stages):
    member, stranger = shop.client(shop.member("member")), other_shop.client()
    for client, status in ((member, 403), (stranger, 404)):
        assert client.get(f"/settings/stages/{stages['New']}").status_code == status
        assert client.post(f"/settings/stages/{stages['New']}", data={"name": "x"}).status_code == status
        assert client.post(f"/settings/stages/{stages['New']}/retire").status_code == status
        assert client.post(f"/settings/stages/{stages['New']}/shift?by=1").status_code == status
        assert client.post(f"/settings/pipelines/{pipeline_id}", data={"name": "x"}).status_code == status
        assert (
            client.post(f"/settings/pipelines/{pipeline_id}/stages/new", data={"name": "x"}).status_code
            == status
        )
        assert client.post(f"/settings/pipelines/{pipeline_id}/default").status_code == status
    assert member.get("/settings/pipelines").status_code == 403
    assert shop.client().get(f"/settings/pipelines?pipeline={new_id()}").status_code == 200


def test_products(shop):
    with shop.work() as session:
        made = ProductService(session).create({"name": "Oak worktop", "code": "OW-40", "price": "385"})
    client = shop.client()
    assert "Oak worktop" in client.get("/products").get_data(as_text=True)
    assert "£385" in client.get(f"/products/{made.id}").get_data(as_text=True)
    member = shop.client(shop.member("member"))
    assert member.get("/products").status_code == 200
    assert member.post("/products/new", data={"name": "x"}).status_code == 403
