"""A plugin from nothing: the scaffold passes every check untouched, and the contract finds what a bad one does."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kehu.authoring.checking import check
from kehu.authoring.lend import lend
from plugins.scaffold import write_scaffold

TODAY = dt.date(2026, 11, 28)
PYTEST = (sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "-n0")


def made(folder: Path, slug: str, *, record: bool = False) -> Path:
    """Write a scaffold as `kehu plugin new` does."""
    write_scaffold(slug, folder, record=record, today=TODAY)
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", "--no-cache", "."], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def type_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy found out about Kehu: true for each plugin, and most of its work."""
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.slow
@pytest.mark.parametrize("record", [False, True])
def test_what_new_writes_passes_every_check_untouched(
    tmp_path: Path, type_cache: Path, monkeypatch: pytest.MonkeyPatch, record: bool
) -> None:
    monkeypatch.setenv("MYPY_CACHE_DIR", str(type_cache))
    steps = list(check(made(tmp_path / "kehu-sea-side", "sea_side", record=record)))
    titles = [
        "manifest",
        "imports",
        "templates",
        "contract",
        "declarations",
        "format",
        "style",
        "types",
        "tests",
    ]
    assert [(step.title, step.problems) for step in steps] == [(title, ()) for title in titles]


@pytest.mark.slow
def test_what_new_writes_goes_on_off_and_away(tmp_path: Path) -> None:
    environment = lend([made(tmp_path / "kehu-lamp", "lamp")], tmp_path / "shelf")
    command = [sys.executable, "-m", "kehu.authoring.cycle", "lamp"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert said == ["enabled", "disabled", "purged", "enabled again"]


DANCE = 'Permission(code="bad.visit:dance", description=_l("Visits"))'
TWENTY = "    for _n in range(20):\n        rows = VisitService(session()).coming()"
#: File, what stands there, what a careless author makes of it.
FAULTS = (
    ("services.py", "from kehu.api import (\n", "from kehu.core import context as _context\nfrom kehu.api import (\n"),
    ("templates/bad/panel.html", '<div class="k-row">', '<div class="k-row" style="color: red">'),
    ("hooks.py", '_l("See visits")', '_l("Look at the visits")'),
    ("hooks.py", "    return [\n        Permission(", f"    return [\n        {DANCE},\n        Permission("),
    (
        "migrations/20261128_01_visits.py",
        'sa.Column("reason", sa.Text(), nullable=False)',
        'sa.Column("reason", sa.Text(), nullable=True)',
    ),
    ("migrations/20261128_01_visits.py", 'op.drop_table("visits", schema=SCHEMA)', "pass"),
    ("web.py", '    rows = VisitService(session()).coming(request.args.get("after"))\n', f"{TWENTY}\n"),
    ("jobs.py", 'visit.state = "missed"', "visit.state = None"),
)  # fmt: skip
HOOKS = '''

@hookimpl
def kehu_tenant_enabled(ctx: Call, first_time: bool) -> None:
    """Greet each time anew."""
    made = service_for("customers", ctx.session).create({"name": "Greeting"})
    ctx.session.flush()
    web.VisitService(ctx.session).plan(made.id, {"day": "2020-01-01", "reason": "Greeting"})


@hookimpl
def kehu_tenant_disabled(ctx: Call) -> None:
    """Tidy up what should stay."""
    ctx.session.execute(delete(Visit).where(Visit.tenant_id == ctx.tenant.id))
'''
FOUND = {
    "test_it_imports_only_the_public_surface",
    "test_templates_hold_nothing_inline",
    "test_texts_are_translated",
    "test_what_it_names_exists",
    "test_tables_keep_tenants_apart",
    "test_migrations_go_up_down_and_up",
    "test_pages_open_with_and_without_data",
    "test_jobs_run_for_each_tenant_that_has_it",
    "test_switching_on_again_adds_nothing",
    "test_switching_off_keeps_the_data",
    "test_off_the_pages_of_the_platform_are_as_before",
}


def spoil(package: Path) -> None:
    """Make the mistakes above in a fresh scaffold."""
    for name, right, wrong in FAULTS:
        file = package / name
        text = file.read_text()
        assert right in text, (name, right)
        file.write_text(text.replace(right, wrong, 1))
    hooks = package / "hooks.py"
    head = "from kehu.api import Call, service_for\nfrom sqlalchemy import delete\nfrom kehu_bad.models import Visit\n"
    hooks.write_text(
        hooks.read_text().replace("from kehu.api import (", f"{head}from kehu.api import (", 1) + HOOKS
    )
    init = package / "__init__.py"
    init.write_text(
        init.read_text() + "\nfrom kehu_bad.hooks import kehu_tenant_disabled, kehu_tenant_enabled\n"
    )


@pytest.mark.slow
def test_the_contract_finds_what_a_bad_plugin_does(tmp_path: Path) -> None:
    folder = made(tmp_path / "kehu-bad", "bad")
    spoil(folder / "kehu_bad")
    environment = lend([folder], tmp_path / "shelf")
    command = [*PYTEST, "--tb=no", "-rf", "tests/test_contract.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    failed = set(re.findall(r"^FAILED .*::(\w+)", done.stdout, re.MULTILINE))
    assert failed == FOUND, done.stdout[-3000:] + done.stderr[-2000:]
