"""What a run of tests says to the author of a plugin: each cause once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from kehu.testkit.brief import Brief


def failure(message: str, *places: tuple[str, int]) -> SimpleNamespace:
    """What pytest keeps of a failure."""
    entries = [SimpleNamespace(reprfileloc=SimpleNamespace(path=path, lineno=line)) for path, line in places]
    return SimpleNamespace(
        reprcrash=SimpleNamespace(message=message), reprtraceback=SimpleNamespace(reprentries=entries)
    )


def test_each_cause_is_said_once_with_the_author_s_own_line(tmp_path: Path) -> None:
    brief = Brief(tmp_path)
    for number in (1, 2):
        found = failure(
            f"RuntimeError: no row 01a226c7-0e0f-771c-80f7-f8db415f897{number}\n[SQL: SELECT 1]",
            ("kehu_sea/jobs.py", 7),
            ("/elsewhere/sqlalchemy/engine.py", 9),
        )
        brief.note(f"tests/test_sea.py::test_{number}", found)
    brief.note("tests/test_sea.py::test_3", "The plugin does not load.")
    assert list(brief.lines()) == [
        "",
        "test_1 and 1 more",
        "  RuntimeError: no row 01a226c7-0e0f-771c-80f7-f8db415f8971",
        "  at kehu_sea/jobs.py:7",
        "  alone: pytest tests/test_sea.py::test_1",
        "",
        "test_3",
        "  The plugin does not load.",
        "  alone: pytest tests/test_sea.py::test_3",
    ]


def test_a_long_message_is_cut(tmp_path: Path) -> None:
    brief = Brief(tmp_path)
    brief.note("t.py::t", failure("\n".join("x" * 900 for _ in range(40))))
    lines = list(brief.lines())
    assert len(lines) == 18
    assert max(map(len, lines)) <= 302
