"""The time machine: an hour of changes is looked at and taken back, but for what people changed since."""

import re
import time
from html import unescape

from sqlalchemy import select

from kehu.core import context
from kehu.core.records.service import service_for
from kehu.members.models import Role
from kehu.members.role_services import RoleService
from kehu.testkit.queue import work_off

URL = "/settings/time-machine"


def write(shop, values, actor=None, **where):
    with shop.work(actor) as session, context.use(**where):
        service_for("customers", session).update_many(values)


def sent(page, **more):
    found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return {**{key: unescape(found[key]) for key in ("since", "until", "who", "object")}, **more}


def take_back(browser, shop, url=URL):
    page = browser.get(url).text
    answer = browser.post(f"{URL}/take-back", sent(page))
    assert answer.status_code == 200, answer.text
    work_off(shop)
    run = re.search(r"/bulk/([0-9a-f-]{36})", answer.text)[1]
    return browser.get(f"/bulk/{run}", target="div#bulk-progress").text


def test_an_hour_goes_back_as_one_and_forth_again(browser, make, read, shop):
    a, b = make({"name": "A", "industry": "Timber"}, {"name": "B"})
    (gone,) = make("Gone")
    for word in ("One", "Two"):
        write(shop, {a: {"industry": word}, b: {"industry": word}})
    time.sleep(0.01)
    with shop.work() as session:
        service_for("customers", session).trash(gone)
    page = browser.get(URL).text
    assert "3 records were changed" in page
    assert page.count("Goes to the trash") == 2
    # Nothing is left of the hour: what was made in it lies in the trash.
    done = take_back(browser, shop)
    assert "2 records are as they were before" in done
    assert browser.get("/customers").text.count("data-row-link") == 0
    undo = re.search(r'data-undo="([^"]+)"', done)[1]
    assert browser.post(undo).status_code == 204
    assert (read(a).industry, read(b).industry) == ("Two", "Two")
    assert "took back" in browser.get("/settings/audit").text


def test_what_others_changed_since_stays_field_by_field(browser, make, read, shop):
    a, b = make({"name": "A", "industry": "Timber"}, {"name": "B", "industry": "Timber"})
    with shop.work(), context.by_rule("Sort"):
        pass
    with shop.work() as session, context.by_rule("Sort"):
        service_for("customers", session).update_many(
            {one: {"industry": "Wrong", "type_class": "partner"} for one in (a, b)}
        )
    write(shop, {b: {"industry": "Right"}})
    url = f"{URL}?who=s:rule:Sort"
    page = browser.get(url).text
    assert "1 of them was changed again since" in page
    assert "by the rule “Sort”" in page
    done = take_back(browser, shop, url)
    assert "2 records are as they were before" in done
    assert "Industry was changed since." in done
    assert (read(a).industry, read(a).type_class) == ("Timber", read(b).type_class)
    assert read(b).industry == "Right"
    assert read(b).type_class != "partner"


def test_a_trashed_customer_comes_back_with_its_contacts(browser, make, read, shop):
    (customer,) = make("Northwind")
    make({"name": "Anna", "customer_id": str(customer)}, kind="contacts")
    other = shop.member("admin")
    with shop.work(other) as session:
        service_for("customers", session).trash(customer)
    done = take_back(browser, shop, f"{URL}?who=m:{other.member_id}")
    assert "left as" not in done
    assert read(customer).deleted_at is None
    assert "Anna" in browser.get("/contacts").text


def test_without_the_right_only_ones_own(browser, browser_of, make, read, shop, other_shop):
    (mine,) = make({"name": "Mine", "industry": "Timber"})
    member = browser_of("member")
    write(shop, {mine: {"industry": "By the member"}}, shop.members["member"])
    write(shop, {mine: {"website": "https://owner.example"}})
    page = member.get(f"{URL}?who=m:{shop.owner.member_id}").text
    assert "Your own changes" in page
    assert "owner.example" not in page
    take_back(member, shop)
    assert (read(mine).industry, read(mine).website) == ("Timber", "https://owner.example")
    assert 'href="/settings/time-machine"' not in member.get("/settings").text
    stranger = type(browser)(other_shop.client())
    assert "Mine" not in stranger.get(URL).text


def test_a_span_that_makes_no_sense_is_named_and_kept(browser):
    answer = browser.get(f"{URL}?since=2026-01-02T10:00&until=2026-01-01T10:00")
    assert answer.status_code == 422
    assert "Choose a later moment" in answer.text
    assert 'value="2026-01-02T10:00"' in answer.text
    assert browser.get(f"{URL}?since=nonsense").status_code == 422
    none = browser.post(f"{URL}/take-back", {"since": "2020-01-01T10:00", "until": "2020-01-01T11:00"})
    assert none.status_code == 409


def test_what_is_out_of_reach_is_not_told(browser_of, make, shop):
    (mine,) = make({"name": "Zanzibar Quarry", "industry": "Stone"})
    write(shop, {mine: {"industry": "Marble"}})
    with shop.work() as session:
        viewer = session.execute(select(Role.id).where(Role.code == "viewer")).scalar_one()
        role = RoleService(session).create("Rewinder", viewer)
        role.permissions = {"history:rewind": "all", "customers:read": "own"}
        code = role.code
    narrow = browser_of(code)
    page = narrow.get(URL).text
    assert "1 record was changed" in page
    done = take_back(narrow, shop)
    for told in (page, done):
        assert "Not visible to you" in told
        assert not any(word in told for word in ("Zanzibar", "Marble", f"/customers/{mine}"))
    assert "Zanzibar Quarry" in shop.client().get(URL).text
