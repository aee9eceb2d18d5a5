"""Saved views, drafts and bulk changes as services."""

import pytest

from kehu.core.context import Actor
from kehu.core.errors import Forbidden, InvalidInput, NotFound, TooLarge
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.core.records.types import get
from kehu.views import bulk, drafts
from kehu.views.bulk import Order, Picked
from kehu.views.services import ViewService


@pytest.fixture
def service(session):
    return ViewService(session)


def test_view_keeps_known_columns(service):
    view = service.create("customers", " Partners ", "type_class=partner", ["name", "nonsense", "name"])
    assert (view.name, view.columns, view.sharing) == ("Partners", ["name"], "personal")
    service.session.flush()
    assert [row.name for row in service.all()] == ["Partners"]


def test_names_are_taken_once_per_list(service):
    service.create("customers", "Élan", "", [])
    service.session.flush()
    with pytest.raises(InvalidInput):
        service.create("customers", "ELAN", "", [])
    assert service.create("contacts", "Elan", "", []).name == "Elan"


def test_unknown_lists_and_views_are_not_found(service):
    with pytest.raises(NotFound):
        service.create("nonsense", "A", "", [])
    for unknown in ("x", new_id(), None):
        with pytest.raises(NotFound):
            service.get(unknown)


def test_shared_views_are_changed_by_those_who_may_share(service, session, shop):
    view = service.create("customers", "All", "", [], shared=True)
    session.flush()
    viewer = Actor(member_id=new_id(), permissions={"customers:read": "all"})
    other = ViewService(session, viewer)
    assert other.get(view.id) is view
    assert not other.may_change(view)
    with pytest.raises(Forbidden):
        other.keep(view.id, "q=x", [])
    with pytest.raises(Forbidden):
        other.create("customers", "Mine", "", [], shared=True)
    service.rename(view.id, "Mine now", shared=False)
    assert view.sharing == "personal"
    with pytest.raises(NotFound):
        other.get(view.id)


def test_deleted_views_come_back(service, session):
    view = service.create("customers", "Gone", "", [])
    session.flush()
    service.delete(view.id)
    session.flush()
    assert service.all() == []
    assert service.restore(view.id).deleted_at is None
    with pytest.raises(NotFound):
        service.restore(new_id())


def test_drafts(session):
    drafts.keep_draft(session, "a", "one")
    drafts.keep_draft(session, "a", "two\x00")
    assert drafts.draft_text(session, "a") == "two"
    drafts.keep_draft(session, "a", "  ")
    assert drafts.draft_text(session, "a") == ""
    with pytest.raises(TooLarge):
        drafts.keep_draft(session, "a", "x" * 20_001)
    with pytest.raises(InvalidInput):
        drafts.keep_draft(session, "", "x")


def test_picked_records_are_counted_in_the_database(session):
    service = service_for("customers", session)
    ids = [one.record.id for one in service.create_many([{"name": f"Firm {n}"} for n in range(5)])]
    session.flush()
    kind = get("customers")
    assert bulk.count(kind, Picked(query={"q": "firm"})) == 5
    assert bulk.count(kind, Picked(ids=[*ids[:2], new_id()])) == 2
    assert bulk.ids_of(session, kind, Picked(), after=sorted(ids)[2], limit=1) == [sorted(ids)[3]]
    assert bulk.parse_ids(f"{ids[0]}, nonsense,{ids[0]}") == [ids[0]]


def test_refused_rows_of_a_bulk_change_are_counted(session):
    service = service_for("customers", session)
    ids = [one.record.id for one in service.create_many([{"name": "A"}, {"name": "B"}])]
    session.flush()
    order = Order(action="set", values={"parent_id": str(ids[0])})
    outcome = bulk.apply(session, get("customers"), order, ids)
    assert (outcome.changed, outcome.refused) == (1, 1)
    assert "belong to itself" in outcome.reason


def test_runs_are_ones_own(session):
    run = bulk.keep_selection(session, "customers", [new_id()])
    assert bulk.get_run(session, run.id) is run
    with pytest.raises(NotFound):
        bulk.get_run(session, new_id())
