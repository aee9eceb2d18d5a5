"""A field that a role may not see leaves by no way, and one that it may not change is changed by none (SAS-22)."""

import json
import zipfile
from dataclasses import replace
from io import BytesIO

import pytest
from sqlalchemy import select

from kehu.core import context, hooks
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, Forbidden, InvalidInput
from kehu.core.records import rights
from kehu.core.records.service import service_for
from kehu.core.records.types import get as get_type
from kehu.core.records.types import unrestricted
from kehu.customers.models import Customer
from kehu.customers.services import CustomerService
from kehu.fields.services import FieldService
from kehu.rules.field_rights import FieldRuleService
from kehu.testkit.fixtures import count_queries
from tests.functional.attacks.test_every_address import addresses
from tests.functional.attacks.world import fill

SCRIPT = {"HX-Request": "true"}
SECRET = "Quartzmargin"
OBJECTS = ("customers", "contacts", "deals", "tickets", "activities")


def renew(shop):
    with shop.work():
        shop.tenant = hooks.tenant_by_id(shop.tenant.id)


def text_of(answer):
    return answer.get_data(as_text=True)


def own_field(shop, of="customers", **more):
    with shop.work() as session:
        given = {"object": of, "label": "Zedmargin", "kind": "text", "searchable": True, **more}
        key = FieldService(session).create(given).key
    renew(shop)
    return key


def say(shop, of, key, seen, edited=None, actor=None):
    with shop.work(actor) as session:
        FieldRuleService(session).put(of, key, seen, edited)
    renew(shop)


@pytest.fixture
def world(shop):
    """A firm with an own field of customers that managers and owners see, and a clerk who does not."""
    shop.key = own_field(shop)
    shop.clerk = shop.member("member", "Clerk Kent")
    with shop.work() as session:
        shop.secret = CustomerService(session).create({"name": "Alpha", shop.key: SECRET}).id
        shop.other = CustomerService(session).create({"name": "Beta", shop.key: "Plain"}).id
    with shop.work() as session:
        CustomerService(session).update(shop.secret, {shop.key: f"{SECRET}2", "region": "North"})
    say(shop, "customers", shop.key, {"manager"})
    return shop


def bearer(shop, actor=None):
    return {"Authorization": f"Bearer {shop.token(actor=actor)}"}


def value(shop, key):
    with shop.work() as session:
        return getattr(session.get(Customer, (shop.tenant.id, shop.secret)), key)


def test_no_page_tells_it(world):
    """Every page of all addresses, opened by an admin whose role does not see the field."""
    ids = fill(world)
    keys = {of: own_field(world, of, label=f"Secret {of}") for of in OBJECTS if of != "customers"}
    keys["customers"] = world.key
    with world.work() as session:
        for of, key in keys.items():
            service_for(of, session).update(ids[of], {key: SECRET})
            service_for(of, session).update(ids[of], {key: f"{SECRET} {of}"})
    for of, key in keys.items():
        say(world, of, key, set())
    admin = world.member("admin", "Ada Min")
    client, owner, seen, faults = world.client(admin), world.client(), 0, []
    for method, url, _access, _rule in addresses(world.app, ids):
        if method != "GET":
            continue
        data = client.open(url, buffered=True).get_data()
        if SECRET.encode() in data:
            faults.append(url)
        if "/history" in url or url.startswith(tuple(f"/{of}/{ids[of]}" for of in OBJECTS)):
            seen += SECRET.encode() in owner.open(url, buffered=True).get_data()
    assert not faults, "\n".join(faults)
    assert seen >= 8  # The owner reads it on the very pages.


