"""A workflow asks a member and goes on or ends by his word alone."""

import pytest
from sqlalchemy import text

from kehu.core.errors import NotFound
from kehu.core.records.service import service_for
from kehu.flows import approvals

SCRIPT = {"HX-Request": "true"}


@pytest.fixture
def asked(shop, desk):
    ben = shop.member("manager", "Ben")
    flow = desk.flow(
        {"do": "approve", "member": str(ben.member_id), "text": "May {name} go?"},
        {"do": "set", "field": "source", "value": "Fair"},
    )
    deal = desk.make("deals", name="Desk")
    desk.work()
    (run,) = desk.runs(flow)
    assert (run.state, run.step) == ("asking", 1), run.told
    return ben, flow, deal, run


def test_yes_lets_it_go_on_once(shop, desk, asked):
    ben, flow, deal, run = asked
    client = shop.client(ben)
    page = client.get("/approvals").get_data(as_text=True)
    assert "May Desk go?" in page
    words = shop.client().get(f"/settings/workflows/{flow}?state=asking").get_data(as_text=True)
    assert "Asked Ben for approval" in words
    assert "go on if he agrees" in words
    desk.work()
    assert not desk.read("deals", deal).source
    assert client.post(f"/approvals/{run.id}", data={"answer": "yes"}, headers=SCRIPT).status_code == 204
    assert client.post(f"/approvals/{run.id}", data={"answer": "no"}, headers=SCRIPT).status_code == 404
    desk.work()
    (run,) = desk.runs(flow)
    assert run.state == "done", run.told
    assert desk.read("deals", deal).source == "Fair"
    assert "Ben agreed" in [line["text"] for line in run.told]
    assert "May Desk go?" not in client.get("/approvals").get_data(as_text=True)


def test_no_ends_it(shop, desk, asked):
    ben, flow, deal, run = asked
    assert (
        shop.client(ben).post(f"/approvals/{run.id}", data={"answer": "no"}, headers=SCRIPT).status_code
        == 204
    )
    desk.work()
    assert desk.runs(flow)[0].state == "stopped"
    assert not desk.read("deals", deal).source


def test_nobody_else_may_answer(shop, other_shop, desk, asked):
    _ben, flow, _deal, run = asked
    for client in (shop.client(), shop.client(shop.member("manager", "Eve")), other_shop.client()):
        assert "May Desk go?" not in client.get("/approvals").get_data(as_text=True)
        assert client.post(f"/approvals/{run.id}", data={"answer": "yes"}, headers=SCRIPT).status_code == 404
    assert desk.runs(flow)[0].state == "asking"


def test_what_is_in_the_trash_is_not_asked_and_the_mail_says_where(shop, desk, asked):
    ben, _flow, deal, run = asked
    with shop.work() as session:
        args = session.execute(
            text(
                "SELECT args FROM procrastinate_jobs WHERE task_name = 'kehu.mail.deliver' "
                "AND args->>'tenant_id' = :id AND args->>'template' = 'flows/mail/asked'"
            ),
            {"id": str(shop.tenant.id)},
        ).scalar_one()
        assert (args["to"], args["values"]["text"]) == (ben.email, "May Desk go?")
        service_for("deals", session).trash(deal)
    with shop.work(ben) as session:
        assert approvals.asked(session) == []
        with pytest.raises(NotFound):
            approvals.answer(session, run.id, yes=True)
