"""All that is known of one person as a ZIP file: JSON for programs, CSV for people, the files themselves."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from kehu.core.i18n import _
from kehu.imports.csv_out import csv_blocks

HIDDEN = frozenset({"tenant_id", "version", "once", "data"})
"""Columns that say nothing of a person; `data` of a message stands in its text."""

Tables = Mapping[str, Sequence[Mapping[str, Any]]]


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without what only the machine needs, and without what is empty."""
    return {
        key: value
        for key, value in row.items()
        if key not in HIDDEN and not key.endswith("_norm") and value not in (None, "", [], {})
    }


def pack(
    tables: Tables, about: Mapping[str, Any], files: Iterable[tuple[str, Path]], into: IO[bytes]
) -> None:
    """Write the ZIP file.

    :param about: who, when and by which firm.
    :param files: name in the ZIP and where the bytes lie; those that are gone are left out.
    """
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "data.json", json.dumps({"about": about, "tables": tables}, ensure_ascii=False, indent=1)
        )
        for name, rows in tables.items():
            columns = list(dict.fromkeys(key for row in rows for key in row))
            lines = ([_cell(row.get(key)) for key in columns] for row in rows)
            archive.writestr(f"tables/{name}.csv", b"".join(csv_blocks(columns, lines)))
        archive.writestr("README.txt", _readme(about, tables))
        for name, path in files:
            if path.is_file():
                archive.write(path, f"files/{name}")


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _readme(about: Mapping[str, Any], tables: Tables) -> bytes:
    text = io.StringIO()
    text.write(f"{about['firm']}, {about['on']}\r\n\r\n")
    text.write(_("All that this firm keeps of %(name)s.", name=about["name"]) + "\r\n")
    text.write(
        _("data.json holds everything; tables/ the same for a spreadsheet; files/ what was attached.")
        + "\r\n\r\n"
    )
    for name, rows in tables.items():
        text.write(f"{name}: {len(rows)}\r\n")
    return text.getvalue().encode()
