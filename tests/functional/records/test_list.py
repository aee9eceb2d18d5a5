"""The list of a record type."""

import gzip
import re

import pytest

from kehu.testkit.fixtures import count_queries


def names(text):
    return re.findall(r"data-row-link>([^<]+)</a>", text)


def test_list_of_fifty_keeps_its_budgets(browser, make):
    make(
        *[
            {
                "name": f"Firm {n:03}",
                "emails": f"a{n}@example.com",
                "tags": "VIP, Wholesale",
                "industry": "Joinery",
            }
            for n in range(60)
        ]
    )
    browser.get("/customers")
    with count_queries() as found:
        answer = browser.get("/customers?sort=name")
    assert answer.status_code == 200
    assert len(names(answer.text)) == 50
    assert len(found) <= 8, found.texts
    assert len(gzip.compress(answer.data)) <= 12 * 1024
    assert len(re.findall(r"<[a-z]", answer.text)) <= 1500


def test_pages_go_on_and_back(browser, make):
    make(*[f"Firm {n:03}" for n in range(120)])
    first = browser.get("/customers?sort=name").text
    onward = re.search(r'href="([^"]+)" data-list-link data-next-page', first)[1].replace("&amp;", "&")
    second = browser.get(onward).text
    assert names(second)[0] == "Firm 050"
    assert "51–100" in second
    back = re.search(r'href="([^"]+)" data-list-link aria-label="Previous page"', second)[1].replace(
        "&amp;", "&"
    )
    assert names(browser.get(back).text) == names(first)
    assert "of 120" in browser.get("/customers/count?sort=name", target="span#list-count").text


def test_filter_answers_the_list_and_the_chips_alone(browser, make):
    make({"name": "Élan", "type_class": "partner"}, {"name": "Other"})
    answer = browser.get(
        "/customers?q=elan&type_class=&industry.starts=", target="div#list", source="form#list-filters"
    )
    assert names(answer.text) == ["Élan"]
    assert "<html" not in answer.text
    assert 'hx-target="#list-chips"' in answer.text
    assert answer.headers["HX-Replace-Url"] == "/customers?q=elan"
    assert "HX-Target" in answer.headers["Vary"]


def test_several_values_of_one_filter_are_joined(browser, make):
    make({"name": "A", "type_class": "partner"}, {"name": "B", "type_class": "agent"}, {"name": "C"})
    answer = browser.get(
        "/customers?type_class=partner&type_class=agent", target="div#list", source="form#list-filters"
    )
    assert sorted(names(answer.text)) == ["A", "B"]
    assert answer.headers["HX-Replace-Url"] == "/customers?type_class=partner,agent"
    assert "Partner, Agent" in answer.text


def test_empty_states_tell_apart(browser, make):
    assert "No customers yet" in browser.get("/customers").text
    make("One")
    nothing = browser.get("/customers?q=zzz").text
    assert "Nothing matches" in nothing
    assert 'value="zzz"' in nothing


def test_bad_filter_is_said_and_loses_nothing(browser, make):
    make("One")
    answer = browser.get("/customers?created_at.gte=2026-02-30", target="div#list")
    assert answer.status_code == 200
    assert "no day" in answer.text


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIiwiYiJd", "8J+YgA", "WyJcdTAwMDAiLCIwMTIzIl0"])
def test_foreign_page_marks_are_refused_kindly(browser, make, cursor):
    make("One")
    assert "This page mark" in browser.get(f"/customers?after={cursor}").text


def test_sort_heads_say_the_order(browser, make):
    make("A", "B")
    text = browser.get("/customers?sort=-name").text
    assert 'aria-sort="descending"' in text
    assert names(text) == ["B", "A"]


def test_columns_are_chosen_and_kept(browser, make):
    make({"name": "A", "country": "Norway"})
    assert 'value="country"' in browser.get("/customers/columns", target="dialog#dialog").text
    answer = browser.post("/customers/columns", {"column": ["country", "owner_id", "nonsense"]})
    assert answer.status_code == 204
    text = browser.get("/customers").text
    assert "Norway" in text
    assert "Changed</a>" not in text


def test_filter_menus_of_every_field_open(browser, make):
    make({"name": "A", "tags": "VIP"})
    from kehu.core.records.types import get

    for field in get("customers").fields:
        answer = browser.get(f"/customers/filter/{field.key}", target=f"div#chip-{field.key}")
        assert answer.status_code == (200 if field.filterable else 404), field.key


def test_names_are_escaped(browser, make):
    make("<img src=x onerror=alert(1)>")
    text = browser.get("/customers").text
    assert "<img" not in text
    assert "&lt;img" in text


def test_viewer_sees_no_buttons(browser_of, make):
    make("A")
    text = browser_of("viewer").get("/customers").text
    assert "data-edit-url" not in text
    assert "data-bulk" not in text
    assert "/customers/new" not in text


def test_other_tenants_rows_stay_away(browser, other_shop, make):
    make("Mine")
    with other_shop.work() as session:
        from kehu.core.records.service import service_for

        service_for("customers", session).create({"name": "Secret"})
    assert names(browser.get("/customers").text) == ["Mine"]


def test_an_empty_view_is_no_filter_that_went_wrong(browser):
    text = browser.client.get("/activities", follow_redirects=True).text
    assert "Nothing in this view" in text
    assert "Clear all filters" not in text
    assert "Clear all filters" in browser.get("/activities?kind=call&q=zzz").text


def test_an_empty_list_says_what_it_is_for(browser):
    assert "who is called when something is wrong" in browser.get("/contacts").text
