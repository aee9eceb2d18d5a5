"""Lists as files: their columns, filters and rights, safe to open, and the same when they come back."""

import io
import json

import openpyxl
import pytest
from sqlalchemy import select

from kehu.core.audit import AuditEntry
from kehu.core.records.service import service_for
from kehu.imports.services import ImportService
from kehu.imports.tasks import check, run, upload_root

COLUMNS = (
    "number,kind,type_class,value_class,born_on,owner_id,emails,phones,website,industry,country,employees,revenue,"
    "parent_id,tags,external_id"
)
NASTY = '=HYPERLINK(0) & <b> "q"; \'x'


def _fill(shop):
    with shop.work() as session:
        service = service_for("customers", session)
        parent = service.create({"name": "Parent"})
        service.create(
            {
                "name": NASTY,
                "kind": "person",
                "type_class": "partner",
                "value_class": "B",
                "born_on": "1980-02-29",
                "emails": [{"address": "a@x.example", "label": "work"}, {"address": "b@x.example"}],
                "phones": ["020 7946 4410", "+49 30 901820"],
                "website": "https://x.example",
                "industry": "@SUM(1+1)",
                "country": "-cmd",
                "employees": 70000,
                "revenue": "1234.56",
                "parent_id": parent.id,
                "tags": ["vip", "+new"],
                "external_id": "007",
            }
        )


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_that_comes_back_by_number_changes_nothing(shop, form):
    _fill(shop)
    data = shop.client().get(f"/customers/export.{form}?columns={COLUMNS}").data
    with shop.app.app_context():
        with shop.work() as session:
            service = ImportService(session, upload_root())
            job = service.take("customers", f"back.{form}", io.BytesIO(data), 10**7)
            job.options = {**job.options, "keys": ["number"], "mode": "update"}
            targets = {use["target"] for use in job.mapping["columns"].values()}
            assert targets == {"name", *COLUMNS.split(",")}
            service.check(job)
            import_id = job.id
        who = {"tenant_id": str(shop.tenant.id), "member_id": str(shop.owner.member_id)}
        check(**who, import_id=str(import_id))
        with shop.work() as session:
            service = ImportService(session, upload_root())
            service.start(service.get(import_id, lock=True))
        run(**who, import_id=str(import_id))
        with shop.work() as session:
            service = ImportService(session, upload_root())
            job = service.get(import_id)
            problems = [row.errors for row in service.refused(job)]
    assert (job.updated_count, job.unchanged_count, problems) == (0, 2, [])


def test_a_workbook_holds_numbers_and_texts_and_no_formula(shop):
    _fill(shop)
    answer = shop.client().get("/customers/export.xlsx?columns=employees,revenue,industry&type_class=partner")
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    header, line = sheet.iter_rows()
    assert [one.value for one in header][1:] == ["Employees", "Yearly turnover", "Industry"]
    assert [one.data_type for one in line] == ["s", "n", "n", "s"]
    assert [one.value for one in line] == [f"'{NASTY}", 70000, 1234.56, "'@SUM(1+1)"]


def test_json_lines_keep_lists_and_amounts(shop):
    _fill(shop)
    answer = shop.client().get(f"/customers/export.jsonl?columns={COLUMNS}&type_class=partner")
    [line] = answer.get_data(as_text=True).splitlines()
    found = json.loads(line)
    assert (found["name"], found["revenue"], found["employees"]) == (NASTY, "1234.56", 70000)
    assert found["emails"][0] == {"label": "work", "address": "a@x.example"}
    assert found["tags"] == ["vip", "+new"]
    assert found["parent_id"] == "Parent"


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_each_export_is_written_down_and_asks_for_the_right(shop, other_shop, form):
    _fill(shop)
    assert NASTY.encode()[:10] not in other_shop.client().get(f"/customers/export.{form}").data
    assert shop.client(shop.member("viewer")).get(f"/customers/export.{form}").status_code == 403
    with shop.client().get(f"/customers/export.{form}") as answer:
        assert answer.status_code == 200
    with shop.work() as session:
        statement = select(AuditEntry.object).where(AuditEntry.action == "exported")
        assert session.execute(statement).scalars().all() == ["customers"]
