"""Fixtures that all tests share; by subject they are written in `kehu.testkit`."""

pytest_plugins = ["kehu.testkit.database", "kehu.testkit.fixtures"]
