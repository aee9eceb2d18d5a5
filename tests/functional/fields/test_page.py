"""The page of own fields: made, changed, moved, retired and deleted as an admin does it."""

import pytest
from sqlalchemy import select

from kehu.core import context, hooks
from kehu.core.records.own_tables import CustomField
from kehu.core.records.service import service_for
from kehu.core.records.types import get
from kehu.customers.models import Customer
from kehu.fields.kinds import KINDS
from kehu.testkit.queue import work_off

URL = "/settings/fields"
SCRIPT = {"HX-Request": "true"}


def renew(shop):
    with shop.work():
        shop.tenant = hooks.tenant_by_id(shop.tenant.id)


def kept(shop):
    with shop.work() as session:
        return session.execute(select(CustomField).order_by(CustomField.position)).scalars().all()


@pytest.mark.parametrize("kind", [one.value for one in KINDS])
def test_a_field_of_each_kind_is_made_and_stands_on_every_page(shop, kind):
    client = shop.client()
    url = f"{URL}/new?of=customers&kind={kind}"
    assert client.get(url, headers=SCRIPT).status_code == 200
    form = {
        "label": "Bark",
        "option.value": ["", ""],
        "option.label": ["Rough", "Smooth"],
        "option.tone": ["", ""],
    }
    form |= {"target": "customers", "in_list": "1", "help": "Look closely"}
    assert client.post(url, data=form, headers=SCRIPT).status_code == 204
    (field,) = kept(shop)
    assert (field.key, field.kind) == ("c_bark", kind)
    with shop.work() as session:
        record_id = service_for("customers", session).create({"name": "Timber Ltd"}).id
    for page in (
        f"{URL}?of=customers",
        "/customers/new?full=1",
        f"/customers/{record_id}",
        "/customers?sort=-c_bark",
    ):
        answer = client.get(page)
        assert answer.status_code == 200
        assert "Bark" in answer.text, page
    assert "c_bark" in client.get("/api/v1/openapi.json").text
    assert client.get(f"/customers/{record_id}/field/c_bark", headers=SCRIPT).status_code == 200
    assert client.get("/customers/export.csv").text.count("Bark") == 1


def test_values_go_through_form_list_file_and_programs(shop):
    client = shop.client()
    form = {
        "label": "Wood",
        "option.value": ["", ""],
        "option.label": ["Oak", "Elm"],
        "option.tone": ["", ""],
    }
    for kind, name in (("choices", "Wood"), ("money", "Limit"), ("percent", "Rebate")):
        url = f"{URL}/new?of=customers&kind={kind}"
        assert (
            client.post(url, data={**form, "label": name, "in_list": "1"}, headers=SCRIPT).status_code == 204
        )
    sent = {
        "name": "Timber Ltd",
        "__has.c_wood": "1",
        "c_wood": ["elm", "oak"],
        "c_limit": "1.234,50",
        "c_rebate": "x",
    }
    refused = client.post("/customers/new?full=1", data=sent)
    assert refused.status_code == 422
    assert "1.234,50" in refused.text
    assert client.post("/customers/new?full=1", data={**sent, "c_rebate": "2.5 %"}).status_code in (
        200,
        204,
        303,
    )
    file = client.get("/customers/export.csv").text
    assert "Oak; Elm" in file
    assert "1234.50" in file
    head = {"Authorization": f"Bearer {shop.token()}"}
    row = client.get("/api/v1/customers?c_wood=elm&c_limit.gte=1000", headers=head).json["data"][0]
    assert (row["c_wood"], row["c_limit"], row["c_rebate"]) == (["oak", "elm"], "1234.50", "2.5")
    wrong = client.patch(
        f"/api/v1/customers/{row['id']}", json={"c_wood": ["plastic"]}, headers={**head, "If-Match": "*"}
    )
    assert wrong.status_code == 422
    assert list(wrong.json["errors"]) == ["c_wood"]


def test_an_option_is_renamed_and_keeps_its_records(shop):
    client = shop.client()
    form = {"label": "Wood", "option.value": [""], "option.label": ["Oak"], "option.tone": [""]}
    client.post(f"{URL}/new?of=customers&kind=choice", data=form, headers=SCRIPT)
    (field,) = kept(shop)
    renew(shop)
    with shop.work() as session:
        service_for("customers", session).create({"name": "One", "c_wood": "oak"})
    form |= {"option.value": ["oak", ""], "option.label": ["Fine oak", "Elm"], "option.tone": ["", ""]}
    assert client.post(f"{URL}/{field.id}", data=form, headers=SCRIPT).status_code == 204
    assert "Fine oak" in client.get("/customers?columns=c_wood").text


def test_retiring_says_what_uses_it_and_comes_back_with_the_values(shop, make_field):
    key = make_field("Colour")
    (field,) = kept(shop)
    with shop.work() as session:
        service_for("customers", session).create({"name": "One", key: "Green"})
    client = shop.client()
    view = {"type": "customers", "name": "Green ones", "query": f"{key}=green"}
    assert client.post("/views/new", data=view).status_code < 400
    told = client.get(f"{URL}/{field.id}/retire", headers=SCRIPT).text
    assert "1 record has a value" in told
    assert "Green ones" in told
    assert client.post(f"{URL}/{field.id}/retire", headers=SCRIPT).status_code == 204
    work_off(shop)
    renew(shop)
    with shop.work():
        assert key not in get("customers").by_key
    assert client.post(f"{URL}/{field.id}/retire", headers=SCRIPT).status_code == 204
    work_off(shop)
    renew(shop)
    head = {"Authorization": f"Bearer {shop.token()}"}
    assert len(client.get(f"/api/v1/customers?{key}=green", headers=head).json["data"]) == 1
    assert client.post(f"{URL}/{field.id}/trash", headers=SCRIPT).status_code == 204
    assert "Colour" not in client.get(URL).text


def test_a_stale_form_overwrites_nothing_and_members_stay_out(shop, make_field):
    make_field("Colour")
    (field,) = kept(shop)
    client = shop.client()
    assert (
        client.post(f"{URL}/{field.id}", data={"label": "Hue", "version": "1"}, headers=SCRIPT).status_code
        == 204
    )
    late = client.post(f"{URL}/{field.id}", data={"label": "Tint", "version": "1"}, headers=SCRIPT)
    assert late.status_code == 409
    assert kept(shop)[0].label == "Hue"
    member = shop.client(shop.member())
    for answer in (member.get(URL), member.post(f"{URL}/{field.id}/trash", headers=SCRIPT)):
        assert answer.status_code == 403


def test_another_firm_changes_nothing(shop, other_shop, make_field):
    make_field("Colour")
    (field,) = kept(shop)
    stranger = other_shop.client()
    for act in ("", "/retire", "/trash", "/shift"):
        assert stranger.post(f"{URL}/{field.id}{act}", data={"label": "X"}, headers=SCRIPT).status_code == 404
    assert kept(shop)[0].label == "Colour"


def test_fields_are_moved(shop, make_field):
    make_field("One")
    make_field("Two")
    client = shop.client()
    two = kept(shop)[1]
    assert client.post(f"{URL}/{two.id}/shift?by=-1", headers=SCRIPT).status_code == 204
    assert [row.label for row in kept(shop)] == ["Two", "One"]
    renew(shop)
    with shop.work():
        assert [one.label for one in get("customers").fields if one.own] == ["Two", "One"]
        assert context.tenant().id == shop.tenant.id
    assert Customer.__tablename__ == "customers"
