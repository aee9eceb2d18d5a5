"""A domain of a firm's own: served once name servers say that it is the firm's, watched, and no other firm's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from markupsafe import escape
from sqlalchemy import select, text

from kehu.core import clock, context, db, jobs, site
from kehu.core.ids import new_id
from kehu.testkit.browser import Browser, browser
from kehu.testkit.fixtures import Shop
from tenants.domains import looking
from tenants.domains.looking import PREFIX, look, record_name
from tenants.domains.models import Domain
from tenants.domains.services import CHECK, DomainService, check_host
from tenants.domains.tasks import check_due
from tests.functional.tenants.name_server import NameServer, serve

PAGE = "/settings/address"
DAY = dt.timedelta(days=1)


@pytest.fixture
def names(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """The name server that this installation asks."""
    monkeypatch.setattr(looking, "WAIT", 0.3)
    with serve() as server:
        settings = replace(app.extensions["kehu.settings"], dns_server=server.address)
        monkeypatch.setitem(app.extensions, "kehu.settings", settings)
        yield server


@pytest.fixture
def host() -> str:
    return f"crm.{new_id().hex[-10:]}.com"


def claim(shop: Shop, host: str) -> Domain:
    assert shop.client().post(f"{PAGE}/domain", data={"host": host}).status_code == 303
    return row(shop)


def row(shop: Shop) -> Domain:
    with shop.work() as session:
        found = DomainService(session).find()
        assert found is not None
        return found


def publish(names: NameServer, domain: Domain) -> None:
    names.records[record_name(domain.host), "TXT"] = [f'"{PREFIX}{domain.token}"']
    names.records[domain.host, "CNAME"] = ["localhost."]


def queued(shop: Shop) -> bool:
    """Take the checks of a firm out of the queue and run them; tell whether there was one."""
    taken = text(
        "DELETE FROM procrastinate_jobs WHERE task_name = :task AND args ->> 'tenant_id' = :id RETURNING args"
    )
    with shop.work(context.SYSTEM) as session:
        found = session.execute(taken, {"task": CHECK, "id": str(shop.tenant.id)}).scalars().all()
    for args in found:
        jobs.app.tasks[CHECK].func(**args)
    return bool(found)


def check(shop: Shop) -> str:
    """Press the button, let the job run, and return the state."""
    with shop.work(context.SYSTEM) as session:
        session.execute(
            text("UPDATE firm_domains SET asked_at = NULL WHERE firm_id = :id"), {"id": shop.tenant.id}
        )
    assert shop.client().post(f"{PAGE}/domain/check").status_code == 303
    assert queued(shop)
    return row(shop).state


def served(shop: Shop, names: NameServer, host: str) -> Domain:
    """Claim a domain and have it checked well."""
    domain = claim(shop, host)
    publish(names, domain)
    assert check(shop) == "verified"
    return domain


def sign_in(app: Flask, shop: Shop, host: str) -> Browser:
    """Return a browser on a host with the owner's session there."""
    client = browser(app, host)
    here = shop.client()
    with here.session_transaction() as cookie:
        kept = {key: cookie[key] for key in ("_user_id", "kehu_sid", "_fresh")}
    with client.session_transaction() as cookie:
        cookie.update(kept)
    return client


def test_a_domain_is_claimed_told_its_records_checked_and_served(
    app: Flask, shop: Shop, names: NameServer, host: str
) -> None:
    domain = claim(shop, f" https://{host.upper()}/ ")
    page = shop.client().get(PAGE).text
    for words in (host, f"_kehu.{host}", f"{PREFIX}{domain.token}", "Not checked yet"):
        assert words in page, words
    assert browser(app, host).get("/login").status_code == 404
    assert check(shop) == "waiting"
    assert "TXT record is missing" in shop.client().get(PAGE).text
    publish(names, domain)
    names.records[host, "CNAME"] = ["elsewhere.example.com."]
    assert check(shop) == "waiting"
    assert "elsewhere.example.com" in shop.client().get(PAGE).text
    publish(names, domain)
    assert check(shop) == "verified"
    assert ">Served<" in shop.client().get(PAGE).text.replace("</span>", "<").replace("\n", "")
    assert browser(app, host).get("/login").status_code == 200


