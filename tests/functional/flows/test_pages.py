"""The pages of workflows: from nothing to one that runs, as an admin does it; nobody else may."""

import re

import pytest
from sqlalchemy import select

from kehu.flows.models import Flow

SCRIPT = {"HX-Request": "true"}


def only(shop):
    with shop.work() as session:
        return session.execute(select(Flow)).scalar_one()


def test_from_nothing_to_a_run(shop, desk):
    admin = shop.member("admin", "Ada")
    client = shop.client(admin)
    assert "No workflow yet" in client.get("/settings/workflows").get_data(as_text=True)
    form = client.get("/settings/workflows/new?object=deals&trigger=date&name=X", headers=SCRIPT)
    assert "expected_close" in form.get_data(as_text=True)
    made = client.post(
        "/settings/workflows/new",
        data={
            "name": "Follow up",
            "object": "deals",
            "trigger": "created",
            "condition": "/deals?amount.gte=100",
        },
        headers=SCRIPT,
    )
    assert made.status_code == 204, made.get_data(as_text=True)
    flow = only(shop)
    base = f"/settings/workflows/{flow.id}"
    assert (flow.active, flow.condition, flow.acting_id) == (False, "amount.gte=100", admin.member_id)
    early = client.post(f"{base}/switch", data={"version": "1"}, headers=SCRIPT)
    assert early.status_code == 422
    for do in ("set", "task", "assign", "mail", "webhook", "approve", "wait"):
        assert client.get(f"{base}/steps/new?do={do}", headers=SCRIPT).status_code == 200
    assert client.get(f"{base}/steps/new?do=fly", headers=SCRIPT).status_code == 404
    wrong = client.post(
        f"{base}/steps/new?do=task", data={"text": "", "days": "2", "version": "1"}, headers=SCRIPT
    )
    assert wrong.status_code == 422
    for at, data in enumerate(({"text": "First", "days": "0"}, {"text": "Second", "days": "4"}), start=1):
        answer = client.post(
            f"{base}/steps/new?do=task", data={**data, "member": "", "version": str(at)}, headers=SCRIPT
        )
        assert answer.status_code == 204, answer.get_data(as_text=True)
    assert client.post(f"{base}/steps/1/shift", data={"version": "3"}, headers=SCRIPT).status_code == 204
    assert [step["text"] for step in only(shop).steps] == ["Second", "First"]
    edited = client.post(
        f"{base}/steps/1", data={"text": "Third", "days": "1", "version": "4"}, headers=SCRIPT
    )
    assert edited.status_code == 204
    assert client.post(f"{base}/steps/0/drop", data={"version": "5"}, headers=SCRIPT).status_code == 204
    assert client.get(f"{base}/rehearse", headers=SCRIPT).status_code == 200
    assert client.post(f"{base}/switch", data={"version": "6"}, headers=SCRIPT).status_code == 204
    desk.renew()
    deal = desk.make("deals", name="Desk", amount="100")
    desk.work()
    page = client.get(base).get_data(as_text=True)
    assert f"/deals/{deal}" in page
    assert "Added a task for" in page
    assert "Value: " in page
    assert re.search(r"Ada", page)
    listed = client.get("/settings/workflows").get_data(as_text=True)
    assert "Follow up" in listed
    history = client.get(f"/deals/{deal}").get_data(as_text=True)
    assert "Third" in history
    gone = client.post(f"{base}/trash", data={"version": "7"}, headers=SCRIPT)
    assert gone.status_code == 204
    assert client.get(base).status_code == 404


@pytest.mark.parametrize("role", ["manager", "member", "viewer"])
def test_only_owners_and_admins(shop, desk, role):
    flow = desk.flow()
    client = shop.client(shop.member(role))
    for path in ("", "/new", f"/{flow}", f"/{flow}/edit", f"/{flow}/rehearse", f"/{flow}/steps/new?do=task"):
        assert client.get(f"/settings/workflows{path}").status_code == 403, path
    assert client.post(f"/settings/workflows/{flow}/switch", headers=SCRIPT).status_code == 403
    assert "workflows" not in client.get("/settings").get_data(as_text=True)


def test_a_set_field_asks_with_the_fields_own_control(shop, desk):
    flow = desk.flow(object="tickets", active=False)
    client = shop.client()
    path = f"/settings/workflows/{flow}/steps/new?do=set"
    page = client.get(f"{path}&field=priority", headers=SCRIPT).get_data(as_text=True)
    assert 'name="value"' in page
    assert "<option" in page.split('name="value"')[1]
    data = {"field": "assignee_id", "value": str(shop.owner.member_id), "version": "1"}
    answer = client.post(path, data=data, headers=SCRIPT)
    assert answer.status_code == 204, answer.get_data(as_text=True)
    page = client.get(f"/settings/workflows/{flow}").get_data(as_text=True)
    assert shop.owner.name in page


@pytest.mark.parametrize("key", ["won", "quiet", "closing"])
def test_a_ready_made_one_is_taken_rehearsed_and_switched_on(shop, desk, key):
    client = shop.client()
    assert f"examples/{key}" in client.get("/settings/workflows").get_data(as_text=True)
    assert client.post(f"/settings/workflows/examples/{key}", headers=SCRIPT).status_code == 204
    flow = only(shop)
    assert not flow.active
    base = f"/settings/workflows/{flow.id}"
    assert client.get(base).status_code == 200
    assert "k-notice-bad" not in client.get(f"{base}/rehearse", headers=SCRIPT).get_data(as_text=True)
    answer = client.post(f"{base}/switch", data={"version": "1"}, headers=SCRIPT)
    assert answer.status_code == 204
    assert client.post("/settings/workflows/examples/none", headers=SCRIPT).status_code == 404
