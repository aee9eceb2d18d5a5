"""Rows that mean a record out of the importer's sight: told as taken, never named, never doubled (SAL-35, SAS-21)."""

from kehu.core.records.service import service_for
from tests.functional.attacks.test_review_rights import set_rights

RIGHTS = {f"customers__{action}": "own" for action in ("read", "write", "import")}
FILE = "Name,E-mail,City\nQuill,q@quill.example,Leeds\nOak,oak@oak.example,York\n"


def _clerk(importer):
    set_rights(importer.shop, "member", **RIGHTS)
    with importer.shop.work() as session:
        values = {"name": "Quillfeather", "emails": [{"address": "q@quill.example"}], "industry": "Feathers"}
        service_for("customers", session).create(values)
    importer.actor = importer.shop.member("member")


def test_a_taken_customer_is_told_without_its_name_and_not_doubled(importer):
    _clerk(importer)
    import_id = importer.take("customers", FILE)
    done = importer.run(import_id)
    assert (done.created_count, done.updated_count, done.error_count) == (1, 0, 1)
    (row,) = importer.refused(import_id)
    assert "taken" in str(row.errors)
    assert "Quillfeather" not in str(row.errors)
    assert "Feathers" not in str(row.errors)
    assert importer.live("customers") == 2


def test_one_of_his_own_counts_before_a_taken_one(importer):
    _clerk(importer)
    with importer.shop.work(importer.actor) as session:
        mine = {"name": "Quill", "emails": [{"address": "q@quill.example"}]}
        service_for("customers", session).create(mine)
    done = importer.run(importer.take("customers", FILE))
    assert (done.created_count, done.updated_count, done.error_count) == (1, 1, 0)


def test_only_new_ones_tells_the_same(importer):
    _clerk(importer)
    import_id = importer.take("customers", FILE)
    importer.change(import_id, mode="create")
    assert importer.run(import_id).error_count == 1
