"""Files by the browser: what goes in, what comes out and how, and who may."""

import io

import pytest

from kehu.core.records.service import service_for

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture
def customer(shop):
    with shop.work() as session:
        return service_for("customers", session).create({"name": "Northwind"}).id


def send(client, customer, content, name="offer.pdf"):
    return client.post(
        f"/files/customers/{customer}", data={"file": (io.BytesIO(content), name)}, headers=HTMX
    )


def first_id(shop, customer):
    from kehu.files.services import FileService

    with shop.work() as session:
        return FileService(session).listed("customers", customer)[0].id


def test_upload_lists_and_download_gives_the_bytes_back(shop, customer):
    client = shop.client()
    answer = send(client, customer, b"%PDF-1.7 hello", "..\\..\\報價 2026.pdf")
    assert answer.status_code == 200
    assert "報價 2026.pdf" in answer.get_data(as_text=True)
    assert "/undo/" in answer.headers["HX-Trigger"]
    got = client.get(f"/files/{first_id(shop, customer)}", buffered=True)
    assert got.data == b"%PDF-1.7 hello"
    assert got.headers["Content-Disposition"].startswith("attachment")


def test_an_svg_with_script_never_runs(shop, customer):
    client = shop.client()
    send(client, customer, SVG, "logo.svg")
    for query in ("", "?inline=1"):
        got = client.get(f"/files/{first_id(shop, customer)}{query}", buffered=True)
        assert got.headers["Content-Disposition"].startswith("attachment")
        assert got.headers["Content-Type"] == "application/octet-stream"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in got.headers["Content-Security-Policy"]


def test_a_real_picture_may_be_shown(shop, customer):
    client = shop.client()
    send(client, customer, PNG, "panel.png")
    got = client.get(f"/files/{first_id(shop, customer)}?inline=1", buffered=True)
    assert got.headers["Content-Type"] == "image/png"
    assert got.headers["Content-Disposition"].startswith("inline")
    assert "sandbox" in got.headers["Content-Security-Policy"]


def test_html_named_as_a_picture_is_none(shop, customer):
    client = shop.client()
    send(client, customer, b"<html><script>alert(1)</script>", "panel.png")
    got = client.get(f"/files/{first_id(shop, customer)}?inline=1", buffered=True)
    assert got.headers["Content-Disposition"].startswith("attachment")


def test_nothing_chosen_and_nothing_in_it(shop, customer):
    client = shop.client()
    assert client.post(f"/files/customers/{customer}", data={}, headers=HTMX).status_code == 422
    assert send(client, customer, b"").status_code == 422


def test_trash_and_undo(shop, customer):
    client = shop.client()
    send(client, customer, PNG, "panel.png")
    file_id = first_id(shop, customer)
    answer = client.post(f"/files/{file_id}/trash", headers=HTMX)
    assert answer.status_code == 204
    assert client.get(f"/files/{file_id}", buffered=True).status_code == 404
    assert "attached" not in client.get(f"/customers/{customer}").get_data(as_text=True)


def test_rights_of_the_record_hold(shop, other_shop, customer):
    client = shop.client()
    send(client, customer, PNG, "panel.png")
    file_id = first_id(shop, customer)
    foreign = other_shop.client()
    assert foreign.get(f"/files/{file_id}", buffered=True).status_code == 404
    assert foreign.post(f"/files/{file_id}/trash", headers=HTMX).status_code == 404
    assert send(foreign, customer, PNG).status_code == 404
    assert send(client, customer, PNG).status_code == 200
    assert (
        client.post(f"/files/members/{customer}", data={"file": (io.BytesIO(PNG), "a.png")}).status_code
        == 404
    )
    viewer = shop.client(shop.member("viewer"))
    assert viewer.get(f"/files/{file_id}", buffered=True).status_code == 200
    assert send(viewer, customer, PNG).status_code == 403
    with shop.work() as session:
        service_for("customers", session).trash(customer)
    assert client.get(f"/files/{file_id}", buffered=True).status_code == 404
