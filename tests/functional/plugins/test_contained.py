"""Pages of a plugin that fails, hangs, oversteps or is held: told where it happens, and nothing else suffers."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text

from kehu.addons import pages
from kehu.addons.incidents import quarantine, record
from kehu.addons.models import PluginIncident, TenantPlugin
from kehu.addons.seats import Seats, SeatsTaken
from kehu.addons.services import PluginService
from kehu.addons.states import TenantState
from kehu.api import session
from kehu.core import clock, context, db, hooks
from kehu.core.errors import InvalidInput
from kehu.core.ids import new_id
from kehu.customers.services import CustomerService
from kehu.testkit.browser import Browser
from kehu.testkit.fixtures import Shop
from plugins.breaker import Breaker, Key, Limits, Trip
from plugins.results import Fault

PAGE, ENDPOINT = "/x/automotive/panel", "automotive_vehicles.customer_panel"
FRAGMENT = {"HX-Request": "true", "HX-Request-Type": "partial"}

Put = Callable[[Callable[[], Any]], Browser]


@pytest.fixture
def put(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Put a view in the place of a page of the built-in plugin; failures are contained as in production."""
    relay = hooks.host().relay
    monkeypatch.setattr(relay, "strict", False)
    monkeypatch.setattr(relay, "breaker", Breaker(lambda: 0.0, Limits(faults=2)))
    with shop.work() as work:
        PluginService(work).enable("automotive")

    def putting(view: Callable[[], Any]) -> Browser:
        contained = pages._contained("automotive", ENDPOINT, view)
        monkeypatch.setitem(shop.app.view_functions, ENDPOINT, contained)
        return shop.client()

    return putting


def faults(shop: Shop) -> list[PluginIncident]:
    with shop.work() as work:
        return list(work.execute(select(PluginIncident)).scalars())


def raises() -> str:
    raise KeyError("vin")


def leaves() -> str:
    raise SystemExit(3)


def commits() -> str:
    session().commit()
    return ""


def wrong() -> Any:
    return 3.14


def statement() -> str:
    session().execute(text("SELECT nothing_like_it"))
    return ""


def other_tenant() -> str:
    db.bind_tenant(context.TenantInfo(id=new_id(), address="x", name="x"))
    return ""


def other_setting() -> str:
    session().execute(text("SELECT set_config('kehu.tenant_id', :id, true)"), {"id": str(new_id())})
    return ""


def other_role() -> str:
    session().connection().exec_driver_sql("RESET ROLE")
    return ""


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("COMMIT", "commit"),
        ("SELECT 1; rollback", "commit"),
        ("SET LOCAL ROLE kehu_cross", "change the role"),
        ("SELECT set_config('kehu.' || 'tenant_id', '', true)", "change the tenant"),
    ],
)
def test_no_way_of_writing_it_leaves_tenant_role_or_transaction(
    shop: Shop, put: Put, statement: str, words: str
) -> None:
    def view() -> str:
        with session().begin_nested():
            session().execute(text("SELECT 1"))
        session().connection().exec_driver_sql(statement)
        return ""

    assert put(view).get(PAGE).status_code == 503
    assert f"may not {words}" in faults(shop)[0].message


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (raises, "KeyError: 'vin'"),
        (leaves, "SystemExit: 3"),
        (commits, "may not commit inside a hook"),
        (wrong, "TypeError"),
        (other_tenant, "may not change the tenant"),
        (other_setting, "may not change the tenant"),
        (other_role, "may not change the role"),
    ],
)
def test_a_fault_is_told_in_the_panel_and_recorded(
    shop: Shop, put: Put, view: Callable[[], Any], words: str
) -> None:
    client = put(view)
    answer = client.get(PAGE, headers=FRAGMENT)
    assert answer.status_code == 200
    assert "Car dealer failed here" in answer.text
    assert f'hx-get="{PAGE}"' in answer.text
    assert "Traceback" not in answer.text
    assert client.get(PAGE).status_code == 503
    (fault,) = faults(shop)
    assert (fault.slug, fault.hook, fault.count) == ("automotive", f"page {ENDPOINT}", 2)
    assert words in fault.message
    assert "test_contained:" in fault.message
    # The breaker is open now, and the pages of the platform stand as ever.
    assert "rests for a moment" in client.get(PAGE, headers=FRAGMENT).text
    assert client.get("/customers").status_code == 200
    assert faults(shop)[0].count == 2


def test_a_failed_statement_takes_what_the_page_wrote_with_it(shop: Shop, put: Put) -> None:
    def view() -> str:
        CustomerService(session()).create({"name": "Half written"})
        return statement()

    assert "failed here" in put(view).get(PAGE, headers=FRAGMENT).text
    assert "Half written" not in shop.client().get("/customers").text
    assert "UndefinedColumn" in faults(shop)[0].message


def test_what_is_said_on_purpose_is_no_fault(shop: Shop, put: Put) -> None:
    def view() -> str:
        raise InvalidInput("The number of the frame is short.")

    assert put(view).get(PAGE).status_code == 422
    assert faults(shop) == []