def test_lists_filters_sorting_and_counts(world):
    client, owner, key = world.client(world.clerk), world.client(), world.key
    for query in (
        f"columns={key}",
        f"{key}={SECRET}2",
        f"{key}.starts=Quartz",
        f"sort={key}",
        f"sort=-{key}",
        f"where={key}:{SECRET}2",
        f"where=or({key}.starts:Q,name.word:zz)",
    ):
        text = text_of(client.get(f"/customers?{query}"))
        assert SECRET in query or SECRET not in text
        # Refused or passed over like an unknown one: who is found does not depend on the value.
        unknown = text_of(client.get(f"/customers?{query.replace(key, 'c_nothing')}"))
        assert ("Alpha" in text, "Beta" in text) == ("Alpha" in unknown, "Beta" in unknown), query
    assert SECRET in text_of(owner.get(f"/customers?columns={key}"))
    assert "Beta" not in text_of(owner.get(f"/customers?{key}.starts=Quartz"))
    related = "/contacts?where=customer({}.starts:Quartz)"
    assert text_of(client.get(related.format(key))).count("{}") == text_of(
        client.get(related.format("c_nothing"))
    ).count("{}")
    for path in (f"/customers/filter?{key}=x", f"/customers/columns?columns={key}"):
        assert "Zedmargin" not in text_of(client.get(path))


def test_search_does_not_find_by_it(world):
    from kehu.fields.tasks import index

    with world.work() as session:
        from kehu.core.records.own_tables import CustomField

        field_id = session.execute(select(CustomField.id).where(CustomField.key == world.key)).scalar_one()
    index(tenant_id=str(world.tenant.id), member_id=str(world.owner.member_id), field_id=str(field_id))
    for actor in (world.clerk, world.owner):
        client = world.client(actor)
        for path in ("/search?q=quartzm", "/customers?q=quartzm", "/customers?where=q:quartzm"):
            assert "Alpha" not in text_of(client.get(path)), path
    with world.work() as session:
        FieldRuleService(session).put("customers", world.key, None, None)
    renew(world)
    index(tenant_id=str(world.tenant.id), member_id=str(world.owner.member_id), field_id=str(field_id))
    assert "Alpha" in text_of(world.client(world.clerk).get("/customers?q=quartzm"))


def test_forms_and_inline_edit(world):
    client, key = world.client(world.clerk), world.key
    for path in (f"/customers/{world.secret}/edit", "/customers/new", f"/customers/{world.secret}"):
        text = text_of(client.get(path, headers=SCRIPT))
        assert SECRET not in text
        assert key not in text
    inline = f"/customers/{world.secret}/field/{key}"
    assert client.get(inline, headers=SCRIPT).status_code == 404
    assert client.post(inline, data={key: "x"}, headers=SCRIPT).status_code == 404
    with world.work() as session:
        version = session.get(Customer, (world.tenant.id, world.secret)).version
    form = {"name": "Alpha", key: "stolen", "version": str(version)}
    client.post(f"/customers/{world.secret}/edit", data=form, headers=SCRIPT)
    assert value(world, key) == f"{SECRET}2"
    assert client.post("/customers/new", data={"name": "New", key: "x"}, headers=SCRIPT).status_code < 400
    assert client.get(f"/customers/{world.secret}/field/{key}/history").status_code == 404


def test_the_service_refuses_what_a_role_may_not_set(world):
    key = world.key
    with world.work(world.clerk) as session:
        service = CustomerService(session)
        with pytest.raises(InvalidInput) as error:
            service.update(world.secret, {key: "x"})
        assert list(error.value.fields) == [key]
        assert "Zedmargin" not in str(error.value.fields)
        with pytest.raises(InvalidInput):
            service.create({"name": "New", key: "x"})
        assert service.update_many({world.secret: {key: "x"}})[world.secret].errors
    assert value(world, key) == f"{SECRET}2"


