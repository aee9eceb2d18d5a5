"""The files of a new plugin, and what can't be the beginning of one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from plugins.manifest import read_manifest
from plugins.scaffold import ScaffoldError, write_scaffold

TODAY = dt.date(2026, 11, 28)


def test_every_word_is_filled_in_and_carries_the_slug(tmp_path: Path) -> None:
    files = write_scaffold("sea_side", tmp_path, name="Sea side", today=TODAY)
    names = {path.relative_to(tmp_path).as_posix() for path in files}
    assert {
        ".gitignore",
        "pyproject.toml",
        "kehu_sea_side/plugin.toml",
        "kehu_sea_side/migrations/20261128_01_visits.py",
        "kehu_sea_side/templates/sea_side/list.html",
        "kehu_sea_side/locale/zh_Hans/LC_MESSAGES/sea_side.po",
        "tests/test_contract.py",
    } <= names
    assert not [path for path in files if "@" in path.read_text().replace("@hookimpl", "").replace("@needs", "")
                .replace("@blueprint", "").replace("@pytest", "")]  # fmt: skip
    manifest = read_manifest(tmp_path / "kehu_sea_side/plugin.toml")
    assert (manifest.slug, manifest.name) == ("sea_side", "Sea side")


def test_with_a_record_type_it_has_no_pages_of_its_own(tmp_path: Path) -> None:
    files = write_scaffold("sea", tmp_path, record=True, today=TODAY)
    names = {path.relative_to(tmp_path / "kehu_sea").as_posix() for path in files if "kehu_sea" in path.parts}
    assert {"records.py", "templates/sea/panel.html", "migrations/20261128_01_visits.py"} <= names
    assert not {"permissions.py", "templates/sea/list.html", "templates/sea/new.html"} & names


@pytest.mark.parametrize("slug", ["ab", "Sea", "sea-side", "1sea", "s" * 32, "../sea"])
def test_a_slug_that_can_not_be_one_is_refused(slug: str, tmp_path: Path) -> None:
    with pytest.raises(ScaffoldError, match="small letters"):
        write_scaffold(slug, tmp_path / "new", today=TODAY)
    assert not (tmp_path / "new").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ScaffoldError, match="not empty"):
        write_scaffold("sea", tmp_path, today=TODAY)
    with pytest.raises(ScaffoldError, match="without quotes"):
        write_scaffold("sea", tmp_path / "new", name='Sea "side"', today=TODAY)
