"""What one field held over time, who and what changed it, and the way back of one change of one field."""

import json
import re
from dataclasses import replace

from kehu.core import audit, context, hooks
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.imports.models import Import


def shown(browser, customer, key):
    return browser.get(f"/customers/{customer}/history/field/{key}", target="dialog#dialog").text


def undo_urls(text):
    return re.findall(r'hx-post="([^"]+/undo/[^"]+)"', text)


def change(shop, customer, values, actor=None, **where):
    with shop.work(actor) as session, context.use(**where):
        service_for("customers", session).update(customer, values)


def test_label_opens_what_stood_there_before(browser, make, shop):
    (customer,) = make({"name": "Northwind", "industry": "Timber"})
    change(shop, customer, {"industry": "Paper", "website": "https://a.example"})
    change(shop, customer, {"industry": "Steel"})
    page = browser.get(f"/customers/{customer}").text
    assert f'hx-get="/customers/{customer}/history/field/industry"' in page
    text = shown(browser, customer, "industry")
    assert re.findall(r"<(?:del|ins)>([^<]*)<", text) == ["Paper", "Steel", "Timber", "Paper", "Timber"]
    assert "a.example" not in text
    assert text.count("Mira Sol") == 3
    assert "created it" in text
    assert "knows of no change" in shown(browser, customer, "description")


def test_who_and_what_changed_it_are_told_apart(browser, make, shop):
    (customer,) = make("Northwind")
    token = shop.token()
    sent = shop.app.test_client().patch(
        f"http://{shop.tenant.address}.localhost/api/v1/customers/{customer}",
        json={"industry": "By token"},
        headers={"Authorization": f"Bearer {token}", "If-Match": '"1"'},
    )
    assert sent.status_code == 200, sent.text
    with shop.work() as session:
        found = Import(
            id=new_id(),
            object="customers",
            name="firms <2026>.csv",
            path="x",
            size=1,
            owner_id=shop.owner.member_id,
        )
        session.add(found)
        session.flush()
        audit.use_batch(session, found.id)
        with context.use(source="import"):
            service_for("customers", session).update(customer, {"industry": "By import"})
    with shop.work() as session, context.by_rule("Ask for papers"):
        service_for("customers", session).update(customer, {"industry": "By rule"})
    tenant = replace(shop.tenant, plugins=frozenset({"automotive"}))
    with shop.work() as session, context.use(tenant=tenant):
        hooks.host().relay.run_declared(
            "job test",
            "automotive",
            lambda: service_for("customers", session).update(customer, {"industry": "By plugin"}) and "",
            tenant=tenant.id,
        )
    change(shop, customer, {"industry": "By job"}, source="job", actor=replace(shop.owner, kind="job"))
    text = shown(browser, customer, "industry")
    said = re.findall(r"<small>(?:<a [^>]*>)?([^<]+)<", text)
    assert said == [
        "by a background job",
        "by the plugin “Car dealer”",
        "by the rule “Ask for papers”",
        "by the import “firms &lt;2026&gt;.csv”",
        "by the API token “test”",
    ]
    assert f'href="/imports/{found.id}"' in text
    trail = browser.get("/settings/audit").text
    for part in said:
        assert part in trail, part


def test_one_field_of_one_change_is_taken_back(browser, make, shop, read):
    (customer,) = make({"name": "Northwind", "industry": "Timber"})
    change(shop, customer, {"industry": "Paper", "website": "https://a.example"})
    change(shop, customer, {"website": "https://b.example"})
    (undo,) = undo_urls(shown(browser, customer, "industry"))
    answer = browser.post(undo)
    assert answer.status_code == 204
    assert "undo_url" in answer.headers["HX-Trigger"]
    record = read(customer)
    assert (record.industry, record.website) == ("Timber", "https://b.example")
    back = re.search(r'"undo_url": "([^"]+)"', answer.headers["HX-Trigger"])[1]
    assert browser.post(back).status_code == 204
    assert read(customer).industry == "Paper"


def test_a_field_that_was_changed_since_stays_and_both_values_are_said(browser, make, shop, read):
    (customer,) = make({"name": "Northwind", "type_class": "prospect"})
    change(shop, customer, {"type_class": "partner"})
    change(shop, customer, {"type_class": "supplier"})
    undo = undo_urls(shown(browser, customer, "type_class"))[1]
    answer = browser.post(undo)
    assert answer.status_code == 409
    said = json.dumps(json.loads(answer.headers["HX-Trigger"]), ensure_ascii=False)
    assert "set it to “Partner”, now it is “Supplier”" in said
    assert read(customer).type_class == "supplier"


def test_rights_and_unknown_things(browser, browser_of, make, shop, other_shop):
    (customer,) = make({"name": "Northwind", "industry": "Timber"})
    change(shop, customer, {"industry": "Paper"})
    (undo,) = undo_urls(shown(browser, customer, "industry"))
    viewer = browser_of("viewer")
    text = shown(viewer, customer, "industry")
    assert "Paper" in text
    assert not undo_urls(text)
    assert viewer.post(undo).status_code == 403
    for url in (
        f"/customers/{customer}/history/field/nonsense",
        f"/customers/{new_id()}/history/field/industry",
    ):
        assert browser.get(url).status_code == 404
    assert browser.post(undo.replace("industry", "website")).status_code == 404
    stranger = type(browser)(other_shop.client())
    assert stranger.get(f"/customers/{customer}/history/field/industry").status_code == 404
    assert stranger.post(undo).status_code == 404
