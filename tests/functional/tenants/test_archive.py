"""All that a firm has goes into a file and back into an installation without it, and nothing changes (SAS-18)."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from kehu.accounts.models import User
from kehu.core import context, db
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.records.service import service_for
from kehu.core.search import SearchTerm
from kehu.customers.models import Customer
from kehu.files.services import FileService
from kehu.files.store import FileStore
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable
from kehu.webhooks.models import Webhook
from tenants import erasing
from tenants.archive import reading, writing
from tenants.models import Tenant, TenantErasure
from tenants.services import TenantService


@pytest.fixture
def store(app: Flask, tmp_path: Path) -> FileStore:
    """A file store of this test."""
    return FileStore(tmp_path / "files", 10 * 1024 * 1024)


def export(shop: Shop, store: FileStore) -> bytes:
    into = io.BytesIO()
    with shop.app.app_context(), db.unit_of_work(tenant=shop.tenant, actor=context.SYSTEM) as session:
        writing.fix_moment(session)
        writing.write(session, store, into)
    return into.getvalue()


def take(shop: Shop, archive: bytes, store: FileStore, **options: Any) -> reading.Taken:
    with shop.app.app_context(), db.unit_of_work(actor=context.SYSTEM, source="command") as session:
        return reading.read(session, io.BytesIO(archive), store, **options)


Vanish = Callable[[Shop], TenantErasure]


@pytest.fixture
def vanish(tmp_path: Path) -> Vanish:
    """Make this installation one that does not have the firm."""

    def act(shop: Shop) -> TenantErasure:
        with shop.work() as session:
            TenantService(session).set_state("closed", "moves away")
        with shop.app.app_context(), context.use(actor=context.SYSTEM), db.cross_tenant("test") as session:
            return erasing.erase(session, shop.tenant.id, tmp_path, by="test", reason="moves away")

    return act


@pytest.fixture
def filled(shop: Shop, store: FileStore) -> Shop:
    """A dealer with records of many types, a file, a webhook, something in the trash and a pointer to a later row."""
    enable(shop, "automotive")
    with shop.work() as session:
        customers = service_for("customers", session)
        first = customers.create(
            {"name": "Ökonom & Söhne", "phones": ["+44 20 7946 4410"], "description": '客户 ✓\n"x"'}
        )
        second = customers.create({"name": "Holding"})
        customers.update(first.id, {"parent_id": str(second.id)}, version=first.version)
        service_for("contacts", session).create({"name": "Anna Ivanova", "customer_id": str(first.id)})
        service_for("deals", session).create(
            {"name": "Two cars", "customer_id": str(first.id), "amount": "1234.50"}
        )
        service_for("tickets", session).create({"subject": "It rattles", "customer_id": str(first.id)})
        gone = customers.create({"name": "Gone"})
        customers.trash(gone.id)
        service_for("automotive.vehicles", session).create(
            {"make": "VW", "model": "Golf", "vin": "WVWZZZ1JZXW000001", "customer_id": str(first.id)}
        )
        service_for("webhooks", session).create(
            {"name": "Books", "url": "https://example.com/in", "events": ["deal.won"]}
        )
        FileService(session, store=store).attach("customers", first.id, "a.txt", io.BytesIO(b"hello"))
    return shop


@pytest.fixture
def small(shop: Shop) -> Shop:
    """A firm with one customer."""
    with shop.work() as session:
        service_for("customers", session).create({"name": "Holding"})
    return shop


def terms(shop: Shop) -> set[tuple[Any, ...]]:
    with shop.work() as session:
        # Members are found by their own list; who founded the firm has no terms.
        found = select(SearchTerm.kind, SearchTerm.term, SearchTerm.record_id).where(
            SearchTerm.kind != "members"
        )
        return {tuple(row) for row in session.execute(found)}


def test_a_second_export_is_the_same_to_the_byte(
    filled: Shop, store: FileStore, vanish: Vanish, tmp_path: Path
) -> None:
    archive, searched = export(filled, store), terms(filled)
    with filled.work() as session:
        secret = session.execute(select(Webhook.secret)).scalar_one()
    proof = vanish(filled)
    assert proof.rows["customers"] == 3
    assert proof.files == 1
    assert proof.people == 1
    elsewhere = FileStore(tmp_path / "elsewhere", 10 * 1024 * 1024)
    taken = take(filled, archive, elsewhere)
    assert (taken.files, taken.people_known, taken.tenant.state) == (1, 0, "suspended")
    assert export(filled, elsewhere) == archive
    assert terms(filled) == searched
    with filled.work() as session:
        assert session.execute(select(Webhook.secret)).scalar_one() not in (secret, "")
        TenantService(session).set_state("active", "looked at")
        # Numbers go on where they stood.
        last = session.execute(select(func.max(Customer.number))).scalar_one()
        assert service_for("customers", session).create({"name": "Next"}).number == last + 1
    page = filled.client().get("/customers")
    assert "Ökonom" in page.text
    assert "Next" in page.text


def test_nothing_secret_leaves(filled: Shop, store: FileStore) -> None:
    filled.token()
    with zipfile.ZipFile(io.BytesIO(export(filled, store))) as archive:
        names = archive.namelist()
        everything = b"".join(archive.read(name) for name in names)
        about = json.loads(archive.read("manifest.json"))
    assert "data/api_tokens.ndjson" not in names
    assert "data/search_terms.ndjson" not in names
    with filled.work() as session:
        user = session.get(User, filled.owner.user_id)
        secret = session.execute(select(Webhook.secret)).scalar_one()
        assert user is not None
        hidden = [user.fs_uniquifier, secret, *([user.password] if user.password else [])]
    assert not [one for one in hidden if one.encode() in everything]
    assert about["tables"]["customers"]["rows"] == 3
    assert about["left_out"]["api_tokens"]
    assert about["tables"]["p_automotive.vehicles"]["rows"] == 1
    assert about["plugins"]["automotive"]


def test_another_firm_is_not_in_it(small: Shop, other_shop: Shop, store: FileStore) -> None:
    with other_shop.work() as session:
        service_for("customers", session).create({"name": "Somebody else's"})
    with zipfile.ZipFile(io.BytesIO(export(small, store))) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"Somebody else" not in everything
    assert str(other_shop.tenant.id).encode() not in everything


def rewritten(archive: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(into, "w") as target:
        for one in source.namelist():
            target.writestr(one, change(source.read(one)) if one == name else source.read(one))
    return into.getvalue()


def bent(key: str, value: Any) -> Callable[[bytes], bytes]:
    return lambda data: json.dumps({**json.loads(data), key: value}).encode()


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("data/customers.ndjson", lambda data: data.replace(b"Holding", b"Welding"), "customers.ndjson"),
        ("manifest.json", bent("revision", "20200101_01"), "20200101_01"),
        ("manifest.json", bent("plugins", {"automotive": "0001_of_old"}), "kehu plugin migrate automotive"),
        ("manifest.json", bent("format", "kehu-archive/9"), "format"),
        ("manifest.json", lambda _data: b"[]", "format"),
    ],
)
def test_an_archive_that_does_not_fit_leaves_nothing(
    small: Shop, store: FileStore, vanish: Vanish, tmp_path: Path, name: str, change: Any, said: str
) -> None:
    archive = rewritten(export(small, store), name, change)
    vanish(small)
    with pytest.raises(InvalidInput, match=said):
        take(small, archive, FileStore(tmp_path / "elsewhere", 1024))
    with small.app.app_context(), db.unit_of_work(actor=context.SYSTEM) as session:
        assert session.get(Tenant, small.tenant.id) is None


def test_a_firm_that_is_here_is_not_read_in_again(small: Shop, store: FileStore) -> None:
    archive = export(small, store)
    with pytest.raises(Conflict, match="here already"):
        take(small, archive, store)
    with pytest.raises(InvalidInput, match="ZIP"):
        take(small, archive[:-40], store)


def test_rows_of_another_firm_are_refused(
    small: Shop, other_shop: Shop, store: FileStore, vanish: Vanish, tmp_path: Path
) -> None:
    """An archive that somebody bent can't write into the data of a firm that is here."""
    import hashlib

    mine, theirs = str(small.tenant.id).encode(), str(other_shop.tenant.id).encode()
    archive = rewritten(export(small, store), "data/products.ndjson", lambda data: data)
    archive = rewritten(archive, "data/customers.ndjson", lambda data: data.replace(mine, theirs))
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        data = source.read("data/customers.ndjson")
        about = json.loads(source.read("manifest.json"))
    about["tables"]["customers"]["sha256"] = hashlib.sha256(data).hexdigest()
    archive = rewritten(archive, "manifest.json", lambda _data: json.dumps(about).encode())
    vanish(small)
    with pytest.raises(Exception, match="row-level security"):
        take(small, archive, FileStore(tmp_path / "elsewhere", 1024 * 1024))
    with other_shop.work() as session:
        assert session.execute(select(func.count(Customer.id))).scalar_one() == 0


def test_only_a_closed_firm_is_erased(small: Shop, other_shop: Shop, vanish: Vanish, tmp_path: Path) -> None:
    with (
        pytest.raises(Conflict, match="close it first"),
        small.app.app_context(),
        context.use(actor=context.SYSTEM),
        db.cross_tenant("test") as session,
    ):
        erasing.erase(session, small.tenant.id, tmp_path, by="test", reason="by mistake")
    with other_shop.work() as session:
        service_for("customers", session).create({"name": "Stays"})
    vanish(small)
    with other_shop.work() as session:
        assert session.execute(select(Customer.name)).scalars().all() == ["Stays"]
