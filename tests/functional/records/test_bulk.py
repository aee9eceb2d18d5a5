"""Many records at once: bulk changes, undo of all of them, export."""

import csv
import io
import re
import uuid

import pytest

from kehu.views import bulk


def undo_of(answer):
    return re.search(r'"undo_url": "([^"]+)"', answer.headers["HX-Trigger"])[1]


def joined(ids):
    return ",".join(str(one) for one in ids)


def test_change_owner_of_some_and_undo_all(browser, make, read, shop):
    ids = make("A", "B", "C")
    other = shop.member("member")
    dialog = browser.get(
        f"/customers/bulk/set.owner_id?ids={joined(ids[:2])}&count=2", target="dialog#dialog"
    ).text
    assert "Change 2 customers" in dialog
    answer = browser.post(
        "/customers/bulk/set.owner_id", {"ids": joined(ids[:2]), "owner_id": str(other.member_id)}
    )
    assert answer.status_code == 204
    assert [read(one).owner_id == other.member_id for one in ids] == [True, True, False]
    assert "Changed 2 customers" in answer.headers["HX-Trigger"]
    browser.post(undo_of(answer))
    assert all(read(one).owner_id == shop.owner.member_id for one in ids)


def test_any_choice_field(browser, make, read):
    ids = make("A", "B")
    assert (
        "data-choose-field"
        in browser.get(f"/customers/bulk/set?ids={joined(ids)}&count=2", target="dialog#dialog").text
    )
    answer = browser.post(
        "/customers/bulk/set",
        {"ids": joined(ids), "field": "type_class", "type_class": "partner", "owner_id": ""},
    )
    assert answer.status_code == 204
    assert read(ids[1]).type_class == "partner"
    assert read(ids[1]).owner_id is not None
    assert (
        browser.post(
            "/customers/bulk/set", {"ids": joined(ids), "field": "type_class", "type_class": "nonsense"}
        ).status_code
        == 422
    )


def test_tags_are_added_and_removed(browser, make, read):
    ids = make({"name": "A", "tags": "VIP, Old"}, {"name": "B"})
    answer = browser.post("/customers/bulk/tag", {"ids": joined(ids), "add": "Fair, vip", "remove": "old"})
    assert answer.status_code == 204
    assert [read(one).tags for one in ids] == [["VIP", "Fair"], ["Fair", "vip"]]
    empty = browser.post("/customers/bulk/tag", {"ids": joined(ids)})
    assert empty.status_code == 422
    assert "Write a tag" in empty.text


def test_trash_of_few_does_not_ask_and_all_come_back(browser, make, read):
    ids = make("A", "B", "C")
    answer = browser.post("/customers/bulk/trash", {"ids": joined(ids)})
    assert answer.status_code == 204
    assert "No customers yet" in browser.get("/customers").text
    browser.post(undo_of(answer))
    assert all(read(one).deleted_at is None for one in ids)


def test_over_fifty_asks_with_object_and_number(browser, make):
    make(*[f"Firm {n}" for n in range(60)])
    make({"name": "Other", "type_class": "partner"})
    sent = {"all": "1", "query": "type_class=prospect"}
    asked = browser.post("/customers/bulk/trash", sent)
    assert asked.status_code == 409
    assert "Move 60 customers to the trash" in asked.text
    assert "Firm 1" in browser.get("/customers?sort=name").text
    wrong = browser.post("/customers/bulk/trash", {**sent, "confirmed": "59"})
    assert wrong.status_code == 409
    answer = browser.post("/customers/bulk/trash", {**sent, "confirmed": "60"})
    assert answer.status_code == 204
    assert re.findall(r"data-row-link>([^<]+)</a>", browser.get("/customers").text) == ["Other"]


def test_what_belongs_to_others_is_left_and_said(browser_of, make, shop, read):
    member = shop.member("member")
    (mine,) = make("Mine", actor=member)
    (theirs,) = make("Theirs")
    answer = browser_of("member").post("/customers/bulk/trash", {"ids": joined([mine, theirs])})
    assert answer.status_code == 204
    assert "left as it is" in answer.headers["HX-Trigger"]
    assert read(theirs).deleted_at is None


def test_many_run_as_a_job_with_progress_and_undo(browser, make, read, shop, monkeypatch):
    monkeypatch.setattr("kehu.web.records.bulk.JOB_OVER", 20)
    monkeypatch.setattr(bulk, "CHUNK", 16)
    ids = make(*[f"Firm {n}" for n in range(40)])
    answer = browser.post(
        "/customers/bulk/set", {"all": "1", "query": "", "field": "type_class", "type_class": "partner"}
    )
    assert answer.status_code == 200
    run_id = re.search(r"/bulk/([0-9a-f-]{36})", answer.text)[1]
    assert "0 of 40" in browser.get(f"/bulk/{run_id}", target="div#bulk-progress").text
    from kehu.views.tasks import run_bulk

    with shop.app.app_context():
        parts = 0
        with shop.work():
            pass
        while _step(shop, run_id):
            parts += 1
    assert parts == 2
    done = browser.get(f"/bulk/{run_id}", target="div#bulk-progress").text
    assert "Changed 40 customers" in done
    assert all(read(one).type_class == "partner" for one in ids)
    assert run_bulk.task_name == "views.bulk"
    undo = re.search(r'data-undo="([^"]+)"', done)[1]
    monkeypatch.setattr("kehu.web.undo.AT_ONCE", 20)
    assert browser.post(undo).status_code == 204


