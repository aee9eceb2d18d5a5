"""Older pages of a time line, its tabs and its rights."""

import re

import pytest

from kehu.core.records.service import service_for
from kehu.testkit.fixtures import count_queries

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "li"}


@pytest.fixture
def customer(shop):
    with shop.work() as session:
        made = service_for("customers", session).create({"name": "Northwind"}).id
        service = service_for("activities", session)
        for number in range(50):
            kind = "call" if number % 2 else "note"
            service.create(
                {
                    "kind": kind,
                    "body": f"Entry {number:02}",
                    "customer_id": str(made),
                    "done_at": f"2026-01-{1 + number // 2:02}T10:00Z",
                }
            )
        return made


def texts(answer):
    return re.findall(r"Entry \d\d", answer.get_data(as_text=True))


def test_every_entry_comes_once_by_pages(shop, customer):
    client, seen, before = shop.client(), [], ""
    for _page in range(5):
        with count_queries() as statements:
            answer = client.get(f"/timeline/customers/{customer}?before={before}", headers=HTMX)
        assert len(statements) <= 5
        seen += texts(answer)
        found = re.search(r"before=([\w-]+)", answer.get_data(as_text=True))
        if not found:
            break
        before = found.group(1)
    assert len(seen) == len(set(seen)) == 50
    assert seen[0].startswith("Entry 4")


def test_a_tab_narrows_the_line(shop, customer):
    answer = shop.client().get(f"/timeline/customers/{customer}?line=call")
    assert len(texts(answer)) == 20
    assert all(int(text[-2:]) % 2 for text in texts(answer))


@pytest.mark.parametrize("before", ["x", "MjAyNg", "!!!!", "a" * 500])
def test_forged_marks_are_refused(shop, customer, before):
    assert shop.client().get(f"/timeline/customers/{customer}?before={before}").status_code == 422


def test_foreign_and_strange_subjects(shop, other_shop, customer):
    assert other_shop.client().get(f"/timeline/customers/{customer}").status_code == 404
    assert shop.client().get(f"/timeline/members/{customer}").status_code == 404
    assert shop.client().get(f"/timeline/contacts/{customer}").status_code == 404


def test_own_scope_hides_what_others_did(shop, customer):
    from sqlalchemy import select

    from kehu.members.models import Role

    with shop.work() as session:
        role = session.execute(select(Role).where(Role.code == "viewer")).scalar_one()
        role.permissions = {
            **role.permissions,
            "activities:read": "own",
            "deals:read": "own",
            "files:read": "own",
        }
    assert texts(shop.client(shop.member("viewer")).get(f"/timeline/customers/{customer}")) == []
