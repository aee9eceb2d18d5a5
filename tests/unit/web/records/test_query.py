"""The query of a list in its address."""

from werkzeug.datastructures import MultiDict

from kehu.web.records import query


def test_clean_drops_empty_values_and_joins_several():
    args = MultiDict([("q", " "), ("type", "a"), ("type", "b"), ("name", "x\x00y")])
    assert query.clean(args) == {"type": "a,b", "name": "xy"}


def test_write_takes_away_and_replaces():
    assert query.write({"q": "a b", "sort": "name"}, sort=None, view="1") == "q=a+b&view=1"


def test_list_url_without_anything_is_bare():
    assert query.list_url("customers", {}) == "/customers"
    assert query.list_url("customers", {"type": "a,b"}) == "/customers?type=a,b"


def test_parse_reads_what_write_wrote_and_bounds_it():
    args = {"q": "Élan & Co", "amount.gte": "100"}
    assert query.parse(query.write(args)) == args
    assert len(query.parse("q=" + "x" * 10_000)["q"]) < 4_001


def test_views_keep_filters_and_sort_only():
    args = {"q": "a", "sort": "name", "after": "x", "at": "51", "view": "1", "columns": "name"}
    assert query.filters_only(args) == {"q": "a", "sort": "name"}
    assert query.without_page(args) == {"q": "a", "sort": "name", "view": "1", "columns": "name"}


def test_record_url_carries_the_list():
    assert query.record_url("/customers/1", "sort=name", 3) == "/customers/1?from=sort%3Dname&at=3"
    assert query.record_url("/customers/1", "") == "/customers/1?from="
