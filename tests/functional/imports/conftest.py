"""A person who imports files, without a browser and without a worker: jobs run where they are asked for."""

import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from kehu.core import context
from kehu.core.records.types import get
from kehu.imports import tasks
from kehu.imports.mapping import Plan
from kehu.imports.models import Import, RefusedRow
from kehu.imports.services import ImportService, columns_of
from kehu.imports.tasks import upload_root
from kehu.testkit.fixtures import Shop


@dataclass
class Importer:
    """Imports files as a member of a firm."""

    shop: Shop
    actor: context.Actor | None = None

    def job(self, task: Any, import_id: uuid.UUID) -> None:
        """Run a job as the worker does."""
        who = self.actor or self.shop.owner
        task(tenant_id=str(self.shop.tenant.id), member_id=str(who.member_id), import_id=str(import_id))

    def take(self, object_name: str, content: bytes | str | Path, name: str = "file.csv") -> uuid.UUID:
        """Upload a file."""
        raw = (
            content.read_bytes()
            if isinstance(content, Path)
            else content.encode()
            if isinstance(content, str)
            else content
        )
        with self.shop.work(self.actor) as session:
            return (
                ImportService(session, upload_root())
                .take(object_name, name, io.BytesIO(raw), 110 * 1024**2)
                .id
            )

    def change(self, import_id: uuid.UUID, **changes: Any) -> Plan:
        """Change the plan of an import."""
        with self.shop.work(self.actor) as session:
            service = ImportService(session, upload_root())
            job = service.get(import_id, lock=True)
            plan = Plan.from_json(job.mapping, job.options)
            for name, value in changes.items():
                setattr(plan, name, value)
            service.plan(job, plan)
            return plan

    def check(self, import_id: uuid.UUID) -> Import:
        """Check an import."""
        with self.shop.work(self.actor) as session:
            service = ImportService(session, upload_root())
            service.check(service.get(import_id, lock=True))
        self.job(tasks.check, import_id)
        return self.read(import_id)

    def run(self, import_id: uuid.UUID) -> Import:
        """Check and run an import."""
        checked = self.check(import_id)
        assert checked.state == "checked", checked.message
        with self.shop.work(self.actor) as session:
            service = ImportService(session, upload_root())
            service.start(service.get(import_id, lock=True))
        self.job(tasks.run, import_id)
        return self.read(import_id)

    def undo(self, import_id: uuid.UUID) -> Import:
        """Take an import back."""
        with self.shop.work(self.actor) as session:
            service = ImportService(session, upload_root())
            service.undo(service.get(import_id, lock=True))
        self.job(tasks.undo, import_id)
        return self.read(import_id)

    def read(self, import_id: uuid.UUID) -> Import:
        """Return an import as it stands."""
        with self.shop.work() as session:
            return session.execute(select(Import).where(Import.id == import_id)).scalar_one()

    def read_all(self) -> list[Import]:
        """Return all imports of the firm."""
        with self.shop.work() as session:
            return list(session.execute(select(Import)).scalars())

    def columns(self, import_id: uuid.UUID) -> dict[str, str]:
        """Return which column goes where, by its name."""
        job = self.read(import_id)
        names = [column.name for column in columns_of(job)]
        return {
            names[index]: use.target
            for index, use in Plan.from_json(job.mapping, job.options).columns.items()
        }

    def refused(self, import_id: uuid.UUID) -> list[RefusedRow]:
        """Return the rows that were refused."""
        with self.shop.work() as session:
            statement = select(RefusedRow).where(RefusedRow.import_id == import_id).order_by(RefusedRow.row)
            return list(session.execute(statement).scalars())

    def live(self, object_name: str) -> int:
        """Return how many live records of a type there are."""
        model: Any = get(object_name).model
        with self.shop.work() as session:
            return session.execute(
                select(func.count()).select_from(model).where(model.deleted_at.is_(None))
            ).scalar_one()


@pytest.fixture
def importer(shop: Shop) -> Iterator[Importer]:
    """The owner of a fresh firm, importing."""
    with shop.app.app_context():
        yield Importer(shop)


@pytest.fixture
def shared_data() -> Path:
    """Return the folder with real files, or skip where it is not."""
    folder = Path(__file__).parents[4] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder ../shared/data with real files is not on this machine")
    return folder
