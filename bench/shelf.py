"""Plugins that exist for measuring: written to a folder, installed by putting it on the path."""

from __future__ import annotations

from pathlib import Path

SLEEPER = "bench_sleeper"
"""A plugin whose panel sleeps half a minute, on each customer's page."""

_HOOKS = """
import time
from kehu.api import (CustomField, Field, JobDef, NavItem, Panel, Permission, PluginBlueprint, RecordAction,
                      SettingsSchema, hookimpl, needs)

blueprint = PluginBlueprint("{slug}", __name__)
READ = "{slug}.thing:read"


@blueprint.get("/page")
@needs(READ)
def page():
    return "here"


@blueprint.get("/panel")
@needs(READ)
def panel():
    time.sleep({sleep})
    return "<p>here</p>"


@hookimpl
def kehu_register_routes():
    return [blueprint]


@hookimpl
def kehu_register_permissions():
    return [Permission(code=READ, description="See things", roles=("owner", "admin"))]


@hookimpl
def kehu_register_navigation():
    return [NavItem(label="{slug}", endpoint="{slug}.page", permission=READ)]


@hookimpl
def kehu_register_panels():
    return [Panel(slot="customer.side", endpoint="{slug}.panel", title="{slug}", permission=READ)]


@hookimpl
def kehu_register_actions():
    return [RecordAction(object="customers", label="{slug}", endpoint="{slug}.page", permission=READ)]


@hookimpl
def kehu_register_custom_fields():
    return [CustomField(object="customers", field=Field(key="note", label="{slug}"))]


@hookimpl
def kehu_register_settings():
    return [SettingsSchema(fields=(Field(key="days", label="Days", kind="number", default=3),))]


@hookimpl
def kehu_register_jobs():
    return [JobDef(name="nightly", run=lambda ctx: None, title="Nothing", at="03:00")]


@hookimpl
def kehu_after_change(ctx, event):
    pass
"""
_MANIFEST = 'slug = "{slug}"\nname = "{slug}"\nversion = "1.0"\nsummary = "For measuring"\napi = "0.1"\n'


def slugs(count: int) -> list[str]:
    """Return the names of the plugins."""
    return [f"bench_{number:02}" for number in range(count)]


def write(folder: Path, count: int) -> Path:
    """Write so many plugins and the one that sleeps; each adds a line, panel, button, field, job and observer."""
    for slug, sleep in [*((one, 0) for one in slugs(count)), (SLEEPER, 30)]:
        package = folder / f"{slug}_package"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(_HOOKS.format(slug=slug, sleep=sleep))
        (package / "plugin.toml").write_text(_MANIFEST.format(slug=slug))
        facts = folder / f"{slug}_dist-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {slug}-dist\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[kehu.plugins]\n{slug} = {slug}_package\n")
    return folder
