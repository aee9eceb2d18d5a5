"""Rights that end, or stop short: parked members, suspended firms, files of others, invitations above one's rank."""

from __future__ import annotations

import io
import uuid
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from kehu.accounts.firm_views import handover_url
from kehu.accounts.models import User
from kehu.core import context, db, jobs
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.customers.models import Customer
from kehu.files.models import File
from kehu.members.models import Member, Role
from kehu.members.services import MemberService
from kehu.testkit.browser import browser
from kehu.testkit.fixtures import Shop
from kehu.views import bulk
from kehu.views.bulk import Order, Picked
from kehu.views.models import BulkRun
from kehu.views.tasks import run_bulk
from tenants.services import TenantService

PERSON = {"name": "New Owner", "email": "new.owner@example.com"}


def role_id(shop: Shop, code: str) -> uuid.UUID:
    with shop.work() as session:
        return session.execute(select(Role.id).where(Role.code == code)).scalar_one()


def set_rights(shop: Shop, code: str, **changes: str | None) -> None:
    with shop.work() as session:
        role = session.execute(select(Role).where(Role.code == code)).scalar_one()
        wanted = {**role.permissions, **{key.replace("__", ":"): value for key, value in changes.items()}}
        role.permissions = {key: value for key, value in wanted.items() if value is not None}


# --- work in somebody's name -------------------------------------------------------------------------------


def test_a_bulk_change_stops_when_its_member_is_parked(shop: Shop) -> None:
    manager = shop.member("manager")
    with shop.work(manager) as session:
        customer = service_for("customers", session).create({"name": "Northwind", "tags": []}).id
        picked = Picked(ids=[customer])
        run_id = bulk.start(session, "customers", Order(action="trash"), picked, 1).id
    with shop.work() as session:
        MemberService(session).park(manager.member_id)
    run_bulk(str(shop.tenant.id), run_id=str(run_id), member_id=str(manager.member_id))
    with shop.work() as session:
        run = session.execute(select(BulkRun).where(BulkRun.id == run_id)).scalar_one()
        assert run.state == "failed"
        kept = session.execute(select(Customer.deleted_at).where(Customer.id == customer)).scalar_one()
    assert kept is None


@pytest.mark.parametrize("gone", [True, False])
def test_a_job_for_a_missing_member_has_no_rights(shop: Shop, other_shop: Shop, gone: bool) -> None:
    member_id = new_id() if gone else other_shop.owner.member_id
    with shop.app.app_context(), context.use(tenant=shop.tenant):
        actor = jobs._acting(str(member_id))
    assert actor.kind == "job"
    assert actor.scope("customers:read") is None


def test_a_job_for_an_active_member_has_his_rights(shop: Shop) -> None:
    with shop.app.app_context(), context.use(tenant=shop.tenant):
        assert jobs._acting(str(shop.owner.member_id)).scope("customers:write") == "all"
        assert jobs._acting(None) is context.SYSTEM


# --- firms -------------------------------------------------------------------------------------------------


@pytest.fixture
def suspended(shop: Shop) -> Shop:
    with shop.work() as session:
        TenantService(session).row().state = "suspended"
    return shop


def test_a_suspended_firm_is_not_entered(suspended: Shop) -> None:
    client = suspended.client()
    assert client.get("/customers").status_code in (303, 401)
    assert client.post("/customers/new", data={"name": "X"}).status_code == 401
    client.host = "localhost"  # The plain host takes the firm from the cookie.
    with client.session_transaction() as cookie:
        cookie["tenant_id"] = str(suspended.tenant.id)
    assert client.get("/customers").status_code in (303, 401)


def test_a_member_is_nobody_in_the_next_firm_that_is_bound(shop: Shop, other_shop: Shop) -> None:
    with shop.work():
        db.bind_tenant(shop.tenant)
        assert context.actor() == shop.owner
        db.bind_tenant(other_shop.tenant)
        assert context.current().actor is None


# --- files -------------------------------------------------------------------------------------------------