def test_sessions_cookies_and_forms_are_right_on_the_domain(
    app: Flask, shop: Shop, other_shop: Shop, names: NameServer, host: str
) -> None:
    served(shop, names, host)
    client = sign_in(app, shop, host)
    page = client.get("/customers")
    assert page.status_code == 200
    assert str(escape(shop.tenant.name)) in page.text
    made = client.post("/customers/new", data={"name": "Made at home", "kind": "company"})
    assert made.status_code in (200, 204, 303)
    assert (
        client.post("/customers/new", data={"name": "Forged", "kind": "company"}, forged=True).status_code
        == 409
    )
    cookies = [one for one in page.headers.getlist("Set-Cookie") if "kehu_session" in one]
    assert not [one for one in cookies if "Domain=" in one]
    with client.session_transaction() as cookie:
        cookie["tenant_id"] = str(other_shop.tenant.id)
    assert str(escape(shop.tenant.name)) in client.get("/settings").text
    assert other_shop.tenant.name not in client.get("/settings").text
    stranger = sign_in(app, other_shop, host)
    assert stranger.get("/customers").status_code in (302, 303)
    with app.test_request_context(base_url=f"http://{host}"), context.use(tenant=shop_now(shop)):
        assert site.names(shop_now(shop))
        assert site.url_of(shop_now(shop)) == f"http://{host}:8000"


def shop_now(shop: Shop) -> context.TenantInfo:
    from kehu.core import hooks

    with shop.app.app_context(), db.unit_of_work():
        found = hooks.tenant_by_id(shop.tenant.id)
    assert found is not None
    return found


def test_one_firm_a_domain_and_a_claim_alone_keeps_nobody_out(
    app: Flask, shop: Shop, other_shop: Shop, names: NameServer, host: str
) -> None:
    claim(other_shop, host)
    served(shop, names, host)
    assert check(other_shop) == "waiting"
    assert row(other_shop).error == "txt"
    names.records[record_name(host), "TXT"].append(f'"{PREFIX}{row(other_shop).token}"')
    assert check(other_shop) == "waiting"
    assert row(other_shop).error == "taken"
    assert str(escape(shop.tenant.name)) in sign_in(app, shop, host).get("/customers").text
    assert other_shop.client().post(f"{PAGE}/domain/remove").status_code == 303
    refused = other_shop.client().post(f"{PAGE}/domain", data={"host": host})
    assert (refused.status_code, "serves another firm" in refused.text) == (422, True)


def test_addresses_in_place_of_an_alias_are_right_when_they_are_ours(names: NameServer) -> None:
    names.records |= {
        ("_kehu.firm.com", "TXT"): [f'"{PREFIX}abc"'],
        ("firm.com", "A"): ["192.0.2.7"],
        ("kehu.net", "A"): ["192.0.2.7", "192.0.2.8"],
    }
    assert look("firm.com", "abc", "kehu.net", names.address).error == ""
    names.records["firm.com", "A"] = ["192.0.2.7", "198.51.100.1"]
    found = look("firm.com", "abc", "kehu.net", names.address)
    assert (found.error, found.seen) == ("target", "192.0.2.7, 198.51.100.1")
    assert look("firm.com", "other", "kehu.net", names.address).error == "txt"
    assert look("nowhere.com", "abc", "kehu.net", names.address).error == "txt"
    names.broken = True
    assert look("firm.com", "abc", "kehu.net", names.address).error == "dns"