def test_rest_reads_and_writes_without_it(world):
    client, key = world.client(), world.key
    head, whole_head = bearer(world, world.clerk), bearer(world)
    path = f"/api/v1/customers/{world.secret}"
    assert key not in client.get(path, headers=head).get_json()
    assert client.get(path, headers=whole_head).get_json()[key] == f"{SECRET}2"
    listed = client.get("/api/v1/customers", headers=head)
    assert SECRET not in text_of(listed)
    assert SECRET in text_of(client.get("/api/v1/customers", headers=whole_head))
    assert key not in client.get("/api/v1/customers", headers=head).get_json()["data"][0]
    for query in (f"{key}=x", f"sort={key}", f"fields={key}", f"where={key}:x"):
        answer = client.get(f"/api/v1/customers?{query}", headers=head)
        assert answer.status_code in (400, 422), query
        assert SECRET not in text_of(answer)
    tag = client.get(path, headers=head).headers["ETag"]
    refused = client.patch(path, json={key: "x"}, headers={**head, "If-Match": tag})
    assert refused.status_code in (400, 422)
    assert client.post("/api/v1/customers", json={"name": "N", key: "x"}, headers=head).status_code in (
        400,
        422,
    )
    stale = client.patch(path, json={"region": "South"}, headers={**head, "If-Match": '"1"'})
    assert stale.status_code == 412
    assert SECRET not in text_of(stale)
    done = client.patch(path, json={"region": "South"}, headers={**head, "If-Match": tag})
    assert done.status_code == 200
    assert SECRET not in text_of(done)
    assert value(world, key) == f"{SECRET}2"


def test_the_document_of_the_api_is_cut(world):
    say(world, "customers", "revenue", {"manager"})
    say(world, "customers", "region", None, {"manager"})
    client = world.client()
    mine = client.get("/api/v1/openapi.json", headers=bearer(world, world.clerk)).get_json()
    whole_one = client.get("/api/v1/openapi.json", headers=bearer(world)).get_json()
    stranger = text_of(
        world.app.test_client().get(
            "/api/v1/openapi.json", base_url=f"http://{world.tenant.address}.localhost"
        )
    )
    assert world.key not in stranger
    for found, there in ((mine, False), (whole_one, True)):
        schemas = found["components"]["schemas"]
        for name in ("Customer", "CustomerChange", "NewCustomer"):
            assert (world.key in schemas[name]["properties"]) is there
            assert ("revenue" in schemas[name]["properties"]) is there
        assert ("region" in schemas["CustomerChange"]["properties"]) is there
        assert "region" in schemas["Customer"]["properties"]
        assert (world.key in json.dumps(found)) is there
        assert ('"revenue"' in json.dumps(found["paths"]["/api/v1/customers"])) is there


def test_export_and_import(world):
    key = world.key
    manager = world.member("manager", "Mana Ger")
    for form in ("", ".xlsx", ".jsonl"):
        name = "csv" if not form else form[1:]
        say(world, "customers", key, set())
        hidden = world.client(manager).get(f"/customers/export.{name}?columns={key}").get_data()
        say(world, "customers", key, {"manager"})
        shown = world.client(manager).get(f"/customers/export.{name}?columns={key}").get_data()
        if name == "xlsx":
            hidden, shown = (
                b"".join(
                    zipfile.ZipFile(BytesIO(one)).read(part)
                    for part in zipfile.ZipFile(BytesIO(one)).namelist()
                )
                for one in (hidden, shown)
            )
        assert SECRET.encode() not in hidden
        assert key.encode() not in hidden
        assert SECRET.encode() in shown


