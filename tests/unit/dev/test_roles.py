from __future__ import annotations

import psycopg
import pytest

from kehu.dev import roles
from kehu.testkit.database import TestServer

ATTRIBUTES = (
    "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://a:b@h:5432/db?sslmode=require", "postgresql://me:p%40ss@h:5432/new?sslmode=require"),
        ("postgresql://a@/db?host=/var/pg", "postgresql://me:p%40ss@/new?host=/var/pg"),
        ("postgresql://h/db", "postgresql://me:p%40ss@h/new"),
    ],
)
def test_with_parts_exchanges_role_and_database(url: str, expected: str):
    assert roles.with_parts(url, user="me", password="p@ss", database="new") == expected


def test_with_parts_keeps_what_is_not_named():
    url = "postgresql://a:b%20c@h:5432/db"
    assert roles.with_parts(url) == url
    assert roles.with_parts(url, database="x") == "postgresql://a:b%20c@h:5432/x"


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("owner", (False, False, False, False)),
        ("app", (False, False, False, False)),
        ("cross", (False, True, False, False)),
    ],
)
def test_each_role_has_the_rights_it_needs_and_no_more(
    database_urls: roles.DatabaseUrls, role: str, expected: object
):
    with psycopg.connect(getattr(database_urls, role)) as connection:
        assert connection.execute(ATTRIBUTES).fetchone() == expected


def test_the_web_role_may_not_create_tables(database_urls: roles.DatabaseUrls):
    with (
        psycopg.connect(database_urls.app) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE TABLE sneaky (n int)")


def test_a_role_without_the_right_is_told_what_to_run(
    database_server: TestServer, database_urls: roles.DatabaseUrls
):
    with pytest.raises(roles.RolesError, match="CREATE DATABASE not_there OWNER kehu_owner"):
        roles.ensure(database_urls.app, "not_there", database_server.secrets_file)


def test_a_server_that_is_away_is_named_with_its_setting():
    with pytest.raises(roles.RolesError, match="KEHU_DATABASE_URL"):
        roles.ensure("postgresql://x@127.0.0.1:1/kehu", "kehu")
