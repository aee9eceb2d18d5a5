"""Statements that are built once."""

from sqlalchemy import literal, select

from kehu.core import kept
from kehu.core.context import Actor
from kehu.core.db import tenant_id
from kehu.core.ids import new_id


def test_built_once_and_filled_in_each_time(session):
    built = []

    def build():
        built.append(1)
        return select(kept.TENANT.label("tenant"), kept.slot("one").label("one"), literal("x").label("x"))

    for one in (new_id(), new_id()):
        [row] = kept.rows(session, ("test", new_id.__name__), build, {"one": one})
        assert (row.tenant, row.one, row.x) == (tenant_id(), one, "x")
    assert len(built) == 1


def test_nothing_to_ask(session):
    assert kept.rows(session, ("nothing",), lambda: None, {}) == ()
    assert kept.rows(session, None, lambda: None, {}) == ()


def test_narrow_scopes_are_kept_apart(session):
    one, two = (Actor(member_id=new_id(), permissions={"deals:read": "own"}) for _each in range(2))
    wide = Actor(member_id=new_id(), permissions={"deals:read": "all"})
    other = Actor(member_id=new_id(), permissions={"deals:read": "all"})
    assert kept.shape(one, ["deals"]) != kept.shape(two, ["deals"])
    assert kept.shape(wide, ["deals"]) == kept.shape(other, ["deals"])
    assert kept.shape(wide, ["deals"]) != kept.shape(wide, ["deals", "tickets"])


def test_the_memory_is_bounded(session, monkeypatch):
    monkeypatch.setattr(kept, "MOST", 3)
    for number in range(8):
        kept.rows(session, ("bounded", number), lambda: select(kept.TENANT), {})
    assert len(kept._kept) <= 3
