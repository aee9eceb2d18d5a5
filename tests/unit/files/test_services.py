"""Files: names, types, bounds, and the rights of the record that they are at."""

import io

import pytest

from kehu.core.errors import InvalidInput, NotFound, TooLarge
from kehu.customers.services import CustomerService
from kehu.files.media import media_type, safe_name, shows_inline
from kehu.files.services import FileService
from kehu.files.store import FileStore


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path, 1024 * 1024)


def test_names_are_cleaned():
    assert safe_name("C:\\fake\\..\\offer\x00\u202egpj.exe") == "offergpj.exe"
    assert safe_name("../../etc/passwd") == "passwd"
    assert safe_name("") == "file"
    assert safe_name("报价 单.pdf") == "报价 单.pdf"
    assert len(safe_name("a" * 400 + ".pdf")) == 150
    assert safe_name("a" * 400 + ".pdf").endswith(".pdf")


def test_only_real_raster_pictures_show_within_a_page():
    assert media_type("photo.txt", b"\x89PNG\r\n\x1a\n....") == "image/png"
    assert media_type("photo.png", b"<script>") == "application/octet-stream"
    assert not shows_inline(media_type("drawing.svg", b"<svg onload='x()'/>"))


def test_attach_same_bytes_twice_and_trash(session, shop, store):
    customer = CustomerService(session).create({"name": "Northwind"})
    service = FileService(session, store=store)
    first = service.attach("customers", customer.id, "a.txt", io.BytesIO(b"hello"))
    second = service.attach("customers", customer.id, "b.txt", io.BytesIO(b"hello"))
    assert first.sha256 == second.sha256
    assert service.path(first).read_bytes() == b"hello"
    assert [row.name for row in service.listed("customers", customer.id)] == ["b.txt", "a.txt"]
    service.trash(second.id)
    assert [row.name for row in service.listed("customers", customer.id)] == ["a.txt"]
    service.restore(second.id)
    CustomerService(session).trash(customer.id)
    with pytest.raises(NotFound):
        service.get(first.id)


def test_too_large_and_empty_leave_nothing(session, store):
    customer = CustomerService(session).create({"name": "Northwind"})
    service = FileService(session, store=FileStore(store.root, 1024))
    with pytest.raises(TooLarge):
        service.attach("customers", customer.id, "a.bin", io.BytesIO(b"x" * 2000))
    with pytest.raises(InvalidInput):
        service.attach("customers", customer.id, "a.bin", io.BytesIO(b""))
    assert service.listed("customers", customer.id) == []
    assert not list(store.root.glob("*/.incoming-*"))


def test_no_files_at_foreign_or_unknown_records(shop, other_shop, store):
    with other_shop.work() as session:
        foreign = CustomerService(session).create({"name": "Secret"}).id
        theirs = (
            FileService(session, store=store).attach("customers", foreign, "a.txt", io.BytesIO(b"secret")).id
        )
    with shop.work() as session:
        service = FileService(session, store=store)
        with pytest.raises(NotFound):
            service.attach("customers", foreign, "a.txt", io.BytesIO(b"x"))
        with pytest.raises(NotFound):
            service.attach("roles", foreign, "a.txt", io.BytesIO(b"x"))
        with pytest.raises(NotFound):
            service.get(theirs)
