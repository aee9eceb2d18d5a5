"""Kehu's fixtures: an application on a database of its own, two firms, browsers."""

pytest_plugins = ["kehu.testkit.database", "kehu.testkit.fixtures"]
