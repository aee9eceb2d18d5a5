"""Search: words, bounds and scopes."""

import pytest

from kehu.core.context import Actor
from kehu.core.records.service import service_for
from kehu.search.queries import word_values
from kehu.search.services import SearchService, words_of


def test_words():
    assert words_of("#1057") == ["1057"]
    assert words_of("# 12 ") == ["12"]
    assert words_of("#vip") == ["#vip"]
    assert words_of("Northwind  joinery") == ["northwind", "joinery"]
    assert words_of("   ") == []


def test_ranges_end_after_the_last_letter():
    assert word_values(["ann", "b"]) == {"from_0": "ann", "to_0": "ano", "from_1": "b", "to_1": "c"}
    assert word_values(["\U0010ffff"])["to_0"] == "\U0010ffff"


@pytest.fixture
def names(shop):
    """Customers of the owner and of a seller."""
    seller = shop.member("member")
    with shop.work() as session:
        service_for("customers", session).create_many(
            [{"name": f"Anna Firm {number}"} for number in range(9)]
        )
    with shop.work(seller) as session:
        service_for("customers", session).create({"name": "Anna Own"})
    return seller


def test_limits_and_more(shop, names):
    with shop.work() as session:
        [group] = SearchService(session).find("ann", limit=6)
        assert (len(group.hits), group.more) == (6, True)
        [group] = SearchService(session).find("ann own")
        assert [hit.title for hit in group.hits] == ["Anna Own"]
        assert SearchService(session).find("ann zzz") == []
        assert SearchService(session).find("") == []
        assert SearchService(session).find("ann", kind="deals") == []


def test_own_scope_finds_only_own(shop, names):
    actor = Actor(member_id=names.member_id, name="Seller", permissions={"customers:read": "own"})
    with shop.work(actor) as session:
        service = SearchService(session)
        assert [one.name for one in service.types()] == ["customers"]
        [group] = service.find("anna")
        assert [hit.title for hit in group.hits] == ["Anna Own"]


def test_nobody_without_rights_finds_anything(shop, names):
    with shop.work(Actor(name="Nobody")) as session:
        assert SearchService(session).find("anna") == []
