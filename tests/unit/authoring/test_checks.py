"""Checks of a plugin's files, each with what it finds and what it lets pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from kehu.authoring import sources
from kehu.authoring.checking import check
from kehu.authoring.lend import NoPluginError, lend, project_of
from kehu.web.language import read_catalogue

PROJECT = (
    '[project]\nname = "kehu-sea"\nversion = "1.0"\n[project.entry-points."kehu.plugins"]\nsea = "kehu_sea"\n'
)
MANIFEST = 'slug = "{slug}"\nname = "Sea"\nversion = "1.1"\nsummary = "x"\napi = "0.1"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plugin of three files."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    package = tmp_path / "kehu_sea"
    (package / "templates/sea").mkdir(parents=True)
    (package / "plugin.toml").write_text(MANIFEST.format(slug="sea"))
    (package / "__init__.py").write_text(
        "from kehu.api import _\nimport kehu_sea.web\n\nprint(_('Good day'))\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("import kehu.core.db", "kehu.core.db"),
        ("from kehu import core", "kehu.core"),
        ("from plugins.rules import hookimpl", "plugins.rules"),
        ("import threading", "job"),
        ("def late():\n    from tenants import models", "tenants.models"),
        ("import plugins_builtin.automotive", "automotive"),
    ],
)
def test_imports_past_the_surface_are_found(folder: Path, line: str, word: str) -> None:
    (folder / "kehu_sea/web.py").write_text(line)
    (found,) = sources.import_problems(folder / "kehu_sea", "kehu_sea")
    assert found.startswith("web.py:")
    assert word in found


def test_the_surface_and_other_libraries_pass(folder: Path) -> None:
    text = "import json\nfrom kehu.api import _\nfrom kehu import api\nfrom kehu.testkit.contract import PluginContract"
    (folder / "kehu_sea/web.py").write_text(text)
    assert not sources.import_problems(folder / "kehu_sea", "kehu_sea")


@pytest.mark.parametrize(
    "bad", ["<script>a()</script>", '<p style="x">', '<a onclick="x">', "{{ name|safe }}"]
)
def test_templates_with_something_inline_are_found(folder: Path, bad: str) -> None:
    (folder / "kehu_sea/templates/sea/a.html").write_text(f"<p>fine</p>\n{bad}\n")
    assert len(sources.template_problems(folder / "kehu_sea")) == 1


def test_a_text_without_translation_is_found(folder: Path) -> None:
    package, file = folder / "kehu_sea", folder / "sea.po"
    assert "is missing" in sources.untranslated(package, file, "ru")[0]
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Good day"\n'
    file.write_text(f'{head}msgstr ""\n')
    assert sources.untranslated(package, file, "ru") == ["Good day"]
    file.write_text(f'{head}msgstr "Добрый день"\n')
    assert sources.untranslated(package, file, "ru") == []


def test_a_catalogue_is_read_as_people_write_it(tmp_path: Path) -> None:
    file = tmp_path / "ru/LC_MESSAGES/sea.po"
    file.parent.mkdir(parents=True)
    file.write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Sea"\nmsgstr "Море"\n'
    )
    assert read_catalogue(file).gettext("Sea") == "Море"


def test_the_files_alone_tell_what_does_not_fit_together(folder: Path) -> None:
    steps = {step.title: step.problems for step in check(folder, tools=False)}
    assert "Make them equal" in steps["manifest"][0]
    assert "PluginContract" in steps["contract"][0]
    (folder / "kehu_sea/plugin.toml").write_text(MANIFEST.format(slug="other"))
    assert "slug:" in {step.title: step.problems for step in check(folder, tools=False)}["manifest"][0]
    (folder / "kehu_sea/plugin.toml").write_text("slug = 3")
    assert {step.title: step.problems for step in check(folder, tools=False)}["manifest"]


@pytest.mark.parametrize("text", [None, "[project", '[project]\nname = "x"\nversion = "1"\n'])
def test_a_folder_without_a_plugin_says_what_was_looked_for(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(NoPluginError, match=r"pyproject\.toml"):
        project_of(tmp_path)


def test_a_lent_plugin_is_found_by_its_entry_point(folder: Path, tmp_path: Path) -> None:
    environment = lend([folder], tmp_path / "shelf")
    assert environment["PYTHONPATH"].startswith(str(tmp_path / "shelf"))
    written = (tmp_path / "shelf/kehu_sea-1.0.dist-info/entry_points.txt").read_text()
    assert written == "[kehu.plugins]\nsea = kehu_sea\n"
