"""Writing an archive: a ZIP file that is the same to the byte for the same data."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from dataclasses import dataclass, field
from typing import IO, Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from kehu.accounts.models import User
from kehu.core.context import tenant
from kehu.files.store import FileStore
from kehu.members.models import Member
from tenants.archive import contents
from tenants.archive.contents import ArchivedTable
from tenants.models import Tenant

AT_ONCE = 1_000
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The moment that each entry bears: an archive of the same data is the same file."""

README = """This is all that a firm had in Kehu, in the format kehu-archive/1.

manifest.json   format, revision of the tables, the firm, rows and SHA-256 of each file under data/, what was left out
schema.json     columns of each table with their PostgreSQL types
data/           a table a file, a row a line of JSON; `<schema>.<table>` for the tables of a plugin
data/users.ndjson   the people behind the members, without passwords
files/          the bytes of attached files, named by their SHA-256 (tables with a column sha256 name them)

Money is in minor units (cents) with the currency beside it, moments are in UTC, `custom` holds custom fields by key,
a row with `deleted_at` lies in the trash. `audit_entries` is the history: who changed what, when, from what to what.

An operator reads it into an installation that does not have the firm: kehu tenant import FILE
"""


@dataclass
class Summary:
    """What an archive holds, in numbers."""

    rows: int = 0
    files: int = 0
    missing: list[str] = field(default_factory=list)


def fix_moment(session: Session) -> None:
    """Let the session see one moment of the data from now on; first of all in its transaction."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    session.execute(text("SET LOCAL timezone TO 'UTC'"))
    session.execute(text("SET LOCAL statement_timeout TO 0"))


def write(session: Session, store: FileStore, into: IO[bytes]) -> Summary:
    """Write the archive of the present tenant.

    :param session: a session after `fix_moment`.
    :returns: what it holds; `missing` names files whose bytes are gone from the store.
    """
    summary, sums = Summary(), {}
    named: set[str] = set()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        found = contents.tables(session)
        for table in found:
            sums[table.title] = _table(session, archive, table, named)
        sums["users"] = _users(session, archive)
        held = {title: one for title, one in sums.items() if one["rows"]}
        summary.rows = sum(one["rows"] for one in held.values())
        for sha256 in sorted(named):
            path = store.path(tenant().id, sha256)
            if not path.is_file():
                summary.missing.append(sha256)
                continue
            with path.open("rb") as source, _entry(archive, f"files/{sha256}") as target:
                shutil.copyfileobj(source, target)
            summary.files += 1
        _json(
            archive, "schema.json", {table.title: dict(table.types) for table in found if table.title in held}
        )
        with _entry(archive, "README.txt") as target:
            target.write(README.encode())
        schemas = {table.schema for table in found if table.title in held and table.schema != "public"}
        about = {
            "format": contents.FORMAT,
            "revision": contents.revision(session),
            "plugins": contents.plugin_revisions(session, schemas),
            "tenant": _facts(session),
            "tables": held,
            "files": {"count": summary.files, "missing": summary.missing},
            "left_out": contents.reasons(),
        }
        _json(archive, "manifest.json", about)
    return summary


def _entry(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return archive.open(info, "w", force_zip64=True)


def _json(archive: zipfile.ZipFile, name: str, value: Any) -> None:
    with _entry(archive, name) as target:
        target.write(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode())


def _table(
    session: Session, archive: zipfile.ZipFile, table: ArchivedTable, named: set[str]
) -> dict[str, Any]:
    columns = ", ".join(
        f'{table.shown[name]} AS "{name}"' if name in table.shown else f'"{name}"' for name in table.columns
    )
    order = ", ".join(f'one."{name}"' for name in table.key)
    files = "one.sha256" if "sha256" in table.columns else "NULL"
    # Only names of the catalogue are put into the text.
    statement = text(
        f"SELECT row_to_json(one)::text AS line, {files} AS sha256 "  # noqa: S608
        f"FROM (SELECT {columns} FROM {table.sql} WHERE tenant_id = :tenant) AS one ORDER BY {order}"
    )
    digest, rows = hashlib.sha256(), 0
    result = session.execute(statement, {"tenant": tenant().id}, execution_options={"yield_per": AT_ONCE})
    first = result.fetchone()
    if first is None:
        return {"rows": 0, "sha256": ""}
    with _entry(archive, f"data/{table.title}.ndjson") as target:
        row: Any = first
        while row is not None:
            line = row.line.encode() + b"\n"
            digest.update(line)
            target.write(line)
            rows += 1
            if row.sha256:
                named.add(row.sha256)
            row = result.fetchone()
    return {"rows": rows, "sha256": digest.hexdigest()}


def _users(session: Session, archive: zipfile.ZipFile) -> dict[str, Any]:
    statement = (
        select(*(getattr(User, name) for name in contents.USER_FACTS))
        .join(Member, Member.user_id == User.id)
        .where(Member.tenant_id == tenant().id)
        .order_by(User.email_norm)
    )
    lines = [
        json.dumps(dict(row._mapping), default=_plain, ensure_ascii=False, sort_keys=True).encode() + b"\n"
        for row in session.execute(statement)
    ]
    with _entry(archive, "data/users.ndjson") as target:
        target.writelines(lines)
    return {"rows": len(lines), "sha256": hashlib.sha256(b"".join(lines)).hexdigest()}


def _facts(session: Session) -> dict[str, Any]:
    row = session.get(Tenant, tenant().id)
    assert row is not None
    facts = {name: getattr(row, name) for name in (*contents.FACTS, "created_at")}
    facts["plugins"] = sorted(row.plugins or ())
    facts["settings"] = {
        key: value for key, value in sorted((row.settings or {}).items()) if key not in contents.HERE_ONLY
    }
    return json.loads(json.dumps(facts, default=_plain))  # type: ignore[no-any-return]


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
