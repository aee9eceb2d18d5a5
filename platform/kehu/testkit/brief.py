"""A pytest plugin for authors: each cause once, with the plugin's own line that led to it, and no frames of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_MOST_LINES = 14
_WIDEST = 300
_NOISE = ("[SQL: ", "[parameters: ", "(Background on this error")


@dataclass
class Cause:
    """One thing that went wrong, and the tests that it broke."""

    words: str
    place: str
    tests: list[str] = field(default_factory=list)


class Brief:
    """Collects what failed and says each cause once at the end.

    :param folder: the plugin's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.causes: dict[str, Cause] = {}

    def note(self, nodeid: str, found: Any) -> None:
        """Remember a failure under its cause.

        :param found: what pytest keeps of it (`report.longrepr`).
        """
        crash = getattr(found, "reprcrash", None)
        lines = str(found if crash is None else crash.message).splitlines()
        lines = [line[:_WIDEST] for line in lines if not line.startswith(_NOISE)]
        words = "\n".join(lines[:_MOST_LINES] + ["…"] * (len(lines) > _MOST_LINES))
        entries = getattr(getattr(found, "reprtraceback", None), "reprentries", ())
        places = [one.reprfileloc for one in entries if getattr(one, "reprfileloc", None)]
        own = [f"{one.path}:{one.lineno}" for one in places if self._own(one.path)]
        # Ids differ from test to test.
        cause = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", words)
        self.causes.setdefault(cause, Cause(words, own[-1] if own else "")).tests.append(nodeid)

    def _own(self, path: str) -> bool:
        return (self.folder / path).resolve().is_relative_to(self.folder)

    def lines(self) -> Iterator[str]:
        """Say each cause, how many tests it broke, and how to run the first alone."""
        for cause in self.causes.values():
            first, others = cause.tests[0], len(cause.tests) - 1
            yield ""
            yield first.rpartition("::")[2] + (f" and {others} more" if others else "")
            yield from (f"  {line}" for line in cause.words.splitlines())
            if cause.place:
                yield f"  at {cause.place}"
            yield f"  alone: pytest {first}"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take a module that could not be read."""
        if report.failed:
            self.note(report.nodeid, report.longrepr)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a test that failed."""
        if report.failed:
            self.note(report.nodeid, report.longrepr)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write it behind the dots."""
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            for line in self.lines():
                reporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    """Join the run."""
    config.pluginmanager.register(Brief(config.rootpath.resolve()), "kehu-brief")
