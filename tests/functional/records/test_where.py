"""The filter builder, and filters with groups in lists, exports, bulk changes, views, segments and REST."""

import re
from urllib.parse import quote

import pytest

WHERE = "or(value_class:A,deals(amount.gte:1000))"


def names(text):
    return sorted(re.findall(r"data-row-link>([^<]+)</a>", text))


@pytest.fixture
def filled(make):
    anvil, bench, chisel = make(
        {"name": "Anvil", "value_class": "A"}, {"name": "Bench"}, {"name": "Chisel", "value_class": "B"}
    )
    make({"name": "Big", "amount": "5000", "customer_id": str(bench)}, kind="deals")
    return anvil, bench, chisel


def test_a_list_shows_what_fits_and_says_so(browser, filled):
    page = browser.get(f"/customers?where={quote(WHERE)}").text
    assert names(page) == ["Anvil", "Bench"]
    assert "Class is A or has: Deals (Value is from 1000 on)" in page
    assert names(browser.get("/customers?where=deals()&q=bench").text) == ["Bench"]
    assert "Clear" in page
    assert 'name="where" value="or(value_class:A,deals(amount.gte:1000))"' in page


def test_a_filter_that_makes_no_sense_is_named_and_kept_in_sight(browser, filled):
    page = browser.get("/customers?where=value_class:A,deals(amount.gte:x)").text
    assert "In the filter “amount.gte:x”" in page
    assert "Clear all filters" in page


def test_export_count_and_bulk_go_by_it(browser, filled, read):
    rows = browser.get(f"/customers/export.csv?where={quote(WHERE)}").text
    assert [name for name in ("Anvil", "Bench", "Chisel") if name in rows] == ["Anvil", "Bench"]
    assert "2" in browser.get(f"/customers/count?where={quote(WHERE)}").text
    sent = {"all": "1", "query": f"where={quote(WHERE)}", "add": "spring"}
    assert browser.post("/customers/bulk/tag", sent).status_code == 204
    assert [read(one).tags for one in filled] == [["spring"], ["spring"], []]


def test_a_view_keeps_it(browser, filled):
    answer = browser.post(
        "/views/new?type=customers", {"type": "customers", "query": f"where={quote(WHERE)}", "name": "Good"}
    )
    assert answer.status_code == 204
    url = re.search(r'"path": "([^"]+)"', answer.headers["HX-Location"])[1]
    page = browser.get(url).text
    assert names(page) == ["Anvil", "Bench"]
    assert "Save as a view" not in page


def test_a_segment_keeps_it(browser, filled):
    asked = browser.get(f"/segments/keep?type=customers&query={quote('where=' + quote(WHERE))}")
    assert asked.status_code == 200


def test_the_builder_opens_with_the_filter(browser, filled):
    page = browser.get(f"/customers/where?where={quote(WHERE)}&sort=name", "dialog#dialog").text
    assert page.count('class="k-where-group"') == 2
    assert 'value="sort=name"' in page
    assert '<option value="deals" selected>' in page
    assert 'value="1000"' in page
    empty = browser.get("/customers/where", "dialog#dialog").text
    assert empty.count('class="k-where-row"') == 1


def _form(**more):
    return {
        "kept": "sort=name",
        "join": "and",
        "g0": "",
        "g0.join": "and",
        "g0.t0": "value_class",
        "g0.t0.op": "eq",
        "g0.t0.v": ["A", "B"],
        **more,
    }


def ask(browser, **more):
    url = browser.client.application.test_request_context("/x", query_string=_form(**more)).request
    return browser.get(f"/customers/where?{url.query_string.decode()}", "form#where")


def test_the_builder_grows_and_shrinks(browser, filled):
    page = ask(browser, act="add:0").text
    assert page.count('class="k-where-row"') == 2
    assert re.search(r'id="g0.t1" [^>]*data-focus', page)
    page = ask(browser, act="group").text
    assert page.count('class="k-where-group"') == 2
    page = ask(
        browser, **{"g1": "!deals", "g1.t0": "amount", "g1.t0.op": "gte", "g1.t0.v": "5"}, act="drop:0:0"
    ).text
    assert page.count('class="k-where-row"') == 1
    assert 'name="g1.t0.v"' in page
    page = ask(browser, g1="deals", act="ungroup:0").text
    assert page.count('class="k-where-group"') == 1
    assert '<option value="deals" selected>' in page
    # A field of another subject gives way to one that is there.
    page = ask(browser, g0="deals").text
    assert "value_class" not in page


def test_the_builder_leads_to_the_list(browser, filled):
    answer = ask(browser, act="apply")
    assert answer.status_code == 204
    assert "/customers?sort=name&where=value_class:A|B" in answer.headers["HX-Location"]
    days = {"g0.t0": "created_at", "g0.t0.op": "last", "g0.t0.v": "7"}
    assert "where=created_at:last-7-days" in ask(browser, **days, act="apply").headers["HX-Location"]
    filled_in = {"g0.t0.op": "filled", "g0.t0.v": ""}
    assert "where=value_class.empty:0" in ask(browser, **filled_in, act="apply").headers["HX-Location"]
    assert "where" not in ask(browser, act="clear").headers["HX-Location"].replace("/where", "")


def test_the_builder_refuses_and_keeps_what_was_chosen(browser, filled):
    answer = ask(browser, **{"g0.t0.v": ""}, act="apply")
    assert answer.status_code == 422
    assert "Say what to compare with." in answer.text
    answer = ask(
        browser, **{"g0": "deals", "g0.t0": "amount", "g0.t0.op": "gte", "g0.t0.v": "lots"}, act="apply"
    )
    assert answer.status_code == 422
    assert "amount.gte:lots" in answer.text
    assert 'value="lots"' in answer.text


def test_other_firms_and_roles_see_nothing_of_it(browser_of, filled, make):
    viewer = browser_of("viewer")
    assert viewer.get(f"/customers?where={quote(WHERE)}").status_code == 200