def test_a_record_that_is_gone_has_three_days_and_a_silent_server_changes_nothing(
    app: Flask, shop: Shop, names: NameServer, host: str
) -> None:
    domain = served(shop, names, host)
    names.silent = True
    assert check(shop) == "verified"
    assert row(shop).error == "dns"
    names.silent = False
    del names.records[record_name(host), "TXT"]
    assert check(shop) == "failing"
    assert browser(app, host).get("/login").status_code == 200
    with shop.work(context.SYSTEM) as session:
        mails = text(
            "SELECT args #>> '{values,lapsed}' FROM procrastinate_jobs WHERE args #>> '{values,host}' = :host"
        )
        assert session.execute(mails, {"host": host}).scalars().all() == ["false"]
    with clock.ahead(DAY * 2):
        assert check(shop) == "failing"
    with clock.ahead(DAY * 3 + dt.timedelta(minutes=1)):
        assert check(shop) == "lapsed"
        with shop.work() as session:
            assert session.execute(mails, {"host": host}).scalars().all() == ["false", "true"]
        assert browser(app, host).get("/login").status_code == 404
        assert site.domain_of(shop_now(shop)) == ""
        publish(names, domain)
        assert check(shop) == "verified"
        assert browser(app, host).get("/login").status_code == 200


def test_domains_are_checked_by_themselves_when_they_are_due(
    app: Flask, shop: Shop, names: NameServer, host: str
) -> None:
    def due() -> bool:
        with app.app_context():
            check_due()
        return queued(shop)

    domain = claim(shop, host)
    assert due()
    assert not due()
    publish(names, domain)
    with clock.ahead(dt.timedelta(minutes=11)):
        assert due()
        assert row(shop).state == "verified"
        assert not due()
    with clock.ahead(DAY * 2):
        assert due()
    with shop.work(context.SYSTEM) as session:
        session.execute(
            text("UPDATE firm_domains SET state = 'lapsed' WHERE firm_id = :id"), {"id": shop.tenant.id}
        )
    with clock.ahead(DAY * 30):
        assert not due()


def test_removal_from_the_domain_itself_leads_on_to_the_address(
    app: Flask, shop: Shop, other_shop: Shop, names: NameServer, host: str
) -> None:
    served(shop, names, host)
    answer = sign_in(app, shop, host).post(f"{PAGE}/domain/remove")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"http://{shop.tenant.address}.localhost:8000/enter/")
    assert "Not checked" not in shop.client().get(PAGE).text
    with shop.work() as session:
        assert session.execute(select(Domain).where(Domain.host == host)).first() is None
    served(other_shop, names, host)


def test_a_suspended_firm_is_not_entered_by_its_domain(
    app: Flask, shop: Shop, names: NameServer, host: str
) -> None:
    from tenants.services import TenantService

    served(shop, names, host)
    with shop.work(context.SYSTEM) as session:
        TenantService(session).set_state("suspended", "test")
    assert browser(app, host).get("/login").status_code == 404


def test_a_proxy_learns_which_domains_are_served(
    app: Flask, shop: Shop, names: NameServer, host: str
) -> None:
    asks = browser(app)
    claim(shop, host)
    assert asks.get(f"/domain-served?domain={host}").status_code == 404
    publish(names, row(shop))
    check(shop)
    assert asks.get(f"/domain-served?domain={host}").status_code == 200
    assert asks.get("/domain-served?domain=evil.example").status_code == 404


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "crm",
            "crm..example.com",
            "-x.example.com",
            "crm.example.com:8000",
            "192.0.2.1",
            "::1",
            "a b.com",
        ),
        *(
            "kehu.net",
            "firm.kehu.net",
            "crm.localhost",
            "x.local",
            "a" * 64 + ".com",
            "crm.example.com@evil.com",
        ),
    ],
)
def test_what_is_no_domain_is_refused_with_what_to_write(app: Flask, value: str) -> None:
    from kehu.core.errors import InvalidInput

    with app.test_request_context(), pytest.raises(InvalidInput) as refused:
        check_host(value, "kehu.net")
    assert refused.value.fields["host"]


def test_international_names_are_kept_as_name_servers_know_them(app: Flask) -> None:
    with app.test_request_context():
        assert check_host("CRM.Bücher.de.", "kehu.net") == "crm.xn--bcher-kva.de"
