"""Automatic merges: off until an admin who saw the rehearsal switches them on, listed, undone for good, bounded."""

import pytest
from sqlalchemy import select

from kehu.core.audit import AuditEntry
from kehu.core.errors import Forbidden
from kehu.core.records import undo
from kehu.core.records.service import service_for
from kehu.merging import automatic, tasks
from kehu.merging.models import Merge
from kehu.merging.records import MergeRuleService

SURE = {"kind": "person", "born_on": "1961-02-03", "phones": [{"number": "+442079464410"}]}


def person(session, name, **values):
    return service_for("customers", session).create({"name": name, **SURE, **values}).id


@pytest.fixture
def people(shop):
    """Two that are one, his father of the same name and phone, and one of whom somebody else looks after."""
    other = shop.member("member")
    with shop.work() as session:
        return [
            person(session, "Hans Lindqvist", tags=["a"], industry="Art"),
            person(session, "Lindqvist, Hans", tags=["b"], industry="Music", region="North"),
            person(session, "Hans Lindqvist", born_on="1931-12-09"),
            person(session, "Hans Lindqvist", owner_id=str(other.member_id)),
        ]


def night(shop):
    for task in (tasks.look, tasks.merge_certain):
        task(tenant_id=str(shop.tenant.id))


def merges(shop):
    with shop.work() as session:
        statement = select(Merge.keep_id, Merge.drop_id, Merge.how, Merge.by, Merge.state)
        return [tuple(row) for row in session.execute(statement)]


def test_off_then_rehearsed_then_on_then_undone(shop, other_shop, people):
    client = shop.client()
    night(shop)
    assert merges(shop) == []
    page = client.get("/settings/merges/customers").get_data(as_text=True)
    assert "would be merged: 1" in page
    assert "Nothing is merged by itself" in page
    assert client.post("/settings/merges/customers", data={"to": "on"}).status_code == 303
    night(shop)
    night(other_shop)
    assert merges(shop) == [(people[0], people[1], "rule", None, "done")]
    with shop.work() as session:
        kept = service_for("customers", session).get(people[0])
        assert (kept.tags, kept.industry, kept.region) == (["a", "b"], "Art", "North")
        merge = session.execute(select(Merge.id)).scalar_one()
    page = client.get("/customers/merges").get_data(as_text=True)
    assert "By the rule" in page
    assert client.post(f"/customers/merges/{merge}/undo").status_code == 303
    night(shop)
    assert [row[-1] for row in merges(shop)] == ["undone"]
    assert "would be merged: 0" in client.get("/settings/merges/customers").get_data(as_text=True)


def test_a_night_has_a_bound(shop, people, monkeypatch):
    monkeypatch.setattr(automatic, "NIGHT", 0)
    with shop.work() as session:
        MergeRuleService(session).switch("customers", True)
    monkeypatch.setattr(automatic, "NIGHT", 1)
    with shop.work() as session:
        for name in ("Di Holm", "Holm, Di"):
            person(session, name, phones=[{"number": "+442079464499"}])
    night(shop)
    assert len(merges(shop)) == 1
    night(shop)
    assert len(merges(shop)) == 2


def test_rights_and_other_firms(shop, other_shop, people):
    member = shop.client(shop.member("manager"))
    for answer in (
        member.get("/settings/merges"),
        member.post("/settings/merges/customers", data={"to": "on"}),
    ):
        assert answer.status_code == 403
    with shop.work(shop.member("manager")) as session, pytest.raises(Forbidden):
        MergeRuleService(session).switch("customers", True)
    assert "would be merged: 0" in other_shop.client().get("/settings/merges/customers").get_data(
        as_text=True
    )


def test_bad_input_stale_and_undo(shop):
    client = shop.client()
    assert client.get("/settings/merges").status_code == 200
    assert client.get("/settings/merges/deals").status_code == 404
    assert client.post("/settings/merges/deals", data={"to": "on"}).status_code == 404
    client.post("/settings/merges/contacts", data={"to": "on"})
    client.post("/settings/merges/contacts", data={"to": "off", "version": "1"})
    assert client.post("/settings/merges/contacts", data={"to": "on", "version": "1"}).status_code == 409
    with shop.work() as session:
        batch = session.execute(
            select(AuditEntry.batch_id).where(
                AuditEntry.object == "merge_rules", AuditEntry.action == "updated"
            )
        ).scalar_one()
        undo.undo_batch(session, batch)
        assert MergeRuleService(session).row("contacts").active
