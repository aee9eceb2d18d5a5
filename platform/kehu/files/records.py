"""Files as a record type: trash, restore and undo work as for any other."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import _l
from kehu.core.records.fields import Field
from kehu.core.records.types import RecordType, register
from kehu.files.models import File


def _service(session: Session) -> Any:
    from kehu.files.services import FileService

    return FileService(session)


FILES = register(
    RecordType(
        name="files",
        singular="file",
        label=_l("file"),
        plural=_l("Files"),
        icon="paperclip",
        model=File,
        service=_service,
        owner="created_by",
        default_sort="id",
        customer="customer_id",
        searchable=False,
        importable=False,
        fields=(
            Field(key="name", label=_l("Name"), required=True, column=True),
            Field(key="media_type", label=_l("Kind"), readonly=True, column=True),
            Field(key="size", label=_l("Size"), kind="number", readonly=True, column=True),
            Field(key="object", label=_l("Record type"), readonly=True, filterable=True),
            Field(key="created_at", label=_l("Created"), kind="datetime", readonly=True, column=True),
        ),
    )
)
