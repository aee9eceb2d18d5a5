"""A field's name in the language of who reads it; the one that it was made with where there is none."""

from flask_babel import force_locale

from kehu.core.records.service import service_for
from kehu.core.records.types import get
from tests.functional.fields.test_page import SCRIPT, URL, kept, renew


def test_each_reader_sees_his_language(shop, make_field):
    key = make_field("Colour", label_ru="Цвет", label_zh_hant="顏色")
    with shop.work():
        for locale, wanted in (("en", "Colour"), ("ru", "Цвет"), ("zh_Hant", "顏色"), ("zh_Hans", "Colour")):
            with force_locale(locale):
                assert str(get("customers").by_key[key].label) == wanted


def test_names_are_given_in_the_form_and_stand_on_pages_and_in_exports(shop, make_field):
    key = make_field("Farbe")
    client = shop.client()
    (field,) = kept(shop)
    assert 'name="label_ru"' in client.get(f"{URL}/{field.id}", headers=SCRIPT).text
    form = {"label": "Farbe", "label_en": "Colour", "label_ru": "Цвет", "version": str(field.version)}
    assert client.post(f"{URL}/{field.id}", data={**form, "in_list": "1"}, headers=SCRIPT).status_code == 204
    renew(shop)
    with shop.work() as session:
        record_id = service_for("customers", session).create({"name": "One", key: "Green"}).id
    for page in ("/customers/new?full=1", f"/customers/{record_id}", "/customers"):
        text = client.get(page).text
        assert "Colour" in text, page
        assert "Farbe" not in text, page
    assert "Colour" in client.get("/customers/export.csv").text
    assert "Colour" in client.get("/api/v1/openapi.json").text
    assert client.get(f"/customers/{record_id}/history", headers=SCRIPT).status_code == 200


def test_a_name_that_is_too_long_is_refused(shop, make_field):
    make_field("Colour")
    (field,) = kept(shop)
    form = {"label": "Colour", "label_ru": "я" * 81}
    refused = shop.client().post(f"{URL}/{field.id}", data=form, headers=SCRIPT)
    assert refused.status_code == 422
    assert "Shorten it" in refused.text
