"""A pytest plugin that gives each test process a migrated PostgreSQL database of its own.

The server is an embedded one in `var/pg-test`, shared by all test processes of this folder, or that of
`KEHU_DATABASE_URL`. Migrations run once for each state of the sources, into a template; a database is a copy of it.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import sql

from kehu.core import migration
from kehu.dev import roles, settings
from kehu.dev.roles import DatabaseUrls
from kehu.testkit.leases import leased

TEMPLATE_PREFIX = "kehu_template_"
TEMPLATES_KEPT = 4
LOCK_KEY = 0x6B746573  # "ktes"
_numbers = itertools.count(1)


class PluginTablesError(RuntimeError):
    """Raised when the tables of an installed plugin can't be made; the message says why."""


class TestServer:
    """A server for tests: makes databases as copies of a migrated template and drops them."""

    __test__ = False  # not a test case, whatever its name says to pytest

    def __init__(self, admin_url: str, secrets_file: Path | None) -> None:
        self.admin_url = admin_url
        self.secrets_file = secrets_file

    def make(self, *, migrated: bool = True) -> DatabaseUrls:
        """Make a database and return its addresses."""
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        name = f"kehu_test_{os.getpid()}_{worker}_{next(_numbers)}"
        template = self._template() if migrated else "template0"
        # Copying files beats writing them through the log where nothing waits for the disk.
        strategy = " STRATEGY FILE_COPY" if self.secrets_file is None else ""
        with self._admin() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}" + strategy).format(
                    sql.Identifier(name), sql.Identifier(roles.OWNER), sql.Identifier(template)
                )
            )
        urls = self._urls(name)
        if migrated:
            # The template knows those of Kehu only, so that all runs share it.
            _migrate_plugins(urls.owner, builtin=False)
        return urls

    def drop(self, urls: DatabaseUrls) -> None:
        """Drop a database with whoever is still connected."""
        with self._admin() as connection:
            _drop(connection, roles.database_name(urls.owner))

    def clean(self) -> None:
        """Drop what runs that were killed have left behind."""
        with self._admin() as connection, _locked(connection):
            for name in _names(connection, r"kehu\_test\_%"):
                found = re.match(r"kehu_test_(\d+)_", name)
                if found and not psutil.pid_exists(int(found[1])):
                    _drop(connection, name)
            for name in _names(connection, r"kehu\_template\_%")[:-TEMPLATES_KEPT]:
                _drop(connection, name)

    def _urls(self, name: str) -> DatabaseUrls:
        return roles.ensure(self.admin_url, name, self.secrets_file)

    def _template(self) -> str:
        name = TEMPLATE_PREFIX + source_hash()
        with self._admin() as connection, _locked(connection):
            if name not in _names(connection, r"kehu\_template\_%"):
                half = f"{name}_half"
                _drop(connection, half)
                _migrate(self._urls(half).owner)
                # Named only when whole: a run that broke off leaves no half-migrated template.
                connection.execute(
                    sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                        sql.Identifier(half), sql.Identifier(name)
                    )
                )
        return name

    @contextmanager
    def _admin(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        url = roles.with_parts(self.admin_url, database="postgres")
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            yield connection


def _migrate(url: str) -> None:
    migration.upgrade(url)
    _migrate_plugins(url, builtin=True)


def _migrate_plugins(url: str, *, builtin: bool) -> None:
    from kehu.addons import migrations as plugins

    failed = [done for done in plugins.upgrade_all(url, builtin=builtin) if done.error]
    if failed:
        raise PluginTablesError(
            "\n".join(f"The plugin {done.slug} can't be migrated: {done.error}" for done in failed)
        )


def source_hash() -> str:
    """Return a hash over everything that migrations are made of."""
    root = settings.root()
    files = [*root.glob("migrations/**/*.py"), *root.glob("plugins_builtin/*/migrations/**/*.py")]
    files += [*root.glob("platform/kehu/core/migration*.py"), root / "platform/kehu/core/tables.py"]
    files += [root / "platform/kehu/addons/migrations.py"]
    files += root.glob("platform/kehu/addons/migration_env/*.py")
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def _names(connection: psycopg.Connection[tuple[object, ...]], pattern: str) -> list[str]:
    # In order of age: a database's number grows.
    rows = connection.execute(
        "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid", (pattern,)
    )
    return [str(name) for (name,) in rows]


def _drop(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _locked(connection: psycopg.Connection[tuple[object, ...]]) -> Iterator[None]:
    connection.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK_KEY,))


@contextmanager
def borrowed_database() -> Iterator[DatabaseUrls]:
    """Lend a migrated database outside of a test run; it is dropped at the end."""
    with _lent_server() as server:
        urls = server.make()
        try:
            yield urls
        finally:
            server.drop(urls)


@pytest.fixture(scope="session")
def database_server() -> Iterator[TestServer]:
    """Lend the server that holds the databases of this run."""
    with _lent_server() as server:
        yield server


@contextmanager
def _lent_server() -> Iterator[TestServer]:
    given = os.environ.get("KEHU_DATABASE_URL")
    if given:
        yield TestServer(given, settings.var_folder() / "roles.json")
        return
    with leased(settings.var_folder() / "pg-test") as cluster:
        server = TestServer(cluster.url(), None)
        server.clean()
        yield server


@pytest.fixture(scope="session")
def database_urls(database_server: TestServer) -> Iterator[DatabaseUrls]:
    """Give the run a migrated database: `owner`, `app` and `cross` are its addresses by role."""
    try:
        urls = database_server.make()
    except PluginTablesError as error:
        pytest.fail(str(error), pytrace=False)
    yield urls
    database_server.drop(urls)


@pytest.fixture
def empty_database_urls(database_server: TestServer) -> Iterator[DatabaseUrls]:
    """Give one test a database without any migration."""
    urls = database_server.make(migrated=False)
    yield urls
    database_server.drop(urls)
