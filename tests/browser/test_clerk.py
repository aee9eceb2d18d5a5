"""A clerk brings a wrong file in over the customers, merges two that are none, and takes both back."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kehu.core import context
from kehu.core.records.service import service_for
from kehu.customers.models import Customer
from kehu.imports import tasks
from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve

pytestmark = pytest.mark.browser

FIRMS = 300
NOT_KEPT = {"version", "updated_at", "updated_by"}
"""What says that somebody was at a record, not what it holds."""


def _stock(shop: Shop) -> None:
    rows = [
        {
            "name": f"Firm {number}",
            "external_id": f"F{number}",
            "industry": f"Trade {number % 7}",
            "phones": f"+44 20 7946 0{number:03}",
            "emails": f"office@firm{number}.example",
            "description": f"Known since {1950 + number % 60}",
        }
        for number in range(FIRMS)
    ]
    with shop.work() as session:
        assert all(one.record for one in service_for("customers", session).create_many(rows))


def _wrong_file(path: Path) -> Path:
    """Write a list whose columns slipped by one row: every firm gets the trade and note of the next one."""
    lines = ["Number elsewhere;Name;Industry;Description"]
    lines += [f"F{number};Firm {number};Trade {(number + 1) % 7};Closed" for number in range(FIRMS)]
    path.write_text("\n".join([*lines, "F900;Nobody Ltd;Trade 1;Closed"]) + "\n")
    return path


def _state(shop: Shop) -> dict[str, dict[str, Any]]:
    """Return all that live customers hold."""
    keys = [column.key for column in Customer.__table__.columns if column.key not in NOT_KEPT]
    with shop.work() as session:
        rows = session.execute(select(Customer).where(Customer.deleted_at.is_(None))).scalars()
        return {row.name: {key: getattr(row, key) for key in keys} for row in rows}


class _Clerk:
    """A clerk at her desk; what a worker would do is done where she waits for it."""

    def __init__(self, shop: Shop, actor: context.Actor, desk: Window, address: str) -> None:
        self.shop, self.actor, self.desk, self.page, self.address = shop, actor, desk, desk.page, address

    def go(self, path: str) -> None:
        self.desk.go(f"{self.address}{path}")

    def work_off(self, task: Any) -> None:
        """Run the job of the import that is shown, and see its page when it is done."""
        self.page.wait_for_url(re.compile(r"/imports/[0-9a-f-]{36}"))
        import_id = uuid.UUID(self.page.url.split("/imports/")[1][:36])
        self.page.locator("#import-progress").wait_for()
        with self.shop.app.app_context():
            task(
                tenant_id=str(self.shop.tenant.id),
                member_id=str(self.actor.member_id),
                import_id=str(import_id),
            )
        self.go(f"/imports/{import_id}")

    def bring_in(self, file: Path) -> str:
        self.go("/imports/new?type=customers")
        self.page.get_by_label("File", exact=True).set_input_files(file)
        self.page.get_by_role("button", name="Upload").click()
        self.page.locator("#import-plan").wait_for()
        self.page.get_by_role("button", name="Check the file").first.click()
        self.work_off(tasks.check)
        self.page.get_by_role("button", name="Import 301 rows").click()
        self.work_off(tasks.run)
        return self.page.url

    def merge(self, keep: object, drop: object) -> None:
        self.go(f"/customers/{keep}/merge/{drop}")
        assert self.desk.axe() == []
        self.page.get_by_role("button", name="Merge", exact=True).click()
        self.page.wait_for_url(re.compile(f"/customers/{keep}$"))

    def part(self, keep: object, name: str) -> None:
        self.go(f"/customers/{keep}/doubles")
        self.page.get_by_role("button", name=f"Part {name} again").click()
        self.page.get_by_role("heading", name=name).first.wait_for()

    def take_back(self, import_page: str) -> None:
        self.desk.go(import_page)
        self.page.get_by_role("button", name="Undo this import").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Undo this import").click()
        self.work_off(tasks.undo)

    def take_the_rest_back(self, import_page: str) -> None:
        self.desk.go(import_page)
        self.page.get_by_role("button", name="Take these back too").click()
        self.work_off(tasks.undo)
        assert self.page.get_by_text("Left as they are").count() == 0


@pytest.mark.parametrize("first", ["merge", "import"])
def test_a_wrong_file_and_a_wrong_merge_are_taken_back(
    shop: Shop, open_window: Callable[..., Window], tmp_path: Path, first: str
) -> None:
    _stock(shop)
    before = _state(shop)
    actor = shop.member("manager", "Clara Clerk")
    cookie: Any = shop.client(actor).get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    with serve(shop.app) as port:
        address = f"http://{shop.tenant.address}.localhost:{port}"
        desk = open_window("desk")
        desk.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
        clerk = _Clerk(shop, actor, desk, address)
        import_page = clerk.bring_in(_wrong_file(tmp_path / "list.csv"))
        damaged = _state(shop)
        assert len(damaged) == FIRMS + 1
        assert sum(damaged[name]["industry"] != before[name]["industry"] for name in before) == FIRMS
        keep, drop = (before[name]["id"] for name in ("Firm 3", "Firm 4"))
        clerk.go(f"/customers/{keep}")
        desk.page.get_by_text("Closed").first.wait_for()  # She sees the damage.
        clerk.merge(keep, drop)
        assert "Firm 4" not in _state(shop)
        if first == "merge":
            clerk.part(keep, "Firm 4")
            clerk.take_back(import_page)
        else:
            clerk.take_back(import_page)
            desk.page.get_by_text("It is in the trash.").wait_for()
            clerk.part(keep, "Firm 4")
            clerk.take_the_rest_back(import_page)
        assert desk.axe() == []
        assert desk.problems == []
    after = _state(shop)
    wrong = {
        name: [key for key in before[name] if after.get(name, {}).get(key) != before[name][key]]
        for name in before
    }
    assert {name: keys for name, keys in wrong.items() if keys} == {}
    assert after.keys() == before.keys()
