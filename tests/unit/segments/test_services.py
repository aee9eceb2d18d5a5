"""Segments: rules in the language of lists, criteria, what is refused, gone filters let nobody in."""

import datetime as dt

import pytest
from sqlalchemy import update

from kehu.core import clock, context
from kehu.core.errors import InvalidInput
from kehu.core.records import listing
from kehu.core.records.service import service_for
from kehu.core.records.types import get as get_type
from kehu.segments import services
from kehu.segments.models import Segment
from kehu.segments.services import SegmentService


def keep(session, query, object_name="customers", name="S"):
    return SegmentService(session).create({"name": name, "object": object_name, "query": query})


def found(session, segment):
    kind = get_type(segment.object)
    inside = session.execute(services.members(segment)).scalars().all()
    return sorted(service_for(kind.name, session).get(one).name for one in inside)


@pytest.fixture
def people(session):
    """Three customers: one with a deal and a fresh call, one with an old call and a term, one with nothing."""
    make = {
        name: service_for("customers", session).create({"name": name, "value_class": mark}).id
        for name, mark in (("Ann", "A"), ("Bo", "A"), ("Cy", "B"))
    }
    at = {"customer_id": str(make["Ann"])}
    service_for("deals", session).create({"name": "A fleet", **at})
    calls = service_for("activities", session)
    now = clock.now()
    for name, days in (("Ann", 3), ("Bo", 200)):
        when = (now - dt.timedelta(days=days)).isoformat()
        calls.create({"subject": "Call", "kind": "call", "customer_id": str(make[name]), "done_at": when})
    item = service_for("owned_items", session).create({"name": "Pump", "customer_id": str(make["Bo"])})
    ends = (now.date() + dt.timedelta(days=40)).isoformat()
    service_for("owned_item_terms", session).create(
        {"name": "Warranty", "item_id": str(item.id), "starts_on": "2020-01-01", "ends_on": ends}
    )
    return make


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("value_class=A", ["Ann", "Bo"]),
        ("open_deal=1", ["Ann"]),
        ("open_deal=0&value_class=A", ["Bo"]),
        ("quiet_days.gte=90", ["Bo", "Cy"]),
        ("quiet_days.lte=30", ["Ann"]),
        ("quiet_days.gte=90&quiet_days.lte=365", ["Bo"]),
        ("term_days.lte=60", ["Bo"]),
        ("term_days.gte=41", []),
        ("won_days.lte=365", []),
        ("in_household=0&open_ticket=0&next_step=0", ["Ann", "Bo", "Cy"]),
        ("q=ann&sort=-name", ["Ann"]),
        ("where=or(value_class:B,deals(status:open))", ["Ann", "Cy"]),
        ("where=owner_id:me,!deals(owner_id:me)", ["Bo", "Cy"]),
        ("", ["Ann", "Bo", "Cy"]),
    ],
)
def test_rules(session, people, query, names):
    segment = keep(session, query)
    assert found(session, segment) == names
    assert services.count(session, segment) == len(names)
    listed = listing.count(session, get_type("customers"), {"segment": str(segment.id)})
    assert listed == len(names)


@pytest.mark.parametrize(
    "query",
    ["colour=red", "quiet_days.gte=x", "open_deal=perhaps", "open_deal.gte=1", "segment=x", "value_class=Z"],
)
def test_what_can_not_be_asked_is_refused(session, query):
    with pytest.raises(InvalidInput) as error:
        keep(session, query)
    assert set(error.value.fields) == {"query"}


def test_segments_of_segments(session, people):
    first = keep(session, "value_class=A")
    second = keep(session, f"segment={first.id}&open_deal=0")
    assert found(session, second) == ["Bo"]
    with pytest.raises(InvalidInput):
        SegmentService(session).update(first.id, {"query": f"segment={second.id}"})
    with pytest.raises(InvalidInput):
        SegmentService(session).update(first.id, {"query": f"segment={first.id}"})
    SegmentService(session).trash(first.id)
    with pytest.raises(InvalidInput):
        services.count(session, second)


def test_a_filter_that_is_gone_lets_nobody_in(session, people):
    segment = keep(session, "value_class=A")
    session.execute(update(Segment).where(Segment.id == segment.id).values(query="gone_plugin=1"))
    session.refresh(segment)
    with pytest.raises(InvalidInput):
        services.members(segment)


def test_me_is_who_wrote_it(session):
    segment = keep(session, "owner_id=me,none&tags=me")
    mine = context.actor().member_id
    assert segment.query == f"owner_id={mine},none&tags=me"


def test_me_in_groups_is_the_member_who_wrote_it(session, people):
    mine = str(context.actor().member_id)
    assert f"owner_id:{mine}" in keep(session, "where=or(owner_id:me,value_class:A)").query
    with pytest.raises(InvalidInput) as refused:
        keep(session, "where=or(owner_id:me", name="Broken")
    assert "query" in refused.value.fields
    first = keep(session, "value_class=A", name="First")
    second = keep(session, f"where=or(segment:{first.id},value_class:B)", name="Second")
    assert found(session, second) == ["Ann", "Bo", "Cy"]
    with pytest.raises(InvalidInput, match="itself") as refused:
        SegmentService(session).update(first.id, {"query": f"where=segment:{second.id}"})