def test_files_of_others_stay_unnamed_in_the_own_scope(shop: Shop) -> None:
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Northwind"}).id
    sent = {"file": (io.BytesIO(b"%PDF-1.7 x"), "salaries.pdf")}
    assert shop.client().post(f"/files/customers/{customer}", data=sent).status_code < 400
    reader = shop.member("member")
    for address in (f"/customers/{customer}", f"/timeline/customers/{customer}"):
        assert "salaries.pdf" in shop.client(reader).get(address).get_data(as_text=True)
    set_rights(shop, "member", files__read="own")
    for address in (f"/customers/{customer}", f"/timeline/customers/{customer}"):
        page = shop.client(reader).get(address)
        assert page.status_code == 200
        assert "salaries.pdf" not in page.get_data(as_text=True)


def test_files_are_not_looked_up_past_their_records(shop: Shop) -> None:
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Northwind"}).id
    sent = {"file": (io.BytesIO(b"%PDF-1.7 x"), "salaries.pdf")}
    shop.client().post(f"/files/customers/{customer}", data=sent)
    reader = shop.member("member")
    set_rights(shop, "member", customers__read="own")
    page = shop.client(reader).get("/lookup/files")
    assert page.status_code == 404
    assert "salaries.pdf" not in page.get_data(as_text=True)


def test_the_trash_names_no_file_of_a_record_out_of_sight(shop: Shop) -> None:
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Northwind"}).id
    sent = {"file": (io.BytesIO(b"%PDF-1.7 x"), "salaries.pdf")}
    shop.client().post(f"/files/customers/{customer}", data=sent)
    with shop.work() as session:
        file_id = session.execute(select(File.id)).scalar_one()
    shop.client().post(f"/files/{file_id}/trash")
    reader = shop.member("manager")
    assert "salaries.pdf" in shop.client(reader).get("/trash").get_data(as_text=True)
    set_rights(shop, "manager", customers__read="own")
    assert "salaries.pdf" not in shop.client(reader).get("/trash").get_data(as_text=True)


# --- hand-over between sub-domains -------------------------------------------------------------------------


def test_a_hand_over_link_opens_only_the_host_that_it_names(shop: Shop, other_shop: Shop) -> None:
    with shop.work() as session, shop.app.test_request_context():
        user = session.get(User, shop.owner.user_id)
        assert user is not None
        path = urlsplit(handover_url(user, shop.tenant.address)).path
    elsewhere = browser(shop.app, f"{other_shop.tenant.address}.localhost")
    assert elsewhere.get(path).location == "/login"
    assert elsewhere.get("/account").status_code == 303
    there = browser(shop.app, f"{shop.tenant.address}.localhost")
    assert there.get(path).location == "/"
    assert there.get("/customers").status_code == 200


# --- invitations -------------------------------------------------------------------------------------------


def test_an_admin_takes_over_no_invitation_above_his_rank(shop: Shop) -> None:
    with shop.work() as session:
        invited = MemberService(session).invite(**PERSON, role_id=role_id(shop, "owner")).id
    client = shop.client(shop.member("admin"))
    form = {**PERSON, "email": "admin.friend@example.com", "member": str(invited)}
    answer = client.post("/settings/members/invite", data={**form, "role_id": str(role_id(shop, "member"))})
    assert answer.status_code == 403
    assert client.post(f"/settings/members/{invited}/resend").status_code == 403
    with shop.work() as session:
        member = session.execute(select(Member).where(Member.id == invited)).scalar_one()
    assert (member.email, member.role_id) == (PERSON["email"], role_id(shop, "owner"))


def test_a_role_is_not_widened_by_copy_or_change(shop: Shop) -> None:
    set_rights(shop, "manager", roles__manage="all", deals__delete="own")
    manager = shop.member("manager")
    client = shop.client(manager)
    copy = {"name": "Copy", "like": str(role_id(shop, "admin"))}
    assert client.post("/settings/roles", data=copy).status_code == 403
    own = role_id(shop, "manager")
    wider = {"name": "Manager", "p.deals:delete": "all", "p.roles:manage": "all"}
    assert client.post(f"/settings/roles/{own}", data=wider).status_code == 403
    with shop.work() as session:
        role = session.execute(select(Role).where(Role.code == "manager")).scalar_one()
    assert role.permissions["deals:delete"] == "own"
