"""Fixtures that all tests share; by subject they are written in `kehu.testkit`."""

from pathlib import Path

import pytest

pytest_plugins = ["kehu.testkit.database", "kehu.testkit.fixtures"]

TESTS = Path(__file__).parent
NOT_MEASURED = (
    "contract/test_roles.py",
    "functional/attacks/test_dealer.py",
    "functional/attacks/test_every_address.py",
    "functional/attacks/test_leaks.py",
    "functional/attacks/test_texts.py",
    "functional/imports/test_linked.py",
    "functional/imports/test_maven.py",
    "functional/imports/test_updates.py",
    "functional/plugins/test_author_journey.py",
    "functional/plugins/test_authoring.py",
    "functional/plugins/test_automotive_contract.py",
    "functional/plugins/test_tutorial.py",
)
"""Tests of great amounts: they ask every address or write thousands of rows, over lines that others reach once.

Measuring coverage makes them twice as slow and finds nothing more.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(TESTS).as_posix().startswith(NOT_MEASURED):
            item.add_marker(pytest.mark.no_cover)
