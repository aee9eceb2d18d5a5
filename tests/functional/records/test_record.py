"""Create, edit, trash, restore and undo a record through its pages."""

import re
from urllib.parse import unquote

import pytest

from kehu.core.records.service import service_for


def undo_of(answer):
    return re.search(r'"undo_url": "([^"]+)"', answer.headers["HX-Trigger"])[1]


def version(text):
    return re.search(r'name="version" value="(\d+)"', text)[1]


def test_create_in_the_dialog(browser, read):
    form = browser.get("/customers/new", target="dialog#dialog").text
    assert "<html" not in form
    assert 'name="name"' in form
    assert "Yearly turnover" not in form
    key = re.search(r'name="idempotency_key" value="([^"]+)"', form)[1]
    data = {
        "name": "Northwind",
        "idempotency_key": key,
        "__has.emails": "1",
        "emails.address": "a@example.com",
        "emails.label": "Work",
    }
    first = browser.post("/customers/new", data)
    assert first.status_code == 204, first.text
    again = browser.post("/customers/new", data)
    assert again.headers["HX-Location"] == first.headers["HX-Location"]
    record = read(re.search(r"/customers/([0-9a-f-]{36})", first.headers["HX-Location"])[1])
    assert record.emails == [{"label": "Work", "address": "a@example.com"}]
    assert browser.get("/customers").text.count("data-row-link") == 1


def test_create_without_script(browser):
    answer = browser.get("/customers/new?full=1")
    assert "Yearly turnover" in answer.text
    assert "<html" in answer.text
    sent = browser.post("/customers/new", {"name": "Plain", "revenue": "12 500.50", "full": "1"}, target="")
    assert sent.status_code == 303
    assert "£12,500.50" in browser.get(sent.headers["Location"]).text


def test_wrong_form_keeps_what_was_typed(browser):
    answer = browser.post("/customers/new", {"name": "", "website": "nonsense", "industry": "Timber & Co"})
    assert answer.status_code == 422
    assert "Name is needed" in answer.text
    assert 'value="Timber &amp; Co"' in answer.text
    assert "no web address" in answer.text
    assert "autofocus" in answer.text


def test_refused_form_may_be_sent_again_with_its_key(browser):
    key = "0123456789abcdef"
    assert browser.post("/customers/new", {"name": "", "idempotency_key": key}).status_code == 422
    assert browser.post("/customers/new", {"name": "Now", "idempotency_key": key}).status_code == 204


def test_preset_values_and_staying(browser, make):
    (customer,) = make("Northwind")
    form = browser.get(f"/contacts/new?customer_id={customer}&stay=1", target="dialog#dialog").text
    assert f'value="{customer}"' in form
    assert "Northwind" in form
    answer = browser.post("/contacts/new", {"name": "Anna", "customer_id": str(customer), "stay": "1"})
    assert "kehu:refresh" in answer.headers["HX-Trigger"]


def test_look_up_can_name_a_new_customer_and_undo_takes_both_back(browser):
    answer = browser.post("/contacts/new", {"name": "Anna", "customer_id": "new:Fresh & Co"})
    assert answer.status_code == 204
    page = browser.get("/contacts").text
    assert "Fresh &amp; Co" in page
    undo = re.search(r'data-undo="([^"]+)"', page)
    assert undo is not None
    assert browser.post(undo[1]).status_code == 204
    assert "Anna" not in browser.get("/contacts").text
    assert "Fresh" not in browser.get("/customers").text


def test_plain_page_shows_all_fields(browser, make, shop):
    (customer,) = make({"name": "Northwind", "website": "https://www.example.com/x", "tags": "VIP"})
    text = browser.get(f"/customers/{customer}").text
    for part in ("Northwind", 'id="fact-website"', 'rel="noopener noreferrer"', 'id="fact-tags"', "Mira Sol"):
        assert part in text, part


