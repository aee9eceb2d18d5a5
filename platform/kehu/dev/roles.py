"""The three database roles of DATABASE.md 1.1, made on a server that lets us, explained on one that does not."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

OWNER, APP, CROSS = "kehu_owner", "kehu_app", "kehu_cross"
PLAIN = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
ATTRIBUTES = {
    OWNER: f"{PLAIN} NOBYPASSRLS",
    APP: f"{PLAIN} NOBYPASSRLS",
    CROSS: f"{PLAIN} BYPASSRLS",
}


class RolesError(RuntimeError):
    """Roles or database are missing and cannot be made; the message holds the SQL to run."""


@dataclass(frozen=True)
class DatabaseUrls:
    """Addresses of one database for each role."""

    owner: str
    app: str
    cross: str

    def environment(self) -> dict[str, str]:
        """Return them as the environment variables of `kehu.config`."""
        return {
            "KEHU_DATABASE_URL": self.owner,
            "KEHU_APP_DATABASE_URL": self.app,
            "KEHU_CROSS_DATABASE_URL": self.cross,
        }


def with_parts(url: str, *, user: str | None = None, password: str = "", database: str | None = None) -> str:
    """Return a database address with another role or database."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    if user is None:
        login = parts.netloc.rpartition("@")[0]
    else:
        login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    path = parts.path if database is None else f"/{quote(database, safe='')}"
    # Not rebuilt by urlunsplit alone: it drops the slashes of an address without a host.
    return urlunsplit((parts.scheme, f"{login}@{address}", path, parts.query, parts.fragment))


def database_name(url: str) -> str:
    """Return the name of the database in an address."""
    return urlsplit(url).path.lstrip("/") or "postgres"


def ensure(admin_url: str, database: str, secrets_file: Path | None = None) -> DatabaseUrls:
    """Make roles and database where missing; return the addresses.

    :param admin_url: address of any database of the server, as a role that may make roles; or, on a server
        where the roles exist already, as the owner of the database.
    :param secrets_file: keeps the passwords of the roles made here; None on a server that trusts its socket.
    :raises RolesError: when something is missing and may not be made.
    """
    passwords = _load(secrets_file)
    try:
        with _connect(admin_url, database) as connection:
            missing = _missing_roles(connection)
            if missing:
                _create_roles(connection, missing, passwords, secrets_file)
            admin = _may_create_roles(connection)
            _create_database(connection, database, admin)
    except psycopg.errors.InsufficientPrivilege as error:
        raise RolesError(_explain(database, str(error).splitlines()[0])) from error
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split())
        raise RolesError(f"The database does not answer ({reason}). Check KEHU_DATABASE_URL.") from error
    if admin:
        _grant(with_parts(admin_url, database=database), database)
    owner = with_parts(admin_url, user=OWNER, password=passwords.get(OWNER, "")) if admin else admin_url
    return DatabaseUrls(
        owner=with_parts(owner, database=database),
        app=with_parts(admin_url, user=APP, password=passwords.get(APP, ""), database=database),
        cross=with_parts(admin_url, user=CROSS, password=passwords.get(CROSS, ""), database=database),
    )


def check_logins(urls: DatabaseUrls) -> None:
    """Log in as each role.

    :raises RolesError: names the setting that has to be given.
    """
    for variable, url in urls.environment().items():
        try:
            psycopg.connect(url, connect_timeout=10).close()
        except psycopg.OperationalError as error:
            role = urlsplit(url).username
            reason = " ".join(str(error).split())
            raise RolesError(
                f"The role {role} can't log in ({reason}). Give its address with the password in {variable}, "
                f"or a new password as an administrator: ALTER ROLE {role} PASSWORD '…';"
            ) from error


def setup_sql(database: str) -> str:
    """Return the SQL that an administrator runs once on a server of ours or a firm's own."""
    lines = [f"CREATE ROLE {name} {attributes} PASSWORD '…';" for name, attributes in ATTRIBUTES.items()]
    lines.append(f"CREATE DATABASE {database} OWNER {OWNER} ENCODING 'UTF8';")
    return "\n".join(lines)


def _connect(admin_url: str, database: str) -> psycopg.Connection[tuple[object, ...]]:
    try:
        return psycopg.connect(admin_url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        if f'database "{database}" does not exist' not in str(error):
            raise
        # The address names the database that is to be made: every server has the one called postgres.
        return psycopg.connect(
            with_parts(admin_url, database="postgres"), autocommit=True, connect_timeout=10
        )


def _missing_roles(connection: psycopg.Connection[tuple[object, ...]]) -> list[str]:
    found = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (list(ATTRIBUTES),))
    present = {row[0] for row in found}
    return [name for name in ATTRIBUTES if name not in present]


def _may_create_roles(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    row = connection.execute(
        "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    return bool(row and row[0])


def _create_roles(
    connection: psycopg.Connection[tuple[object, ...]],
    missing: list[str],
    passwords: dict[str, str],
    secrets_file: Path | None,
) -> None:
    for name in missing:
        if secrets_file is not None:
            passwords[name] = secrets.token_urlsafe(24)
            _save(secrets_file, passwords)
        password = sql.Literal(passwords.get(name))
        try:
            connection.execute(
                sql.SQL("CREATE ROLE {} {} PASSWORD {}").format(
                    sql.Identifier(name), sql.SQL(ATTRIBUTES[name]), password
                )
            )
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            # Another run made it in the same moment.
            continue


def _create_database(connection: psycopg.Connection[tuple[object, ...]], database: str, admin: bool) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
        return
    name, owner = sql.Identifier(database), sql.Identifier(OWNER)
    if admin:
        # A plain CREATEROLE user must be a member of the role that it hands the database to.
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(name, owner)
    )


def _grant(url: str, database: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        owner = sql.Identifier(OWNER)
        connection.execute(
            sql.SQL("GRANT CREATE, CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), owner)
        )
        connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {}").format(owner))


def _explain(database: str, reason: str) -> str:
    return (
        f"The role in KEHU_DATABASE_URL may not make what is missing ({reason}). As an administrator run:\n\n"
        f"{setup_sql(database)}\n\n"
        f"then set KEHU_DATABASE_URL (as {OWNER}), KEHU_APP_DATABASE_URL (as {APP}) "
        f"and KEHU_CROSS_DATABASE_URL (as {CROSS})."
    )


def _load(file: Path | None) -> dict[str, str]:
    if file is None or not file.exists():
        return {}
    loaded: dict[str, str] = json.loads(file.read_text())
    return loaded


def _save(file: Path, passwords: dict[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(passwords))
