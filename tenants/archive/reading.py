"""Reading an archive into an installation that does not have the firm: all of it, or nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from kehu.accounts.models import User
from kehu.addons.settings import conceal
from kehu.core import clock, context, db
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.core.records.types import registered
from kehu.core.text import normal_email
from kehu.files.store import FileStore
from kehu.webhooks.models import Webhook
from kehu.webhooks.signing import make_secret
from tenants import addresses
from tenants.archive import contents
from tenants.archive.contents import HERE_ONLY, ArchivedTable
from tenants.models import Tenant
from tenants.provision import TRIAL

AT_ONCE = 500
LARGEST_MANIFEST = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A firm that was read in."""

    tenant: context.TenantInfo
    rows: int
    files: int
    people_known: int


class Reader:
    """Reads one archive.

    :param session: a session of the runtime role, without a tenant; the caller commits, or nothing stays.
    :param archive: the ZIP file.
    """

    def __init__(self, session: Session, archive: zipfile.ZipFile, store: FileStore) -> None:
        self.session, self.archive, self.store = session, archive, store
        self.about = self._manifest()
        self.users: dict[str, str] = {}
        self.known = 0

    def take(self, *, address: str = "", state: str = "suspended") -> Taken:
        """Read everything in.

        :param address: another address than the firm had.
        :param state: "suspended" until somebody has looked at it: a copy must not write to the same customers.
        :raises InvalidInput: when the archive is damaged, or of another revision.
        :raises Conflict: when the firm or its address is here already.
        """
        tables = contents.tables(self.session)
        self._check(tables)
        info = self._tenant(address, state)
        db.bind_tenant(info)
        self.session.execute(text("SET LOCAL statement_timeout TO 0"))
        self.session.execute(text("SET LOCAL timezone TO 'UTC'"))
        self._people()
        self.session.execute(text("CREATE TEMP TABLE archive_lines (line json) ON COMMIT DROP"))
        rows = sum(self._table(table) for table in tables if table.title in self.about["tables"])
        self._secrets()
        self.session.flush()
        with context.use(tenant=info, actor=context.SYSTEM):
            for name in registered():
                service_for(name, self.session).reindex()
        return Taken(tenant=info, rows=rows, files=self._files(info.id), people_known=self.known)

    def _manifest(self) -> dict[str, Any]:
        try:
            size = self.archive.getinfo("manifest.json").file_size
            about = json.loads(self.archive.read("manifest.json")) if size < LARGEST_MANIFEST else {}
        except (KeyError, ValueError) as error:
            raise InvalidInput(_("This is no archive of Kehu: it has no manifest.json.")) from error
        if not isinstance(about, dict) or about.get("format") != contents.FORMAT:
            raise InvalidInput(_("This archive has a format that this version does not read."))
        return about

    def _check(self, tables: Iterable[ArchivedTable]) -> None:
        have, wanted = contents.revision(self.session), str(self.about["revision"])
        if have != wanted:
            raise InvalidInput(
                _(
                    "The archive was made at revision %(wanted)s, this installation is at %(have)s. Bring both to "
                    "the same version, then make or read the archive again.",
                    wanted=wanted,
                    have=have,
                )
            )
        plugins: Mapping[str, str | None] = self.about["plugins"]
        here = contents.plugin_revisions(self.session, [f"p_{slug}" for slug in plugins])
        for slug, revision in plugins.items():
            if here.get(slug) != revision:
                raise InvalidInput(
                    _(
                        "The archive needs the plugin %(slug)s with its tables at %(wanted)s, here they are at "
                        "%(have)s. Install that version and run: kehu plugin migrate %(slug)s",
                        slug=slug,
                        wanted=revision or "-",
                        have=here.get(slug) or "-",
                    )
                )
        unknown = set(self.about["tables"]) - {table.title for table in tables} - {"users"}
        if unknown:
            raise InvalidInput(
                _("The archive has tables that are not here: %(names)s.", names=", ".join(sorted(unknown)))
            )

    def _tenant(self, address: str, state: str) -> context.TenantInfo:
        facts = self.about["tenant"]
        wanted = addresses.check(address or facts["address"])
        if self.session.get(Tenant, uuid.UUID(facts["id"])) is not None:
            raise Conflict(
                _("This firm is here already; an archive is read into an installation without it.")
            )
        addresses.hold(self.session, wanted)
        if not addresses.is_free(self.session, wanted):
            raise Conflict(
                _("The address %(address)s is taken here; give another by --address.", address=wanted)
            )
        plain = {name: facts[name] for name in contents.FACTS if name not in ("id", "address")}
        row = Tenant(
            **plain,
            id=uuid.UUID(facts["id"]),
            address=wanted,
            settings={key: value for key, value in facts["settings"].items() if key not in HERE_ONLY},
            state=state,
            trial_ends_at=clock.now() + TRIAL,
            created_at=facts["created_at"],
        )
        self.session.add(row)
        self.session.flush()
        return row.info()

    def _people(self) -> None:
        """Make the people that are not here; who is here already stays as he is."""
        for line in self._lines("users"):
            facts = json.loads(line)
            if facts["email_norm"] != normal_email(facts["email"]):
                # Whoever reads the one's mail would sign in as the other.
                raise InvalidInput(
                    _("The archive is damaged: data/users.ndjson has two addresses of one person.")
                )
            here = self.session.execute(
                select(User.id).where(User.email_norm == facts["email_norm"])
            ).scalar_one_or_none()
            self.known += here is not None
            if here is None:
                here = new_id() if self.session.get(User, uuid.UUID(facts["id"])) else uuid.UUID(facts["id"])
                # Without a password: «forgot password» sets one, to the address that was confirmed.
                plain = {key: facts[key] for key in contents.USER_FACTS if key != "id"}
                self.session.add(User(**plain, id=here, active=True, fs_uniquifier=new_id().hex, prefs={}))
                self.session.flush()
            self.users[facts["id"]] = str(here)

    def _table(self, table: ArchivedTable) -> int:
        """Put the rows of a table in by one statement, so that they may point at each other."""
        self.session.execute(text("TRUNCATE archive_lines"))
        lines, count = self._lines(table.title), 0
        while batch := list(islice(lines, AT_ONCE)):
            count += len(batch)
            if table.users:
                batch = [self._with_people(line, table.users) for line in batch]
            self.session.execute(
                text("INSERT INTO archive_lines SELECT json_array_elements(CAST(:rows AS json))"),
                {"rows": f"[{','.join(batch)}]"},
            )
        names = ", ".join(f'"{name}"' for name in table.columns)
        if table.name in contents.NEW_SECRETS and table.schema == "public":
            secret, *_rest = contents.NEW_SECRETS[table.name]
            chosen, names = f"{names}, ''", f'{names}, "{secret}"'
        else:
            chosen = names
        # Only names of the catalogue are put into the text; row security refuses rows of another tenant.
        self.session.execute(
            text(
                f"INSERT INTO {table.sql} ({names}) SELECT {chosen} FROM archive_lines, "  # noqa: S608
                f"LATERAL json_populate_record(CAST(NULL AS {table.sql}), line)"
            )
        )
        return count

    def _with_people(self, line: str, columns: Iterable[str]) -> str:
        row = json.loads(line)
        for name in columns:
            if row[name] is not None:
                row[name] = self.users[row[name]]
        return json.dumps(row, ensure_ascii=False)

    def _lines(self, title: str) -> Iterator[str]:
        """Give the lines of a table; a file that is not as the manifest says is refused at its end."""
        said, digest = self.about["tables"].get(title), hashlib.sha256()
        if said is None:
            return
        with self.archive.open(f"data/{title}.ndjson") as source:
            for line in source:
                digest.update(line)
                yield line.decode().rstrip("\n")
        if digest.hexdigest() != said["sha256"]:
            raise InvalidInput(
                _("The archive is damaged: data/%(name)s.ndjson is not as it was written.", name=title)
            )

    def _secrets(self) -> None:
        # Past the unit of work: a new secret is no change of the record.
        table = Webhook.__table__
        here = table.c.tenant_id == context.tenant().id
        for found in self.session.execute(select(table.c.id).where(here)).scalars().all():
            fresh = update(table).where(here, table.c.id == found).values(secret=conceal(make_secret()))  # type: ignore[arg-type]
            self.session.execute(fresh)

    def _files(self, tenant_id: uuid.UUID) -> int:
        names = [name for name in self.archive.namelist() if name.startswith("files/")]
        folder = self.store.root / str(tenant_id)
        try:
            for name in names:
                with self.archive.open(name) as source:
                    stored = self.store.take(tenant_id, source)
                if f"files/{stored.sha256}" != name:
                    raise InvalidInput(
                        _("The archive is damaged: %(name)s is not as it was written.", name=name)
                    )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return len(names)


def read(
    session: Session, source: IO[bytes], store: FileStore, *, address: str = "", state: str = "suspended"
) -> Taken:
    """Read an archive in; see `Reader.take`."""
    try:
        with zipfile.ZipFile(source) as archive:
            return Reader(session, archive, store).take(address=address, state=state)
    except zipfile.BadZipFile as error:
        raise InvalidInput(_("The archive is damaged: it is no complete ZIP file.")) from error
