from __future__ import annotations

import subprocess
from collections import namedtuple
from pathlib import Path

import pytest

from kehu.dev import bootstrap, chromium, messages

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the set-up at a folder of its own."""
    venv = tmp_path / ".venv"
    (tmp_path / "requirements").mkdir()
    for name in ("build", "runtime", "dev"):
        (tmp_path / "requirements" / f"{name}.txt").write_text(f"# {name}\n")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", venv)
    monkeypatch.setattr(bootstrap, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(bootstrap, "STAMPS", venv / "kehu-setup.json")
    monkeypatch.setattr(bootstrap, "REQUIREMENTS", tmp_path / "requirements")
    return tmp_path


@pytest.fixture
def pip_calls(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[tuple[str, ...]]:
    """Record what would be installed."""
    calls: list[tuple[str, ...]] = []

    def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
        calls.append(arguments)
        return subprocess.CompletedProcess(arguments, 0, "", "")

    (folder / ".venv").mkdir()
    monkeypatch.setattr(bootstrap, "pip", pip)
    return calls


def test_an_old_python_is_refused_with_a_way_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    with pytest.raises(bootstrap.SetupError, match=r"Python 3\.9\.2.*make run PYTHON=python3\.11"):
        bootstrap.check_python()


def test_a_full_disk_is_noticed_before_anything_is_written(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda _path: Usage(10**10, 0, 300_000_000))
    with pytest.raises(bootstrap.SetupError, match="300 MB left, 1500 MB are needed"):
        bootstrap.check_space()
    bootstrap.VENV.mkdir()
    bootstrap.write_stamp("packages-runtime", "x")
    bootstrap.check_space()


def test_an_environment_whose_python_is_gone_does_not_count(folder: Path):
    assert not bootstrap.venv_works()
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to(folder / "gone")
    assert not bootstrap.venv_works()


def test_packages_are_installed_once_for_each_state_of_the_requirements(
    pip_calls: list[tuple[str, ...]], folder: Path
):
    assert bootstrap.install_packages("runtime")
    assert not bootstrap.install_packages("runtime")
    assert all("--require-hashes" in call for call in pip_calls)
    assert len(pip_calls) == 2
    (folder / "requirements" / "runtime.txt").write_text("# newer\n")
    assert bootstrap.install_packages("runtime")


def test_what_tests_need_includes_what_running_needs(pip_calls: list[tuple[str, ...]]):
    assert bootstrap.install_packages("dev")
    assert not bootstrap.install_packages("runtime")


def test_an_install_that_fails_is_not_recorded(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / ".venv").mkdir()
    monkeypatch.setattr(
        bootstrap,
        "pip",
        lambda *_arguments: subprocess.CompletedProcess((), 1, "", "no route to the registry"),
    )
    with pytest.raises(bootstrap.SetupError, match="no route to the registry"):
        bootstrap.install_packages("runtime")
    assert bootstrap.read_stamps() == {}


def test_a_record_cut_short_makes_every_step_due(folder: Path):
    (folder / ".venv").mkdir()
    bootstrap.STAMPS.write_text('{"packages-dev": "12')
    assert bootstrap.read_stamps() == {}


def test_a_missing_browser_is_named_with_a_way_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("KEHU_CHROMIUM", "no-such-browser")
    monkeypatch.setattr(chromium.os, "geteuid", lambda: 1000)
    assert chromium.main() == 1
    assert "apt-get install chromium" in capsys.readouterr().err


class TestMessages:
    def test_a_translation_outlives_an_update_and_a_text_that_went_is_dropped(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ):
        source = folder / "platform" / "kehu" / "words.py"
        source.parent.mkdir(parents=True)
        source.write_text('_("Call")\n_l("Old")\n_n("%(num)s deal", "%(num)s deals", 2)\n')
        locale = source.parent / "locale"
        monkeypatch.setattr(messages, "ROOT", folder)
        monkeypatch.setattr(messages, "LOCALE", locale)
        messages.update()
        catalogue = locale / "ru" / "LC_MESSAGES" / "messages.po"
        catalogue.write_text(
            catalogue.read_text().replace('msgid "Call"\nmsgstr ""', 'msgid "Call"\nmsgstr "Звонок"')
        )
        source.write_text(source.read_text().replace('_l("Old")\n', ""))
        messages.update()
        text = catalogue.read_text()
        assert "Звонок" in text
        assert "Old" not in text
        assert text.count("msgstr[") == 3
        assert messages.compile_all() == len(messages.LANGUAGES)
        assert catalogue.with_suffix(".mo").exists()