def test_where_one_develops_the_traceback_is_drawn(
    shop: Shop, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shop.app.extensions["kehu.settings"]
    monkeypatch.setattr(type(settings), "development", property(lambda _self: True))
    client = put(raises)
    assert "KeyError: &#39;vin&#39;" in client.get(PAGE, headers=FRAGMENT).text
    page = client.get(PAGE)
    assert page.status_code == 500
    assert "in raises" in page.text


def test_a_statement_of_a_fragment_has_its_time(
    shop: Shop, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FRAGMENT_MS", 20)

    def view() -> str:
        session().execute(text("SELECT pg_sleep(0.2)"))
        return "slept"

    client = put(view)
    assert "failed here" in client.get(PAGE, headers=FRAGMENT).text
    assert client.get(PAGE).text == "slept"
    assert "QueryCanceled" in faults(shop)[0].message


def test_a_fragment_without_a_seat_asks_again_and_then_says_so(
    shop: Shop, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = put(lambda: "here")
    monkeypatch.setattr("kehu.addons.seats.PATIENCE", 0.0)
    with pages.fragments.taken("automotive"):
        waiting = client.get(f"{PAGE}?q=a", headers=FRAGMENT).text
        assert f'hx-get="{PAGE}?q=a&amp;_try=1"' in waiting
        assert "load delay" in waiting
        given_up = client.get(f"{PAGE}?q=a&_try={pages.RETRIES}", headers=FRAGMENT).text
        assert "is busy" in given_up
        assert f'hx-get="{PAGE}?q=a"' in given_up
        assert client.get(PAGE).text == "here"
    assert client.get(PAGE, headers=FRAGMENT).text == "here"
    assert faults(shop) == []


def test_nobody_waits_behind_one_that_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    seats = Seats(1)
    monkeypatch.setattr("kehu.addons.seats.PATIENCE", 60.0)
    monkeypatch.setattr("kehu.addons.seats.SLOW", 0.0)
    with seats.taken("a"), seats.taken("b"), pytest.raises(SeatsTaken), seats.taken("a"):
        pass
    monkeypatch.setattr("kehu.addons.seats.SLOW", 60.0)
    first, done = threading.Event(), threading.Event()

    def hold() -> None:
        with seats.taken("a"):
            first.set()
            done.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    assert first.wait(5)
    threading.Timer(0.05, done.set).start()
    with seats.taken("a"):
        assert done.is_set()
    holder.join()


def test_a_thread_of_a_plugin_has_neither_tenant_nor_session(shop: Shop, put: Put) -> None:
    found: list[str] = []

    def look() -> None:
        try:
            session()
        except RuntimeError as error:
            found.append(str(error))

    def view() -> str:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        return "done"

    assert put(view).get(PAGE).text == "done"
    assert "No unit of work is open" in found[0]


def test_what_does_not_recover_is_quarantined_and_says_so(
    shop: Shop, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(
        hooks.host().relay, "breaker", Breaker(lambda: now[0], Limits(faults=1, cooldown=10, reopens=3))
    )
    client = put(raises)
    for _time in range(4):
        assert client.get(PAGE).status_code == 503
        now[0] += 11
    with shop.work() as work:
        row = work.execute(select(TenantPlugin)).scalar_one()
        assert row.state == TenantState.QUARANTINED
        assert "KeyError" in (row.reason or "")
        assert row.until is not None
        assert row.until - clock.now() > dt.timedelta(minutes=59)
        customer = CustomerService(work).create({"name": "Harbour Taxis"})
    held = client.get(PAGE)
    assert held.status_code == 503
    assert "rests after repeated faults" in held.text
    assert client.get("/x/automotive/anything", method="POST").status_code in (405, 503)
    page = client.get(f"/customers/{customer.id}").text
    assert "Car dealer can&#39;t be shown just now" in page
    assert "quarantined" in client.get("/settings/audit?object=plugins").text
    with shop.work() as work:
        PluginService(work).resume("automotive")
    assert put(lambda: "well").get(PAGE).text == "well"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (TenantState.UPGRADE_PENDING, "is being brought up to date"),
        (TenantState.UPGRADE_ERROR, "could not be brought up to date yet"),
    ],
)
def test_a_plugin_that_is_brought_up_to_date_says_so(
    shop: Shop, put: Put, state: TenantState, words: str
) -> None:
    with shop.work() as work:
        assert quarantine("automotive", "for the test")
        work.expire_all()
        row = work.execute(select(TenantPlugin)).scalar_one()
        row.state = state.value
    answer = put(lambda: "never").get(PAGE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert words in answer.text
    with shop.work() as work:
        assert not quarantine("automotive", "it rests already")


def test_one_that_fails_for_several_tenants_is_kept_from_others(shop: Shop, put: Put) -> None:
    put(raises)
    fault = Fault(
        plugin="automotive",
        hook="kehu_merge_records",
        tenant_id=str(shop.tenant.id),
        error=KeyError("vin"),
        fingerprint="f",
        location="here",
        trip=Trip.EVERYWHERE,
    )
    with shop.work() as work:
        record(fault)
        service = PluginService(work)
        service.disable("automotive")
        assert "rests for all firms" in " ".join(service.plan("automotive").problems)
        work.execute(text("UPDATE plugin_installs SET held_until = NULL"))


def test_a_page_that_others_break_rests_for_their_firm_alone(
    shop: Shop, other_shop: Shop, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks.host().relay, "breaker", Breaker(lambda: 0.0, Limits(faults=1, tenants=1)))
    client = put(raises)
    with other_shop.work() as work:
        PluginService(work).enable("automotive")
    assert client.get(PAGE).status_code == 503
    assert "rests for a moment" in client.get(PAGE).text
    relay = hooks.host().relay
    assert relay.breaker.allows(Key(other_shop.tenant.id, "automotive", "kehu_check_send"))
    assert other_shop.client().get("/x/automotive/vehicles").status_code == 200
