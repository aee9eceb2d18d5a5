"""Windows of the rate limit."""

from limits import parse

from kehu.rest import limits


def test_a_window_ends_and_begins_anew():
    limit = limits.TokenLimit(parse("2 per minute"))
    assert [limit.hit("a", now) for now in (100.0, 110.0, 159.0)] == [(1, 160.0), (2, 160.0), (3, 160.0)]
    assert limit.hit("b", 110.0) == (1, 170.0)
    assert limit.hit("a", 160.0) == (1, 220.0)


def test_old_windows_are_forgotten(monkeypatch):
    monkeypatch.setattr(limits, "MOST_KEYS", 3)
    limit = limits.TokenLimit(parse("2 per minute"))
    for number in range(4):
        limit.hit(str(number), 100.0)
    limit.hit("new", 200.0)
    assert set(limit.windows) == {"new"}
