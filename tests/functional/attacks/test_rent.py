"""A firm that wants more than it rents: free use, an operator's rights, or what support must not reach."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, text

from billing import facts
from billing.accounts import AccountService
from billing.models import Seat
from billing.seats import SeatService
from kehu.accounts.models import User
from kehu.core import context, db, hooks
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.ids import new_id
from kehu.core.permissions import registered
from kehu.core.records.service import service_for
from kehu.files.store import FileStore
from kehu.members import views
from kehu.members.models import Member, Role
from kehu.members.role_services import RoleService
from kehu.members.services import MemberService
from kehu.testkit.browser import browser
from kehu.testkit.fixtures import Shop, operator_client
from kehu.testkit.switch import enable
from kehu.tickets.models import TicketMessage
from kehu.views.services import ViewService
from tenants import commands
from tenants.domains.looking import Finding
from tenants.domains.services import DomainService
from tenants.models import OperatorTask, Tenant
from tests.functional.billing.till import Till
from tests.functional.tenants.test_archive import export, rewritten, take
from tests.functional.tenants.test_support import inside, let_in

SUPPORT = "/settings/support"


# --- a firm that may only read ------------------------------------------------------------------------------------


def test_a_firm_that_may_only_read_still_says_who_comes_in(over: Callable[[], str], shop: Shop) -> None:
    support = inside(shop)
    assert over() == "trial_over"
    owner = shop.client()
    assert owner.get(SUPPORT).status_code == 200
    assert owner.post(f"{SUPPORT}/end").status_code == 303
    assert support.get("/customers").status_code == 303
    let_in(shop)


def test_a_right_to_read_opens_no_case(over: Callable[[], str], shop: Shop) -> None:
    enable(shop, "automotive")
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Somebody"})
    path = f"/x/automotive/protection/{customer.id}/help"
    with shop.work() as session:
        role = session.execute(select(Role).where(Role.code == "viewer")).scalar_one()
        role.permissions = {code: "all" for code in registered() if code.endswith(":read")}
    assert shop.client(shop.member("viewer")).post(path).status_code == 403
    over()
    assert shop.client().post(path).status_code == 402


def test_a_coupon_is_for_a_firms_first_plan(till: Till) -> None:
    till.subscribed(seats=2, code="WELCOME20")
    till.service.cancel()
    assert till.pass_time() == "ended"
    with pytest.raises(InvalidInput) as raised:
        till.buy(seats=2, code="welcome20")
    assert "first plan" in raised.value.fields["coupon"][0]
    till.buy(seats=2)
    till.service.pay_open()
    assert till.phase == "active"


# --- support ------------------------------------------------------------------------------------------------------


def test_support_that_may_change_records_writes_to_nobody(app: Flask, shop: Shop) -> None:
    with shop.work() as session:
        made = service_for("tickets", session).create({"subject": "Help", "requester_email": "a@example.com"})
    client = inside(shop, writes=True)
    url = f"/tickets/{made.id}/messages"
    assert client.post(url, data={"kind": "reply", "text": "Send the money here"}).status_code == 403
    assert client.post(url, data={"kind": "note", "text": "Looked at it"}).status_code in (200, 204, 303)
    with shop.work() as session:
        kinds = session.execute(select(TicketMessage.kind)).scalars().all()
        assert kinds == ["note"]


def test_what_is_an_owners_own_stays_so_while_support_changes_records(app: Flask, shop: Shop) -> None:
    with shop.work() as session:
        view = ViewService(session).create("customers", "Mine", "", [])
        session.flush()
        view_id = view.id
    shop.client().put("/drafts/customers", data={"text": "half a thought"})
    client = inside(shop, writes=True)
    for method, path in (
        ("POST", "/customers/columns"),
        ("POST", "/side-bar"),
        ("POST", "/side-bar/hidden?line=deals"),
        ("POST", f"/views/{view_id}/delete"),
        ("POST", "/views/new"),
        ("POST", "/imports/new"),
    ):
        assert client.open(path, method=method, data={"column": "name"}).status_code == 403, path
    for method in ("PUT", "DELETE"):
        assert client.open("/drafts/customers", method=method, data={"text": "x"}).status_code == 204
    with shop.work() as session:
        assert not session.execute(select(Member.prefs).where(Member.id == shop.owner.member_id)).scalar()
        assert ViewService(session).get(view_id).name == "Mine"
        kept = text("SELECT body FROM drafts WHERE tenant_id = :t")
        assert session.execute(kept, {"t": shop.tenant.id}).scalars().all() == ["half a thought"]


# --- archives -----------------------------------------------------------------------------------------------------


def bent(archive: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return an archive with other words in its manifest."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        about = json.loads(source.read("manifest.json"))
    change(about)
    return rewritten(archive, "manifest.json", lambda _data: json.dumps(about).encode())


@pytest.fixture
def moved(shop: Shop, vanish: Any, tmp_path: Path) -> bytes:
    """The archive of a firm that is not here any more."""
    archive = export(shop, FileStore(tmp_path / "files", 1024))
    vanish(shop)
    return archive


def test_an_archive_brings_no_plan_and_no_domain(
    demo: None, shop: Shop, moved: bytes, tmp_path: Path
) -> None:
    free = {"mode": "demo", "status": "active", "plan": "business@1", "started": "2026-01-01T00:00:00+00:00"}
    archive = bent(
        moved,
        lambda about: about["tenant"]["settings"].update(billing=free, domain="crm.others.com", trade="shop"),
    )
    taken = take(shop, archive, FileStore(tmp_path / "elsewhere", 1024)).tenant
    assert taken.settings.get("trade") == "shop"
    assert not {"billing", "domain"} & set(taken.settings)
    assert facts.standing(taken).phase != "active"


@pytest.mark.parametrize("address", ["www", "a.b", "../up", "x" * 60])
def test_an_archive_brings_no_address_that_nobody_may_have(
    shop: Shop, moved: bytes, tmp_path: Path, address: str
) -> None:
    archive = bent(moved, lambda about: about["tenant"].update(address=address))
    with pytest.raises(InvalidInput):
        take(shop, archive, FileStore(tmp_path / "elsewhere", 1024))
    with shop.app.app_context(), db.unit_of_work(actor=context.SYSTEM) as session:
        assert session.get(Tenant, shop.tenant.id) is None


def test_an_archive_brings_nobody_under_the_address_of_another(
    shop: Shop, moved: bytes, tmp_path: Path
) -> None:
    line = {
        "id": str(shop.tenant.id),
        "email": "attacker@example.com",
        "email_norm": f"victim.{shop.tenant.id.hex}@example.com",
        "name": "Victim",
        "locale": "en",
        "confirmed_at": "2026-01-01T00:00:00+00:00",
    }
    with zipfile.ZipFile(io.BytesIO(moved)) as source:
        data = source.read("data/users.ndjson") + json.dumps(line).encode() + b"\n"
    archive = rewritten(moved, "data/users.ndjson", lambda _data: data)
    said = {"rows": 2, "sha256": hashlib.sha256(data).hexdigest()}
    archive = bent(archive, lambda about: about["tables"].update(users=said))
    with pytest.raises(InvalidInput, match="users"):
        take(shop, archive, FileStore(tmp_path / "elsewhere", 1024))
    with shop.app.app_context(), db.unit_of_work(actor=context.SYSTEM) as session:
        here = select(User.id).where(User.email_norm == line["email_norm"])
        assert session.execute(here).first() is None


# --- addresses ----------------------------------------------------------------------------------------------------


def hosts() -> tuple[str, str]:
    return f"one.{new_id().hex[-10:]}.com", f"two.{new_id().hex[-10:]}.com"


def test_a_domain_that_is_checked_while_it_is_replaced_is_led_to_no_more(shop: Shop) -> None:
    old, new = hosts()
    with shop.work() as session:
        DomainService(session).claim(old, "localhost")
    with shop.work() as session:
        owner = DomainService(session)  # Who knows the firm as it was before the check was done.
        with shop.work(context.SYSTEM) as job:
            assert DomainService(job).settle(old, Finding()) == "verified"
        owner.claim(new, "localhost")
    with shop.work():
        assert not hooks.first("kehu_tenant_by_id", tenant_id=shop.tenant.id).settings.get("domain")


def test_a_closed_firm_keeps_no_domain_from_others(
    shop: Shop, other_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, _other = hosts()
    with shop.work() as session:
        DomainService(session).claim(host, "localhost")
        DomainService(session).settle(host, Finding())
    monkeypatch.setattr(commands, "make_app", lambda: shop.app)
    done = CliRunner().invoke(commands.group, ["close", shop.tenant.address, "--reason", "moved away"])
    assert done.exit_code == 0, done.output
    asks = browser(shop.app)
    assert asks.get(f"/domain-served?domain={host}").status_code == 404
    with other_shop.work() as session:
        DomainService(session).claim(host, "localhost")
        assert DomainService(session).settle(host, Finding()) == "verified"


# --- taxes --------------------------------------------------------------------------------------------------------


def test_a_tax_id_that_was_exchanged_meanwhile_is_not_the_one_that_was_looked_up(
    demo: None, shop: Shop
) -> None:
    with shop.work() as session:
        AccountService(session).lock().country = "FR"
        AccountService(session).set_details({"tax_id": "FRAB123456789"})
        AccountService(session).set_details({"tax_id": "FRXX999999999"})
    with shop.work(context.SYSTEM) as session:
        with pytest.raises(Conflict, match="FRXX999999999"):
            AccountService(session).judge_tax_id("fr ab 123 456 789", True, "found in the register")
        assert AccountService(session).lock().tax_id_state == "pending"
        AccountService(session).judge_tax_id("fr xx 999 999 999", True, "found in the register")
        assert AccountService(session).lock().tax_id_state == "verified"


def test_a_firm_that_moves_to_where_no_tax_is_charged_is_looked_at(till: Till) -> None:
    session = till.session

    def told() -> list[str]:
        found = select(OperatorTask.what).where(OperatorTask.firm_id == till.shop.tenant.id)
        return list(session.execute(found.order_by(OperatorTask.made_at)).scalars())

    AccountService(session).set_details({"country": "US"})
    AccountService(session).set_details({"country": "GB"})
    assert not told()  # Who has bought nothing yet just says where he is.
    till.subscribed(seats=2)
    AccountService(session).set_details({"country": "US"})
    assert len(told()) == 1
    assert "GB to US" in told()[0]
    AccountService(session).set_details({"country": "FR"})
    assert len(told()) == 1


# --- hosts and seats ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.com", "localhost.evil.com", "a,b"])
def test_the_console_is_at_no_host_that_somebody_else_may_name(app: Flask, host: str) -> None:
    operator = operator_client(app)
    assert operator.get("/operator/tenants").status_code == 200
    cookie = operator.get_cookie("kehu_session")
    assert cookie is not None
    there = app.test_client(use_cookies=False)
    headers = {"Host": host, "Cookie": f"kehu_session={cookie.value}"}
    answer = there.get("/operator/tenants", headers=headers)
    assert (answer.status_code, answer.location) == (303, "http://localhost:8000/operator/tenants")


def test_a_role_that_begins_to_write_while_it_is_given_takes_a_seat(demo: None, shop: Shop) -> None:
    member = shop.member("viewer")
    with shop.work() as session:
        SeatService(session).locked()
        viewer = session.execute(select(Role).where(Role.code == "viewer")).scalar_one()
        made = RoleService(session).create("Reception", viewer.id)
        session.flush()
        role_id = made.id
    rights = {"customers:read": "all", "customers:write": "all"}

    def widen() -> None:
        with shop.work() as session:
            RoleService(session).update(role_id, "Reception", rights)

    other = threading.Thread(target=widen)
    with shop.work() as session:
        assert member.member_id is not None
        MemberService(session).change(member.member_id, role_id=role_id)
        session.flush()
        other.start()
        other.join(1)
    other.join()
    with shop.work() as session:
        kind = session.execute(select(Seat.kind).where(Seat.member_id == member.member_id)).scalar_one()
        assert (kind, SeatService(session).locked().seats_used) == ("full", 2)


@pytest.mark.parametrize("page", ["/settings/members/{}", "/settings/billing/people/{}"])
def test_parking_and_inviting_anew_is_no_way_to_mail_by_the_thousand(
    demo: None, shop: Shop, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.setattr(views, "INVITATIONS", "3 per day")
    with shop.work() as session:
        role = session.execute(select(Role.id).where(Role.code == "viewer")).scalar_one()
        email = f"stranger.{new_id().hex}@example.com"
        member = MemberService(session).invite(name="Stranger", email=email, role_id=role).id
    client, path = shop.client(), page.format(member)
    answers = []
    for _time in range(4):
        assert client.post(f"{path}/park").status_code == 303
        answers.append(client.post(f"{path}/unpark").status_code)
    assert answers == [303, 303, 303, 429]


def test_what_no_database_can_hold_is_left_out_of_invoices(demo: None, shop: Shop) -> None:
    odd = {"legal_name": "A\0B", "address": "Quay 1\0\r\nHarbour", "country": "US", "tax_id": "12\x003"}
    assert shop.client().post("/settings/billing/details", data=odd).status_code == 303
    with shop.work() as session:
        account = AccountService(session).lock()
        assert (account.address, account.tax_id) == ("Quay 1\nHarbour", "123")


def test_a_flood_of_unknown_names_keeps_no_domain_out(shop: Shop) -> None:
    """A proxy asks for all from one address; whoever knocks with made-up names must not use its rate up."""
    host, _other = hosts()
    with shop.work() as session:
        DomainService(session).claim(host, "localhost")
        DomainService(session).settle(host, Finding())
    proxy, here = browser(shop.app), {"REMOTE_ADDR": "192.0.2.77"}
    answers = [
        proxy.get(f"/domain-served?domain=no{number}.example", environ_overrides=here).status_code
        for number in range(125)
    ]
    assert set(answers) == {404, 429}
    assert proxy.get(f"/domain-served?domain={host}", environ_overrides=here).status_code == 200


def test_the_last_day_of_all_is_no_day_for_an_operator(demo: None, shop: Shop) -> None:
    url = f"/operator/tenants/{shop.tenant.id}/extend-trial"
    answer = operator_client(shop.app).post(url, data={"until": "9999-12-31", "reason": "for ever"})
    assert answer.status_code == 422
