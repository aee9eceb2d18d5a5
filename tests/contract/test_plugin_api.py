"""What plugins rely on changes only on purpose: its surface is that of the committed snapshot."""

from kehu.authoring import surface


def test_the_surface_is_that_of_the_snapshot():
    difference = surface.compare(surface.kept(), surface.present())
    assert not difference, "\n".join(
        [f"The plugin API changed. If that is meant: .venv/bin/{surface.RENEW}", *difference.lines()]
    )


def test_a_difference_is_told_by_what_became_of_each_name():
    before = [
        "hook kehu_a() -> None, mode R",
        "kehu.api.b(x: int) -> None",
        "plugin API 0.1",
        "slot c.side(c_id)",
    ]
    after = ["kehu.api.b(x: str) -> None", "plugin API 0.2", "slot c.side(c_id)", "kehu.api.d"]
    told = surface.compare(before, after)
    assert list(told.lines()) == [
        "+ kehu.api.d",
        "~ kehu.api.b(x: int) -> None",
        "  now kehu.api.b(x: str) -> None",
        "~ plugin API 0.1",
        "  now plugin API 0.2",
        "- hook kehu_a() -> None, mode R",
    ]
    assert not surface.compare(after, reversed(after))
