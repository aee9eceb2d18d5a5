"""«Your data»: an owner has everything made into one file and fetches it; nobody else does."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile

import pytest
from sqlalchemy import select

from kehu.core import clock
from kehu.core.errors import Conflict
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from tenants.archive import services
from tenants.archive.services import ArchiveService, clear, make
from tenants.models import Archive


def made(shop: Shop) -> Archive:
    with shop.work() as session:
        return session.execute(select(Archive)).scalar_one()


def test_an_owner_fetches_everything(shop: Shop, other_shop: Shop) -> None:
    with shop.work() as session:
        service_for("customers", session).create({"name": "Holding"})
    client = shop.client()
    assert "No archive yet" in client.get("/settings/archive").text
    assert client.post("/settings/archive").status_code == 303
    page = client.get("/settings/archive").text
    assert "Is being made" in page
    assert client.post("/settings/archive").status_code == 409
    make(str(shop.tenant.id), archive_id=str(made(shop).id))
    page = client.get("/settings/archive").text
    assert "Ready, kept for 7 days" in page
    url = re.findall(r"/settings/archive/[0-9a-f-]{36}", page)[0]
    answer = client.get(url)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert b"Holding" in archive.read("data/customers.ndjson")
        assert archive.testzip() is None
    assert answer.headers["Cache-Control"] == "no-store"
    answer.close()
    # Not for those who may not, not for other firms.
    assert shop.client(shop.member("manager")).get(url).status_code == 403
    assert other_shop.client().get(url).status_code == 404
    trail = client.get("/settings/audit").text
    assert "exported" in trail
    assert "downloaded" in trail
    # After a week it is gone.
    with shop.work() as session:
        row = session.execute(select(Archive)).scalar_one()
        row.done_at = clock.now() - services.KEPT - dt.timedelta(minutes=1)
    clear(str(shop.tenant.id))
    assert client.get(url).status_code == 404
    assert "Not kept any more" in client.get("/settings/archive").text


def test_what_a_dead_worker_left_does_not_block(shop: Shop) -> None:
    with shop.work() as session:
        ArchiveService(session).ask()
        with pytest.raises(Conflict):
            ArchiveService(session).ask()
    with shop.work() as session:
        row = session.execute(select(Archive)).scalar_one()
        row.state, row.asked_at = "running", clock.now() - services.GIVEN_UP - dt.timedelta(minutes=1)
    with shop.work() as session:
        ArchiveService(session).ask()
        states = session.execute(select(Archive.state).order_by(Archive.asked_at)).scalars().all()
        assert states == ["failed", "waiting"]


def test_a_full_disk_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop.work() as session:
        ArchiveService(session).ask()

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(services.writing, "write", full)
    make(str(shop.tenant.id), archive_id=str(made(shop).id))
    assert "Failed: have it made again" in shop.client().get("/settings/archive").text
