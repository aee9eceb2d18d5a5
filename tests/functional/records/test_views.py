"""Saved views, drafts and look-ups."""

import re

import pytest


def save(browser, name, query="type_class=partner", **more):
    return browser.post("/views/new", {"type": "customers", "name": name, "query": query, **more})


def view_id(answer):
    return re.search(r"view=([0-9a-f-]{36})", answer.headers["HX-Location"])[1]


def test_save_show_change_and_reset(browser, make):
    make({"name": "A", "type_class": "partner"}, {"name": "B"})
    made = view_id(save(browser, "Partners"))
    url = f"/customers?type_class=partner&view={made}"
    text = browser.get(url).text
    assert "Partners" in text
    assert "Save as a view" not in text
    changed = browser.get(f"{url}&sort=-name").text
    assert "Save as a view" in changed
    assert f"/views/{made}/save" in changed
    assert "Reset" in changed
    browser.post(f"/views/{made}/save", {"query": f"type_class=agent&sort=-name&view={made}"})
    assert "type_class=agent" in browser.get("/customers?view=all").text


def test_last_view_is_found_again(browser, make):
    make({"name": "A", "type_class": "partner"}, {"name": "B"})
    made = view_id(save(browser, "Partners"))
    browser.get(f"/customers?type_class=partner&view={made}")
    answer = browser.get("/customers")
    assert answer.status_code == 303
    assert made in answer.headers["Location"]
    partial = browser.get("/customers", target="main#main")
    assert made in partial.headers["HX-Push-Url"]
    browser.get("/customers?view=all")
    assert browser.get("/customers").status_code == 200


def test_personal_views_are_ones_own(browser, browser_of):
    made = view_id(save(browser, "Mine only"))
    other = browser_of("manager")
    assert "Mine only" not in other.get("/customers").text
    assert other.post(f"/views/{made}/save", {"query": ""}).status_code == 404
    assert other.post(f"/views/{made}/delete").status_code == 404


def test_shared_views_need_the_right(browser, browser_of):
    made = view_id(save(browser, "For all", shared="1"))
    member = browser_of("member")
    assert "For all" in member.get("/customers?view=all").text
    assert member.post(f"/views/{made}/save", {"query": ""}).status_code == 403
    assert save(member, "Mine for all", shared="1").status_code == 403
    assert save(member, "Mine").status_code == 204


@pytest.mark.parametrize("name", ["", " ", "x" * 100])
def test_bad_names_are_refused(browser, name):
    answer = save(browser, name)
    assert answer.status_code == 422
    assert "k-error" in answer.text


def test_delete_and_undo(browser):
    made = view_id(save(browser, "Gone soon"))
    assert save(browser, "gone SOON").status_code == 422
    browser.post(f"/views/{made}/edit", {"name": "Renamed"})
    deleted = browser.post(f"/views/{made}/delete")
    assert deleted.headers["HX-Location"]
    page = browser.get("/customers?view=all").text
    undo = re.search(r'data-undo="([^"]+)"', page)[1]
    assert f"view={made}" not in page
    browser.post(undo)
    assert "Renamed" in browser.get("/customers?view=all").text


def test_drafts_are_kept_and_bounded(browser, browser_of, shop):
    from kehu.views.drafts import draft_text

    assert (
        browser.post("/drafts/customer-1-note", {"text": "Half a \x00 thought"}, method="PUT").status_code
        == 204
    )
    assert browser.post("/drafts/customer-1-note", {"text": "A thought"}, method="PUT").status_code == 204
    browser_of("manager").post("/drafts/customer-1-note", {"text": "Another's"}, method="PUT")
    with shop.work() as session:
        assert draft_text(session, "customer-1-note") == "A thought"
    assert browser.post("/drafts/customer-1-note", {"text": "x" * 20_001}, method="PUT").status_code == 413
    assert browser.post(f"/drafts/{'k' * 200}", {"text": "x"}, method="PUT").status_code == 422
    assert browser.post("/drafts/customer-1-note", method="DELETE").status_code == 204
    with shop.work() as session:
        assert draft_text(session, "customer-1-note") == ""


def test_look_ups(browser, other_shop, make):
    make("Northwind Joinery", "Ferry Lane")
    with other_shop.work() as session:
        from kehu.core.records.service import service_for

        service_for("customers", session).create({"name": "North Secret"})
    text = browser.get("/lookup/customers?q=north&create=1", target="div#x").text
    assert "Northwind Joinery" in text
    assert "Secret" not in text
    assert "Create “north”" in text
    assert 'data-value="new:north"' in text
    assert "Ferry Lane" in browser.get("/lookup/customers", target="div#x").text
    assert "Nothing found" in browser.get("/lookup/customers?q=%25", target="div#x").text
    assert "Mira Sol" in browser.get("/lookup/members?q=mi", target="div#x").text
    assert "Nothing found" in browser.get("/lookup/members?q=%25", target="div#x").text
    assert browser.get("/lookup/nonsense", target="div#x").status_code == 404


def test_look_up_of_tags(browser, make):
    make({"name": "A", "tags": "VIP, Wholesale"})
    assert "vip" in browser.get("/lookup/tags?of=customers&q=v", target="div#x").text


def test_viewer_is_not_offered_to_create(browser_of):
    assert "new:" not in browser_of("viewer").get("/lookup/customers?q=zz&create=1", target="div#x").text