@pytest.mark.parametrize(
    ("key", "typed", "shown"),
    [
        ("name", {"name": "Southwind"}, "Southwind"),
        ("type_class", {"type_class": "partner"}, "Partner"),
        ("employees", {"employees": "12"}, "12"),
        ("revenue", {"revenue": "1,200.50"}, "£1,200.50"),
        ("tags", {"tags": "VIP, vip, New"}, "New"),
        ("website", {"website": "example.com"}, "https://example.com"),
        ("description", {"description": "One\nTwo"}, "One\nTwo"),
        ("owner_id", {"owner_id": ""}, "–"),
        (
            "emails",
            {"__has.emails": "1", "emails.address": ["a@b.example", ""], "emails.label": ["", ""]},
            "a@b.example",
        ),
        (
            "addresses",
            {"__has.addresses": "1", "addresses.city": "Leeds", "addresses.street": "1 Wharf"},
            "1 Wharf, Leeds",
        ),
    ],
)
def test_every_kind_is_edited_where_it_stands(browser, make, key, typed, shown):
    (customer,) = make("Northwind")
    editor = browser.get(f"/customers/{customer}/field/{key}", target=f"dd#fact-{key}").text
    assert "data-inline" in editor
    assert "autofocus" in editor
    saved = browser.post(
        f"/customers/{customer}/field/{key}", {**typed, "version": version(editor)}, target=f"dd#fact-{key}"
    )
    assert saved.status_code == 200, saved.text
    assert saved.text.strip().startswith(f'<dd id="fact-{key}"')
    assert shown in saved.text
    assert "undo_url" in saved.headers["HX-Trigger"]


def test_edit_in_the_list_answers_the_cell(browser, make):
    (customer,) = make("Northwind")
    url = f"/customers/{customer}/field/industry?in=list"
    editor = browser.get(url, target="td#x").text
    saved = browser.post(url, {"industry": "Timber", "version": version(editor)}, target="td#x")
    assert saved.text.strip().startswith("<td")
    assert "Timber</td>" in saved.text
    assert saved.text.split('id="')[1].split('"')[0] in browser.get("/customers").text


def test_wrong_value_keeps_the_text(browser, make, read):
    (customer,) = make("Northwind")
    answer = browser.post(
        f"/customers/{customer}/field/website", {"website": "no<site", "version": "1"}, target="dd#x"
    )
    assert answer.status_code == 422
    assert 'value="no&lt;site"' in answer.text
    assert 'role="alert"' in answer.text
    assert read(customer).website is None


def test_stale_value_asks_which_counts(browser, browser_of, make, read):
    (customer,) = make({"name": "Northwind", "industry": "Joinery"})
    url = f"/customers/{customer}/field/industry"
    browser_of("manager").post(url, {"industry": "Timber", "version": "1"}, target="dd#x")
    answer = browser.post(url, {"industry": "Boats", "version": "1"}, target="dd#x")
    assert answer.status_code == 409
    for part in ("Timber", "Boats", "Manager", 'hx-target="#fact-industry"'):
        assert part in answer.text, part
    assert read(customer).industry == "Timber"
    mine = browser.post(
        url, {"industry": "Boats", "version": version(answer.text), "mine": "1"}, target="dd#x"
    )
    assert mine.status_code == 200
    assert "kehu:close" in mine.headers["HX-Trigger"]
    assert read(customer).industry == "Boats"


def test_full_form_merges_what_others_changed(browser, browser_of, make, read):
    (customer,) = make({"name": "Northwind", "industry": "Joinery"})
    url = f"/customers/{customer}/edit"
    form = browser.get(url, target="dialog#dialog").text
    typed = {"version": version(form), "name": "Northwind", "industry": "Joinery", "region": "Yorkshire"}
    browser_of("manager").post(
        f"/customers/{customer}/field/industry", {"industry": "Timber", "version": "1"}, target="dd#x"
    )
    assert browser.post(url, typed).status_code == 204
    record = read(customer)
    assert (record.industry, record.region) == ("Timber", "Yorkshire")
    answer = browser.post(url, {**typed, "industry": "Boats"})
    assert answer.status_code == 409
    assert "Timber" in answer.text
    assert (
        browser.post(url, {**typed, "industry": "Boats", "version": version(answer.text)}).status_code == 204
    )
    assert read(customer).industry == "Boats"


def test_undo_of_an_edit(browser, make, read):
    (customer,) = make("Northwind")
    saved = browser.post(
        f"/customers/{customer}/field/industry", {"industry": "Timber", "version": "1"}, target="dd#x"
    )
    undone = browser.post(undo_of(saved))
    assert undone.status_code == 204
    assert "Took back 1 change" in undone.headers["HX-Trigger"]
    assert read(customer).industry is None
    browser.post(undo_of(undone))
    assert read(customer).industry == "Timber"


