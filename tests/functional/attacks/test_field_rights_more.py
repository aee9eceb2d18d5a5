"""Hidden fields once more: sums of amounts, files that fill them, segments and views of others (SAS-22)."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from kehu.core.errors import KehuError
from kehu.core.records import rights
from kehu.core.records.own_tables import CustomField
from kehu.core.records.service import service_for
from kehu.customers.services import CustomerService
from kehu.imports.mapping import Plan
from kehu.imports.services import ImportService
from kehu.imports.tasks import upload_root
from tests.functional.attacks.test_field_rights import SCRIPT, SECRET, bearer, own_field, say, text_of, world
from tests.functional.imports.conftest import Importer

__all__ = ["world"]


def test_an_amount_goes_with_its_sums(shop):
    clerk = shop.member("member", "Clerk Kent")
    with shop.work() as session:
        firm = CustomerService(session).create({"name": "Alpha"}).id
        deals = service_for("deals", session)
        won = deals.create({"name": "Won one", "customer_id": firm, "amount": "77310.00"}).id
        deals.create({"name": "Open one", "customer_id": firm, "amount": "77310.00", "source": "Fair"})
    client, owner = shop.client(clerk), shop.client()
    assert owner.post(f"/deals/{won}/won", headers=SCRIPT).status_code < 400
    paths = ("/deals/board", "/?who=all", f"/customers/{firm}", f"/deals/{won}", "/deals?columns=amount")
    told = [path for path in paths if shown(text_of(client.get(path)))]
    assert len(told) == len(paths), told
    say(shop, "deals", "amount", {"admin", "manager"})
    say(shop, "deals", "source", {"admin", "manager"})
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200
        assert not shown(text_of(answer)), path
    with shop.work() as session:
        deal = service_for("deals", session).create(
            {"name": "His", "amount": "77310", "owner_id": clerk.member_id}
        )
        deal_id, stage_id = deal.id, deal.stage_id
    given = {**bearer(shop, clerk), "If-Match": '"1"'}
    moved = client.post(f"/api/v1/deals/{deal_id}/move", json={"stage_id": str(stage_id)}, headers=given)
    assert moved.status_code == 200
    assert "amount" not in moved.get_json()
    assert "Won one" in text_of(client.get("/deals/board?source=Fair"))  # Passed over like an unknown filter.
    assert "Won one" not in text_of(owner.get("/deals/board?source=Fair"))


def shown(text):
    """Tell whether a page shows the amount, or a sum or a short form of it."""
    return any(one in text for one in ("77,310", "77.3", "154,620", "154.6", "77310"))


def test_a_file_fills_no_hidden_field(world):
    admin = world.member("admin", "Ada Min")
    importer, boss = Importer(world, admin), Importer(world)
    head = f"name,{world.key}\n"
    stolen = importer.take("customers", f"{head}Gamma,{SECRET}\n")
    assert world.key not in importer.columns(stolen).values()
    with world.work(admin) as session:
        service = ImportService(session, upload_root())
        job = service.get(stolen, lock=True)
        plan = Plan.from_json(job.mapping, job.options)
        plan.columns[1] = replace(plan.columns[0], target=world.key)
        with pytest.raises(KehuError):
            service.plan(job, plan)
            session.flush()
            service.check(service.get(stolen, lock=True))
        session.rollback()
    whole_file = boss.take("customers", f"{head}Delta,{SECRET}\n")
    assert world.key in boss.columns(whole_file).values()
    client = world.client(admin)
    for path in (f"/imports/{whole_file}", f"/imports/{whole_file}/errors.csv", "/imports"):
        assert SECRET not in text_of(client.get(path)), path
    assert world.client().get(f"/imports/{whole_file}").status_code == 200
    assert client.get(f"/imports/{whole_file}").status_code == 404


def test_segments_and_views_of_others_tell_nothing(world):
    from kehu.segments.services import SegmentService
    from kehu.views.services import ViewService

    with world.work() as session:
        given = {"name": "Rich", "object": "customers", "query": f"{world.key}.starts=Quartz"}
        segment = SegmentService(session).create(given).id
        view = ViewService(session).create(
            "customers", "Shared", f"{world.key}.starts=Quartz", [world.key], shared=True
        )
        session.flush()
        view_id = view.id
    client = world.client(world.clerk)
    for path in (
        f"/customers?segment={segment}",
        f"/customers?view={view_id}",
        "/segments",
        f"/segments/{segment}",
    ):
        answer = client.get(path)
        text = text_of(answer)
        assert answer.status_code < 500, path
        assert SECRET not in text, path
        # Either refused, or as if nothing had been asked.
        assert ("Alpha" in text) == ("Beta" in text), path


def test_a_formula_is_as_hidden_as_what_it_reads(world):
    key = own_field(world, label="Doubled", formula=f"{world.key}", searchable=False)
    with world.work() as session:
        CustomerService(session).update(world.secret, {world.key: f"{SECRET}3"})
    page = text_of(world.client().get(f"/customers/{world.secret}"))
    assert page.count(f"{SECRET}3") >= 2
    with world.work(world.clerk):
        assert key in rights.hidden("customers")
    assert SECRET not in text_of(world.client(world.clerk).get(f"/customers?columns={key}"))


def test_nobody_tries_out_what_he_does_not_see(world):
    admin = world.member("admin", "Ada Min")
    client = world.client(admin)
    form = {"of": "customers", "label": "Mine", "kind": "text", "formula": world.key}
    answer = client.post("/settings/fields/formula/new?of=customers", data=form, headers=SCRIPT)
    assert answer.status_code == 422
    assert SECRET not in text_of(answer)
    tried = world.client().post("/settings/fields/formula/new?of=customers", data=form, headers=SCRIPT)
    assert SECRET in text_of(tried)
    with world.work() as session:
        field_id = session.execute(select(CustomField.id).where(CustomField.key == world.key)).scalar_one()
    for end in ("", "/retire", "/change"):
        assert client.get(f"/settings/fields/{field_id}{end}", headers=SCRIPT).status_code == 404
    assert world.client().get(f"/settings/fields/{field_id}", headers=SCRIPT).status_code == 200
