"""The pages of an import, from the upload to the undo."""

import io
import zipfile

from kehu.imports import tasks
from kehu.testkit.fixtures import count_queries

CSV = (
    b"Company;E-mail;Phone;Founded;Owner\r\n"
    b"Northwind Joinery;hello@northwind.example;020 7946 4410;1998;Mira Sol\r\n"
    b"Oak & Sons;;no phone;1712;\r\n"
)


def _upload(client, content=CSV, name="firms.csv", **form):
    data = {"object": "customers", "file": (io.BytesIO(content), name), **form}
    return client.post("/imports/new", data=data, content_type="multipart/form-data")


def _id(response):
    return response.headers["Location"].rsplit("/", 1)[1]


def _form(page):
    """Return what a browser would send of the form with the plan."""
    import re

    part = page[page.index('id="import-plan"') :]
    part = part[: part.index("</form>")]
    found = []
    for tag in re.findall(r"<input[^>]*>", part):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if not name or (('type="checkbox"' in tag or 'type="radio"' in tag) and " checked" not in tag):
            continue
        found.append((name[1], value[1] if value else "on"))
    for name, body in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', part, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', body)
        found.append((name, chosen[1] if chosen else ""))
    return [(name, value) for name, value in found if name != "csrf_token"]


def _post(client, url, pairs):
    from werkzeug.datastructures import MultiDict

    return client.post(url, data=MultiDict(pairs))


def test_upload_map_check_run_undo(importer, shop):
    client = shop.client()
    assert b"Nothing was imported yet" in client.get("/imports").data
    assert b"Customers" in client.get("/imports/new?type=customers").data
    import_id = _id(_upload(client))
    page = client.get(f"/imports/{import_id}").get_data(as_text=True)
    assert "Semicolon" in page
    assert "Northwind Joinery" in page
    assert importer.columns(import_id) == {
        "Company": "name",
        "E-mail": "emails",
        "Phone": "phones",
        "Founded": "founded",
        "Owner": "owner_id",
    }
    answer = _post(client, f"/imports/{import_id}/check", _form(page))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    page = client.get(f"/imports/{import_id}").get_data(as_text=True)
    assert f'hx-get="/imports/{import_id}/progress"' in page
    importer.job(tasks.check, import_id)
    answer = client.get(f"/imports/{import_id}/progress")
    assert "kehu:refresh" in answer.headers["HX-Trigger"]
    page = client.get(f"/imports/{import_id}").get_data(as_text=True)
    assert "Import 1 row" in page
    assert "is no phone number" in page
    assert importer.live("customers") == 0
    with client.get(f"/imports/{import_id}/errors.csv") as answer:
        table = answer.get_data(as_text=True)
    assert "Phone: “no phone” is no phone number" in table
    assert client.post(f"/imports/{import_id}/start").status_code == 303
    importer.job(tasks.run, import_id)
    assert "Undo this import" in client.get(f"/imports/{import_id}").get_data(as_text=True)
    assert importer.live("customers") == 1
    assert client.post(f"/imports/{import_id}/undo").status_code == 303
    importer.job(tasks.undo, import_id)
    assert "1 record was taken back" in client.get(f"/imports/{import_id}").get_data(as_text=True)
    assert b"firms.csv" in client.get("/imports").data
    assert importer.live("customers") == 0


def test_change_of_a_column_shows_what_follows(importer, shop):
    client = shop.client()
    import_id = _id(_upload(client, b"Company,Kind of firm\nNorthwind,Prospect\nOak,Chum\n"))
    page = client.get(f"/imports/{import_id}").get_data(as_text=True)
    pairs = [(name, "type_class" if name == "col-1" else value) for name, value in _form(page)]
    page = _post(client, f"/imports/{import_id}/plan", pairs).get_data(as_text=True)
    assert "Chum" in page
    assert "Values of Type" in page
    pairs = [(name, "name" if name == "col-1" else value) for name, value in _form(page)]
    answer = _post(client, f"/imports/{import_id}/check", pairs)
    assert answer.status_code == 422
    assert "both go to Name" in answer.get_data(as_text=True)


def test_read_in_another_way(importer, shop):
    client = shop.client()
    import_id = _id(_upload(client, "Название,Телефон\nСамара,+7 846 333 44 55\n".encode("cp1251")))
    job = importer.read(import_id)
    assert job.format["read"]["encoding"] in ("cp1251", "windows-1251")
    assert importer.columns(import_id) == {"Название": "name", "Телефон": "phones"}
    assert client.post(
        f"/imports/{import_id}/read", data={"encoding": "utf-16-le", "header": "1"}
    ).status_code in (303, 422)
    answer = client.post(
        f"/imports/{import_id}/read",
        data={"encoding": job.format["read"]["encoding"], "delimiter": ",", "header": ""},
    )
    assert answer.status_code == 303
    assert importer.read(import_id).total_rows == 2


def test_rights_and_foreign_tenants(importer, shop, other_shop):
    import_id = _id(_upload(shop.client()))
    for who in (other_shop.client(), shop.client(shop.member("member")), shop.client(shop.member("viewer"))):
        for url in (
            f"/imports/{import_id}",
            f"/imports/{import_id}/progress",
            f"/imports/{import_id}/errors.csv",
        ):
            assert who.get(url).status_code == 404, url
        for action in ("read", "plan", "check", "start", "again", "stop", "undo", "remove"):
            assert who.post(f"/imports/{import_id}/{action}").status_code == 404, action
    assert shop.client(shop.members["viewer"]).get("/imports").status_code == 403
    assert shop.client(shop.members["viewer"]).get("/imports/new").status_code == 403
    assert _upload(other_shop.client(), object="members").status_code == 422


def test_unusable_files_are_named(importer, shop):
    client = shop.client()
    for content in (b"", b"%PDF-1.4", b"PK\x05\x06" + b"\0" * 18, b"<html><body>"):
        answer = _upload(client, content)
        assert answer.status_code == 422
        assert "k-error" in answer.get_data(as_text=True)
    assert client.post("/imports/new", data={"object": "customers"}).status_code == 422


def test_put_away(importer, shop):
    client = shop.client()
    import_id = _id(_upload(client))
    path = tasks.upload_root() / importer.read(import_id).path
    assert path.exists()
    assert client.post(f"/imports/{import_id}/remove").status_code == 303
    assert not path.exists()
    assert client.get(f"/imports/{import_id}").status_code == 404


def test_a_zip_bomb_is_refused(importer, shop):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 300_000_000)
    answer = _upload(shop.client(), bomb.getvalue(), "bomb.xlsx")
    assert answer.status_code == 422
    assert importer.read_all() == []


def test_pages_ask_little(importer, shop):
    client = shop.client()
    import_id = importer.take("customers", CSV)
    for url, most in (("/imports", 8), (f"/imports/{import_id}", 8), (f"/imports/{import_id}/progress", 5)):
        client.get(url)
        with count_queries() as found:
            assert client.get(url).status_code == 200
        assert len(found) <= most, (url, [text[:90] for text in found.texts])
