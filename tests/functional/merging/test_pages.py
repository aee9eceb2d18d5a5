"""Pages of doubles: few statements, the choice, the old address, stale pages, rights and foreign firms."""

import re

import pytest

from kehu.consent import links
from kehu.core.records.service import service_for
from kehu.merging.services import MergeService
from kehu.testkit.browser import browser
from kehu.testkit.fixtures import count_queries

PHONES = [{"number": "+442079464410"}]


@pytest.fixture
def pair(shop):
    """Two records of one person, the second with a deal and a ticket."""
    with shop.work() as session:
        made = [
            service_for("customers", session)
            .create({"name": name, "kind": "person", "phones": PHONES, "industry": trade})
            .id
            for name, trade in (("Anna Lind", "Art"), ("Lind, Anna", "Music"))
        ]
        service_for("deals", session).create({"name": "A grand piano", "customer_id": str(made[1])})
        service_for("tickets", session).create({"subject": "It hums", "customer_id": str(made[1])})
    return made


def text_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def sent(text):
    return dict(re.findall(r'name="((?:keep|drop)_version)" value="(\d+)"', text))


def test_from_the_list_to_the_merge_and_back(shop, pair):
    client, (keep, drop) = shop.client(), pair
    assert "/customers/doubles" in text_of(client, "/customers")
    with count_queries() as statements:
        text = text_of(client, "/customers/doubles")
    assert len(statements) <= 13, "\n".join(statements.texts)
    address = f"/customers/{keep}/merge/{drop}"
    assert address in text
    assert "Same phone" in text
    with count_queries() as statements:
        text = text_of(client, address)
    assert len(statements) <= 10, "\n".join(statements.texts)
    assert "Deals: 1" in text
    assert "Tickets: 1" in text
    form = {**sent(text), "pick.industry": "drop"}
    answer = client.post(address, data=form)
    assert answer.status_code == 303
    assert answer.location.endswith(f"/customers/{keep}")
    text = text_of(client, f"/customers/{keep}")
    for part in ("A grand piano", "It hums", "Music", "merged"):
        assert part in text
    old = client.get(f"/customers/{drop}?from=x")
    assert old.status_code == 302
    assert old.location.endswith(f"/customers/{keep}?from=x")
    api = client.get(f"/api/v1/customers/{drop}", headers={"Authorization": f"Bearer {shop.token()}"})
    assert api.status_code == 302
    assert api.location.endswith(f"/api/v1/customers/{keep}")
    undo = re.search(r"/customers/merges/[0-9a-f-]+/undo", text_of(client, f"/customers/{keep}/doubles"))[0]
    assert client.post(undo).status_code == 303
    assert "A grand piano" in text_of(client, f"/customers/{drop}")
    assert "A grand piano" not in text_of(client, f"/customers/{keep}").split("k-pane-right")[1]


def test_a_page_that_is_old_says_so_and_keeps_the_choice(shop, pair):
    client, (keep, drop) = shop.client(), pair
    address = f"/customers/{keep}/merge/{drop}"
    form = {**sent(text_of(client, address)), "pick.industry": "drop"}
    with shop.work() as session:
        service_for("customers", session).update(drop, {"region": "North"})
    answer = client.post(address, data=form)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "while you had it open" in text
    assert re.search(r'name="pick.industry" value="drop" checked', text)
    assert client.post(address, data={}).status_code == 422


def test_not_the_same_and_search(shop, pair):
    client, (keep, drop) = shop.client(), pair
    text = text_of(client, f"/customers/{keep}/doubles?q=lind")
    assert text.count(f"/customers/{keep}/merge/{drop}") == 2
    both = {"first": str(keep), "second": str(drop)}
    assert client.post("/customers/doubles/reject", data=both).status_code == 303
    assert "No doubles in sight" in text_of(client, "/customers/doubles")
    assert client.post("/customers/doubles/reject", data={"first": "x"}).status_code == 404
    assert "No doubles in sight" in text_of(client, "/contacts/doubles")


def test_rights_and_foreign_firms(shop, other_shop, pair):
    keep, drop = pair
    viewer, member, stranger = (
        shop.client(shop.member("viewer")),
        shop.client(shop.member()),
        other_shop.client(),
    )
    address = f"/customers/{keep}/merge/{drop}"
    assert viewer.get(address).status_code == viewer.get("/customers/doubles").status_code == 403
    # A member may remove only what is his own.
    assert member.post(address, data={"keep_version": "1", "drop_version": "1"}).status_code == 403
    for path in (address, f"/customers/{keep}/doubles"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(address, data={"keep_version": "1", "drop_version": "1"}).status_code == 404


def test_the_link_in_an_old_message_speaks_for_the_kept_record(shop, pair):
    keep, drop = pair
    with shop.work() as session:
        MergeService(session, "customers").merge(keep, drop)
        target = type("Target", (), {"customer_id": drop, "contact_id": None})
        token = links.token(target, "mail", "marketing")
    guest = browser(shop.app, f"{shop.tenant.address}.localhost")
    assert guest.post(f"/o/{token}", data={"answer": "withdrawn"}).status_code == 200
    with shop.work() as session:
        assert service_for("customers", session).get(keep).mail_consent == "withdrawn"
