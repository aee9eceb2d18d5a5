"""What can be told of a plugin by loading it, without a database: whether the product can use what it declares."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from jinja2 import TemplateSyntaxError

from kehu.addons.migrations import schema_of
from kehu.app import create_app
from kehu.config import Settings
from kehu.core import hooks
from kehu.core.tables import metadata
from plugins.finder import manifest_path
from plugins.records import State

_NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"
"""No statement runs while the application is made."""


def problems(slug: str, app: Flask) -> Iterator[str]:
    """Say what is wrong with a plugin that the application has loaded, each with the remedy."""
    record = hooks.host().installed.get(slug)
    if record is None:
        yield f"{slug} is not found. Is its entry point in pyproject.toml right?"
        return
    if record.state is not State.READY:
        yield record.reason
        return
    yield from record.warnings
    declared = hooks.host().declarations
    for kind in ("navigation", "panels", "actions"):
        for owner, one in getattr(declared, kind):
            if owner == slug and one.endpoint not in app.view_functions:
                own = sorted(name for name in app.view_functions if name.startswith(f"{slug}."))
                yield (
                    f"kehu_register_{kind}: there is no page {one.endpoint!r}. There are: {', '.join(own) or 'none'}."
                )
    yield from _tables(slug)
    yield from _templates(app, manifest_path(record.module).parent)


def _tables(slug: str) -> Iterator[str]:
    for table in metadata.tables.values():
        if table.schema == schema_of(slug) and "tenant_id" not in table.c:
            yield (
                f"The model of {table.name} has no tenant_id, so its rows would be open to every firm. "
                "Derive it from TenantRow or RecordRow, and create the table with tenant_table()."
            )


def _templates(app: Flask, folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("templates/**/*.html")):
        try:
            app.jinja_env.parse(file.read_text(encoding="utf-8"))
        except TemplateSyntaxError as error:
            yield f"{file.relative_to(folder)}:{error.lineno}: {error.message}"


def main(slugs: list[str]) -> int:
    """Print the problems of some plugins; the status is 1 if there are any."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as var:
        settings = Settings(
            environment="production",
            secret_key="declared" * 8,
            database_url=_NOWHERE,
            app_database_url=_NOWHERE,
            cross_database_url=_NOWHERE,
            var=Path(var),
            log_level="ERROR",
        )
        app = create_app(settings)
        found = [problem for slug in slugs for problem in problems(slug, app)]
    for problem in found:
        sys.stdout.write(f"{problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
