"""A firm whose time is over takes everything out, then starts again on the same data."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import pytest
from sqlalchemy import select

from billing.purchases import PurchaseService
from kehu.core import clock
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from tenants.archive.services import make
from tenants.models import Archive
from tests.functional.billing.conftest import SetAccount

DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(("days", "phase"), [(10, "ended"), (100, "closed")])
def test_everything_is_taken_out_and_the_firm_starts_again(
    shop: Shop, set_account: SetAccount, days: int, phase: str
) -> None:
    with shop.work() as session:
        kept = service_for("customers", session).create({"name": "Old customer"}).id
    now = clock.now()
    ended = now - DAY * days
    assert set_account(shop, trial_ends_at=ended - DAY, ended_at=ended) == phase
    client = shop.client()
    assert client.post("/customers/new", data={"name": "Too late", "kind": "company"}).status_code == 402
    assert "Start again" in client.get("/").text
    assert ("Can be read and exported until" in client.get("/settings/billing").text) is (phase == "ended")
    assert client.post("/settings/archive").status_code == 303
    with shop.work() as session:
        asked = session.execute(select(Archive.id)).scalar_one()
    make(str(shop.tenant.id), archive_id=str(asked))
    fetched = client.get(f"/settings/archive/{asked}")
    with zipfile.ZipFile(io.BytesIO(fetched.data)) as archive:
        assert b"Old customer" in archive.read("data/customers.ndjson")
    fetched.close()
    with shop.work() as session:
        service = PurchaseService(session)
        wish = service.wish("team", "month", "2")
        shown = service.preview(wish)
        service.order(wish, shown.at, shown.total)
        service.pay_open()
    assert client.post("/customers/new", data={"name": "Welcome back", "kind": "company"}).status_code in (
        204,
        303,
    )
    with shop.work() as session:
        assert service_for("customers", session).get(kept).name == "Old customer"