def test_undo_of_others_is_not_found(browser, browser_of, make):
    (customer,) = make("Northwind")
    saved = browser.post(
        f"/customers/{customer}/field/industry", {"industry": "Timber", "version": "1"}, target="dd#x"
    )
    assert browser_of("manager").post(undo_of(saved)).status_code == 404


def test_trash_leads_back_and_restores(browser, make, read):
    (customer,) = make("Northwind")
    gone = browser.post(f"/customers/{customer}/trash?from=q%3Dnorth")
    assert "/customers?q=north" in gone.headers["HX-Location"]
    assert browser.get(f"/customers/{customer}").status_code == 404
    trash = browser.get("/trash").text
    assert "Northwind" in trash
    assert "Mira Sol" in trash
    assert browser.post(f"/trash/customers/{customer}/restore").status_code == 204
    again = browser.post(f"/trash/customers/{customer}/restore")
    assert again.status_code == 204
    assert "is back already" in unquote(str(again.headers))
    assert read(customer).deleted_at is None
    assert (
        "Northwind" not in browser.get("/trash?type=customers").text.split("<main")[1].split("data-toast")[0]
    )


def test_trash_has_pages(browser, make, shop):
    ids = make(*[f"Firm {n:03}" for n in range(60)])
    with shop.work() as session:
        service_for("customers", session).trash_many(ids)
    seen, url = set(), "/trash"
    while url:
        text = browser.get(url).text
        seen |= set(re.findall(r'data-row="([^"]+)"', text))
        found = re.search(r'href="(/trash\?after=[^"]+)"', text)
        url = found[1].replace("&amp;", "&") if found else ""
    assert len(seen) == 60


def test_history_says_who_changed_what_and_takes_it_back(browser, make, read):
    (customer,) = make({"name": "Northwind", "type_class": "prospect"})
    browser.post(
        f"/customers/{customer}/field/type_class", {"type_class": "partner", "version": "1"}, target="dd#x"
    )
    text = browser.get(f"/customers/{customer}/history", target="dialog#dialog").text
    for part in ("Mira Sol", "Prospect", "Partner", "created it"):
        assert part in text, part
    undo = re.search(r'hx-post="([^"]+/undo)"', text)[1]
    assert browser.post(undo).status_code == 204
    assert read(customer).type_class == "prospect"


def test_position_in_the_list(browser, make):
    ids = make("A", "B", "C")
    page = browser.get("/customers?sort=name").text
    link = re.search(rf'href="(/customers/{ids[1]}\?[^"]+)"', page)[1].replace("&amp;", "&")
    url = re.search(r'hx-get="([^"]+position[^"]+)"', browser.get(link).text)[1].replace("&amp;", "&")
    text = browser.get(url, target="span#record-position").text
    assert "2 of 3" in text
    assert f"/customers/{ids[0]}?" in text
    assert f"/customers/{ids[2]}?" in text


def test_foreign_records_look_like_none(browser, other_shop, make):
    with other_shop.work() as session:
        foreign = service_for("customers", session).create({"name": "Secret"}).id
        batch = session.info["audit_batch"]
    none = "01939000-0000-7000-8000-000000000000"
    (own,) = make("Mine")
    for one, other in ((foreign, none),):
        for path in ("", "/position", "/field/name", "/edit", "/history"):
            a, b = browser.get(f"/customers/{one}{path}"), browser.get(f"/customers/{other}{path}")
            assert (a.status_code, b.status_code) == (404, 404), path
            assert "Secret" not in a.text
        for path in ("/trash", "/field/name", "/edit", f"/history/{none}/undo"):
            assert browser.post(f"/customers/{one}{path}", {"name": "x", "version": "1"}).status_code == 404
    assert browser.post(f"/undo/{batch}").status_code == 404
    assert browser.post(f"/trash/customers/{foreign}/restore").status_code == 404
    bad = browser.post(
        f"/customers/{own}/field/parent_id", {"parent_id": str(foreign), "version": "1"}, target="dd#x"
    )
    assert bad.status_code == 422
    assert browser.post("/customers/bulk/trash", {"ids": str(foreign)}).status_code == 422


@pytest.mark.parametrize(
    "name",
    [
        "x" * 20_000,
        "a\x00b",
        "\ud800lone",
        "שלום\u202eabc",
        "🦄" * 50,
        "<script>alert(1)</script>",
        "'; drop table customers; --",
    ],
)
def test_odd_names_are_kept_or_refused_never_broken(browser, name):
    answer = browser.post("/customers/new", {"name": name.encode("utf-8", "surrogatepass")})
    assert answer.status_code in (204, 422)
    assert browser.get("/customers").status_code == 200