def _step(shop, run_id):
    from kehu.core import context

    with shop.app.app_context(), context.use(tenant=shop.tenant, actor=shop.owner, source="job"):
        return bulk.work_on(uuid.UUID(run_id))


def test_large_undo_runs_as_a_job(browser, make, read, shop, monkeypatch):
    monkeypatch.setattr("kehu.web.undo.AT_ONCE", 3)
    ids = make("A", "B", "C", "D", "E")
    trashed = browser.post("/customers/bulk/trash", {"ids": joined(ids)})
    answer = browser.post(undo_of(trashed))
    assert "in the background" in answer.headers["HX-Trigger"]
    with shop.work() as session:
        from sqlalchemy import select

        from kehu.views.models import BulkRun

        run_id = session.execute(select(BulkRun.id)).scalar_one()
    from kehu.views.tasks import run_bulk

    run_bulk(str(shop.tenant.id), run_id=str(run_id), member_id=str(shop.owner.member_id))
    run_bulk(str(shop.tenant.id), run_id=str(run_id), member_id=str(shop.owner.member_id))
    assert all(read(one).deleted_at is None for one in ids)


def rows(answer):
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_export_has_filters_columns_and_no_formulas(browser, make):
    make({"name": "=HYPERLINK(1)", "type_class": "partner", "tags": "a, b"}, {"name": "Other"})
    answer = browser.get("/customers/export.csv?type_class=partner&columns=type_class,owner_id,tags")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="customers-')
    assert rows(answer) == [
        ["Name", "Type", "Owner", "Tags"],
        ["'=HYPERLINK(1)", "Partner", "Mira Sol", "a, b"],
    ]


def test_export_of_selected_rows(browser, make):
    ids = make("A", "B", "C")
    answer = browser.post("/customers/bulk/export", {"ids": joined(ids[:2])})
    assert [row[0] for row in rows(browser.get(answer.headers["HX-Redirect"]))[1:]] == ["A", "B"]


def test_export_keeps_to_its_scope(shop, browser_of, make):
    member = shop.member("manager")
    make("Owner's")
    make("Mine", actor=member)
    from sqlalchemy import select

    from kehu.members.models import Role

    with shop.work() as session:
        role = session.execute(select(Role).where(Role.code == "manager")).scalar_one()
        role.permissions = {**role.permissions, "customers:export": "own"}
    text = browser_of("manager").get("/customers/export.csv").data.decode("utf-8-sig")
    assert "Mine" in text
    assert "Owner's" not in text


def test_nothing_selected_is_said(browser):
    assert browser.post("/customers/bulk/trash", {"ids": "nonsense,,"}).status_code == 422
    assert browser.post("/customers/bulk/burn", {"ids": "x"}).status_code == 404


def test_undo_keeps_what_others_changed_since(browser, browser_of, make, read):
    ids = make("A", "B", "C")
    answer = browser.post(
        "/customers/bulk/set", {"ids": joined(ids), "field": "type_class", "type_class": "partner"}
    )
    browser_of("manager").post(
        f"/customers/{ids[1]}/field/type_class", {"type_class": "agent", "version": "2"}, target="dd#x"
    )
    undone = browser.post(undo_of(answer)).headers["HX-Trigger"]
    assert "Took back 2 changes" in undone
    assert "was left as it is" in undone
    assert [read(one).type_class for one in ids] == ["prospect", "agent", "prospect"]


def test_tag_dialog_starts_empty_and_keeps_what_was_typed(browser, make):
    ids = joined(make("A"))
    assert (
        'name="add" type="text" value=""'
        in browser.get(f"/customers/bulk/tag?ids={ids}&count=1", target="dialog#dialog").text
    )
    answer = browser.post("/customers/bulk/tag", {"ids": ids, "add": "x" * 50, "remove": "Old"})
    assert answer.status_code == 422
    assert 'value="Old"' in answer.text
    assert "longer than 40" in answer.text


def test_a_failing_job_waits_for_its_next_try(browser, make, shop, monkeypatch):
    monkeypatch.setattr("kehu.web.records.bulk.JOB_OVER", 1)
    ids = make("A", "B")
    answer = browser.post("/customers/bulk/tag", {"ids": joined(ids), "add": "Fair"})
    run_id = re.search(r"/bulk/([0-9a-f-]{36})", answer.text)[1]
    from kehu.views.tasks import run_bulk

    def fail(_run_id):
        raise RuntimeError("broken")

    given = {"run_id": run_id, "member_id": str(shop.owner.member_id)}
    with monkeypatch.context() as broken:
        broken.setattr("kehu.views.bulk.work_on", fail)
        with pytest.raises(RuntimeError):
            run_bulk(str(shop.tenant.id), **given)
    assert "0 of 2" in browser.get(f"/bulk/{run_id}", target="div#bulk-progress").text
    run_bulk(str(shop.tenant.id), **given)
    assert "Tagged 2 customers" in browser.get(f"/bulk/{run_id}", target="div#bulk-progress").text
