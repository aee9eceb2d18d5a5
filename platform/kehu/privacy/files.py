"""Where the files of this installation lie, for work on people's data."""

from __future__ import annotations

from flask import current_app

from kehu.files.store import FileStore


def store() -> FileStore:
    """Return the store of files."""
    return FileStore(current_app.extensions["kehu.settings"].var / "files", 0)