def test_history_time_machine_and_undo(world):
    key = world.key
    client = world.client(world.clerk)
    for path in (
        f"/customers/{world.secret}/history",
        f"/customers/{world.secret}",
        f"/customers/{world.secret}?line=",
    ):
        assert SECRET not in text_of(client.get(path, headers=SCRIPT)), path
    with world.work() as session:
        where = (AuditEntry.record_id == world.secret, AuditEntry.action == "updated")
        entry = session.execute(select(AuditEntry).where(*where)).scalar_one()
        entry_id, batch = entry.id, entry.batch_id
    answers = [
        client.post(f"/customers/{world.secret}/history/{entry_id}/undo", headers=SCRIPT),
        client.post(f"/customers/{world.secret}/field/{key}/history/{entry_id}/undo", headers=SCRIPT),
        client.post(f"/undo/{batch}", headers=SCRIPT),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        assert SECRET not in text_of(answer)
    assert value(world, key) == f"{SECRET}2"


def test_bulk_change_and_merge(world):
    key, client = world.key, world.client(world.member("admin", "Ada Min"))
    page = text_of(client.get("/customers/bulk/set", headers=SCRIPT))
    assert "Zedmargin" not in page
    data = {"ids": str(world.secret), "field": key, key: "x", "said": "1"}
    client.post("/customers/bulk/set", data=data, headers=SCRIPT)
    client.post(f"/customers/bulk/set.{key}", data=data, headers=SCRIPT)
    assert value(world, key) == f"{SECRET}2"
    compare = f"/customers/{world.secret}/merge/{world.other}"
    page = text_of(client.get(compare))
    assert SECRET not in page
    assert f"pick.{key}" not in page
    assert SECRET in text_of(world.client().get(compare))
    versions = {}
    with world.work() as session:
        for name, one in (("keep_version", world.secret), ("drop_version", world.other)):
            versions[name] = str(session.get(Customer, (world.tenant.id, one)).version)
    merged = client.post(compare, data={**versions, f"pick.{key}": "drop"}, headers=SCRIPT)
    assert merged.status_code < 400, text_of(merged)
    assert value(world, key) == f"{SECRET}2"  # He chooses nothing of what he does not see.


def test_webhooks_tell_what_their_maker_may_see(world):
    from kehu.webhooks import tasks

    with world.work() as session:
        entry = session.execute(
            select(AuditEntry).where(AuditEntry.record_id == world.secret, AuditEntry.action == "updated")
        ).scalar_one()
        kind = unrestricted("customers")
        for role, there in (("member", False), ("", False), ("manager", True), ("owner", True)):
            hidden = rights.hidden_from("customers", role)
            found = json.dumps(tasks.payload(entry, "customer.updated", kind, hidden))
            assert (SECRET in found) is there, role


def test_whole_packages_are_refused(world):
    admin = world.member("admin", "Ada Min")
    client = world.client(admin)
    answer = client.post(f"/privacy/customers/{world.secret}/export", headers=SCRIPT)
    assert answer.status_code == 403
    assert SECRET.encode() not in answer.get_data()
    assert world.client().post(f"/privacy/customers/{world.secret}/export").status_code < 400


def test_who_does_not_see_a_field_does_not_open_it(world):
    admin = world.member("admin", "Ada Min")
    with world.work(admin) as session:
        service = FieldRuleService(session)
        row = service.row("customers", world.key)
        with pytest.raises(Forbidden):
            service.put("customers", world.key, {"admin"}, None)
        with pytest.raises(Forbidden):
            service.put("customers", world.key, None, None)
        with pytest.raises(Forbidden):
            service.trash(row.id)
    client = world.client(admin)
    assert client.get(f"/settings/field-rights/customers/{world.key}").status_code == 404
    assert "Zedmargin" not in text_of(client.get("/settings/field-rights?object=customers"))
    assert client.get("/settings/field-rights").status_code == 200
    assert world.client(world.clerk).get("/settings/field-rights").status_code == 403


def test_a_locked_field_is_read_and_not_changed(world):
    say(world, "customers", "region", None, {"manager"})
    client = world.client(world.clerk)
    page = text_of(client.get(f"/customers/{world.secret}"))
    assert "North" in page
    assert f'/customers/{world.secret}/field/region"' not in page
    with world.work(world.clerk) as session, pytest.raises(InvalidInput) as error:
        CustomerService(session).update(world.secret, {"region": "South"})
    assert "Region" in error.value.fields["region"][0]
    with world.work(world.member("manager", "Mana Ger")) as session:
        CustomerService(session).update(world.secret, {"region": "South"})
    head = bearer(world, world.clerk)
    assert client.get(f"/api/v1/customers/{world.secret}", headers=head).get_json()["region"] == "South"


def test_a_required_field_that_a_role_may_not_set_stops_nobody(shop):
    key = own_field(shop, label="Must", required=True)
    clerk = shop.member("member", "Clerk Kent")
    with shop.work(clerk) as session, pytest.raises(InvalidInput):
        CustomerService(session).create({"name": "N"})
    say(shop, "customers", key, set())
    with shop.work(clerk) as session:
        assert CustomerService(session).create({"name": "N"}).name == "N"
    with shop.work() as session, pytest.raises(InvalidInput):
        CustomerService(session).create({"name": "N"})


def test_owners_rules_of_the_firm_and_the_product_are_free(world):
    key = world.key
    assert rights.hidden_from("customers", "owner") == frozenset()
    with world.work(world.clerk):
        assert key in rights.hidden("customers")
        with context.by_rule("Ours"):
            assert key in get_type("customers").by_key
        with context.use(actor=context.SYSTEM):
            assert key in get_type("customers").by_key
    with world.work(replace(world.clerk, kind="support", role="support")):
        assert key not in get_type("customers").by_key


def test_what_can_not_be_said(world):
    with world.work() as session:
        service = FieldRuleService(session)
        for key, part in (("name", "seen_by"), ("amount", "field"), ("created_at", "edited_by")):
            with pytest.raises(InvalidInput) as error, session.begin_nested():
                service.put("customers", key, {"manager"} if part != "edited_by" else None, {"manager"})
            assert part in error.value.fields
        with pytest.raises(Conflict):
            service.put("customers", world.key, {"viewer"}, None, version=9)
        assert service.put("customers", world.key, None, None) is not None
    with world.work():
        assert rights.of("customers") == {} or renew(world) is None


def test_the_page_sets_and_takes_back(shop):
    client, clerk = shop.client(), shop.member("member", "Clerk Kent")
    path = "/settings/field-rights/customers/revenue"
    assert "Yearly turnover" in text_of(client.get("/settings/field-rights?object=customers"))
    assert client.get(path).status_code == 200
    form = {"version": "0", "seen": ["admin", "manager"], "edited": ["admin"]}
    assert client.post(path, data=form, headers=SCRIPT).status_code == 204
    assert client.post(path, data=form, headers=SCRIPT).status_code == 409
    renew(shop)
    with shop.work(clerk):
        assert "revenue" not in get_type("customers").by_key
    with shop.work(shop.member("manager", "Mana Ger")):
        assert get_type("customers").by_key["revenue"].readonly
    page = text_of(client.get("/settings/field-rights?object=customers"))
    assert "Owner, Admin, Manager" in page
    everybody = {"version": "1", "seen": ["admin", "manager", "member", "viewer"]}
    everybody["edited"] = everybody["seen"]
    assert client.post(path, data=everybody, headers=SCRIPT).status_code == 204
    renew(shop)
    with shop.work(clerk):
        assert not get_type("customers").by_key["revenue"].readonly


def test_no_statement_is_added(world):
    client = world.client(world.clerk)
    client.get("/customers")
    with count_queries() as with_rights:
        client.get("/customers")
    say(world, "customers", world.key, None)
    client.get("/customers")
    with count_queries() as without:
        client.get("/customers")
    assert len(with_rights) == len(without)


def test_who_can_see_this_names_the_fields(world):
    say(world, "customers", "region", None, {"manager"})
    page = text_of(world.client().get(f"/customers/{world.secret}/seers"))
    row = page[page.index("Clerk Kent") :]
    assert "Without: Zedmargin" in row
    assert "Without: Region" in row
    admin = world.member("admin", "Ada Min")
    assert "Zedmargin" not in text_of(world.client(admin).get(f"/customers/{world.secret}/seers"))