def test_twenty_megabytes_are_refused(browser):
    answer = browser.post("/customers/new", {"name": "x" * 20_000_000})
    assert answer.status_code in (413, 422)


def test_ten_thousand_tags_are_refused_in_words(browser, make):
    (customer,) = make("Northwind")
    tags = ",".join(f"t{n}" for n in range(10_000))
    answer = browser.post(f"/customers/{customer}/field/tags", {"tags": tags, "version": "1"}, target="dd#x")
    assert answer.status_code == 422
    assert "too many" in answer.text


def test_viewer_is_refused(browser_of, make):
    (customer,) = make("Northwind")
    viewer = browser_of("viewer")
    assert viewer.get(f"/customers/{customer}").status_code == 200
    assert viewer.get(f"/customers/{customer}/field/name").status_code == 403
    for path in (
        "/customers/new",
        f"/customers/{customer}/edit",
        f"/customers/{customer}/trash",
        "/customers/bulk/trash",
    ):
        assert viewer.post(path, {"ids": str(customer), "name": "x"}).status_code == 403, path
    assert viewer.get("/customers/export.csv").status_code == 403


def test_own_scope_refuses_others_records(shop, browser_of, make, read):
    from sqlalchemy import select

    from kehu.members.models import Role

    (theirs,) = make("Theirs")
    (mine,) = make("Mine", actor=shop.member("member"))
    with shop.work() as session:
        role = session.execute(select(Role).where(Role.code == "member")).scalar_one()
        role.permissions = {**role.permissions, "customers:write": "own"}
    member = browser_of("member")
    text = member.get("/customers?sort=name").text
    assert f"/customers/{mine}/field/" in text
    assert f"/customers/{theirs}/field/" not in text
    assert member.get(f"/customers/{theirs}/field/name").status_code == 403
    answer = member.post(f"/customers/{theirs}/field/name", {"name": "x", "version": "1"}, target="dd#x")
    assert answer.status_code == 403
    assert "kehu:toast" in answer.headers["HX-Trigger"]
    assert read(theirs).name == "Theirs"


def test_session_that_ended_says_so_and_moves_nothing(shop, make, read):
    (customer,) = make("Northwind")
    from kehu.testkit.browser import browser as stranger
    from tests.functional.records.conftest import Browser

    client = Browser(stranger(shop.app, f"{shop.tenant.address}.localhost"))
    answer = client.post(f"/customers/{customer}/field/name", {"name": "x", "version": "1"}, target="dd#x")
    assert answer.status_code == 401
    assert "kehu:signin" in answer.headers["HX-Trigger"]
    assert client.get("/customers").status_code == 303
    assert read(customer).name == "Northwind"


def test_plain_page_of_a_type_without_its_own(browser, make):
    (product,) = make({"name": "Oak desk"}, kind="products")
    text = browser.get(f"/products/{product}").text
    assert "Oak desk" in text
    assert "/history?inline=1" in text
    assert (
        "Mira Sol" in browser.get(f"/products/{product}/history?inline=1", target="div#record-history").text
    )


def test_a_new_name_reaches_the_heading(browser, make):
    (one,) = make("Acme")
    answer = browser.post(
        f"/customers/{one}/field/name", {"name": "Birch", "version": "1"}, target="dd#fact-name"
    )
    assert answer.status_code == 200, answer.text
    assert "kehu:refresh" in answer.headers["HX-Trigger"]
    other = browser.post(
        f"/customers/{one}/field/industry", {"industry": "Wood", "version": "2"}, target="dd#x"
    )
    assert "kehu:refresh" not in other.headers.get("HX-Trigger", "")


def test_the_form_opened_by_its_address_leads_to_the_record(browser, make):
    (made,) = make("Holding")
    url = f"/customers/{made}"
    sent = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{url}/edit"}
    data = {"name": "Holding 2", "version": "1"}
    answer = browser.client.post(f"{url}/edit", data=data, headers=sent)
    assert url in answer.headers["HX-Location"]
    # The frame asks for its page anew: no dialog has a part for it, but a page around the dialog does.
    for path in (f"{url}/edit", "/customers/new", f"/privacy/customers/{made}"):
        page = browser.get(path, target="main#main")
        assert page.status_code == 200, path
        assert page.text.count("<main") == 1, path
