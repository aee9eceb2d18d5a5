"""Begins the next migration of a plugin: the file, named and linked behind the newest."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from kehu.addons.audits import schema_of
from kehu.addons.migrations import folder_of, head_of
from plugins.records import PluginRecord

_TEMPLATE = '''"""{title}."""

from __future__ import annotations

from kehu.api import begin_migration

revision = "{revision}"
down_revision = {before}
branch_labels = None
depends_on = None

SCHEMA = "{schema}"


def upgrade() -> None:
    """{title}."""
    begin_migration()


def downgrade() -> None:
    """Take it back."""
    begin_migration()
'''


def begin(record: PluginRecord, title: str, today: dt.date) -> Path:
    """Write the file of a plugin's next migration and return its path.

    :param title: what it does, in a few words.
    :raises LookupError: when the plugin keeps no migrations.
    """
    folder = folder_of(record)
    if folder is None:
        raise LookupError(
            f"{record.slug} has no folder `migrations` beside its plugin.toml. Make one to begin with tables."
        )
    day, before = today.strftime("%Y%m%d"), head_of(folder)
    taken = {file.stem[:11] for file in folder.glob(f"{day}_*.py")}
    number = next(number for number in range(1, 100) if f"{day}_{number:02}" not in taken)
    revision = f"{day}_{number:02}"
    words = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:40] or "change"
    sentence = title.strip().rstrip(".").replace("\\", "").replace('"', "'") or "Change the tables"
    file = folder / f"{revision}_{words}.py"
    link = f'"{before}"' if before else "None"
    file.write_text(
        _TEMPLATE.format(title=sentence, revision=revision, before=link, schema=schema_of(record.slug)),
        encoding="utf-8",
    )
    return file
