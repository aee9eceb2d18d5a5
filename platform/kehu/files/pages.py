"""What pages of other features show of files."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flask import current_app

from kehu.config import Settings
from kehu.core import context, db
from kehu.files.services import FileService
from kehu.files.store import FileStore

MOST_MB = 50


def file_service() -> FileService:
    """Return the service with the store of this installation."""
    settings: Settings = current_app.extensions["kehu.settings"]
    most = min(MOST_MB, settings.upload_mb) * 1024 * 1024
    return FileService(db.session(), store=FileStore(settings.var / "files", most))


def files_of(object_name: str, record_id: uuid.UUID) -> Sequence[Any] | None:
    """Return the newest files at a record as its card draws them; None for who may not see files."""
    if not context.actor().may("files:read"):
        return None
    return file_service().listed(object_name, record_id)
