from __future__ import annotations

import socket
from pathlib import Path

import pytest

from kehu.config import load_settings
from kehu.dev import settings
from kehu.dev.roles import DatabaseUrls
from kehu.dev.stamps import Stamps, hash_files

URLS = DatabaseUrls("postgresql://o@/k", "postgresql://a@/k", "postgresql://c@/k")


def test_a_port_in_use_is_named_with_a_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(settings.PortError, match=rf"Port {port} is in use.*KEHU_PORT=\d+"):
            settings.web_port({"KEHU_PORT": str(port)})


@pytest.mark.parametrize("text", ["eighty", "0", "70000", "-1", "8000x"])
def test_a_port_that_is_none_is_refused(text: str):
    with pytest.raises(settings.PortError, match="KEHU_PORT"):
        settings.web_port({"KEHU_PORT": text})


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path):
    key = settings.secret_key(tmp_path)
    assert len(key) >= 32
    assert settings.secret_key(tmp_path) == key
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


def test_a_secret_cut_short_is_made_anew(tmp_path: Path):
    (tmp_path / "secret").write_text("abc")
    assert len(settings.secret_key(tmp_path)) >= 32


def test_the_environment_makes_valid_settings(tmp_path: Path):
    made = load_settings(settings.child_environment(URLS, tmp_path, 8000, 2525, {}))
    assert made.development
    assert not made.https
    assert made.database_url == URLS.owner
    assert made.app_database_url == URLS.app
    assert made.mail_url == "smtp://127.0.0.1:2525"


def test_what_people_set_themselves_stays(tmp_path: Path):
    given = {
        "KEHU_MAIL_URL": "smtp://mail.example",
        "KEHU_LOG_LEVEL": "DEBUG",
        "KEHU_DATABASE_URL": "postgresql://x",
    }
    made = settings.child_environment(URLS, tmp_path, 8000, 2525, given)
    assert made["KEHU_MAIL_URL"] == "smtp://mail.example"
    assert made["KEHU_LOG_LEVEL"] == "DEBUG"
    assert made["KEHU_DATABASE_URL"] == URLS.owner


def test_a_step_is_fresh_until_its_inputs_change(tmp_path: Path):
    Stamps(tmp_path / "run.json").record("step", "1")
    again = Stamps(tmp_path / "run.json")
    assert again.fresh("step", "1")
    assert not again.fresh("step", "2")
    assert not again.fresh("other", "1")


def test_stamps_cut_short_make_all_steps_due(tmp_path: Path):
    (tmp_path / "run.json").write_text('{"step": ')
    assert not Stamps(tmp_path / "run.json").fresh("step", "1")


def test_a_hash_changes_with_content_and_names(tmp_path: Path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("x")
    second.write_text("x")
    assert (
        len(
            {hash_files([first]), hash_files([second]), hash_files([first, second]), hash_files([first], "p")}
        )
        == 4
    )


def test_plugins_installed_beside_the_sources_are_migrated_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before = settings.plugin_migrations()
    made = tmp_path / "kehu_sawmill" / "migrations" / "20261129_01_lists.py"
    made.parent.mkdir(parents=True)
    (made.parent.parent / "__init__.py").write_text("raise RuntimeError('it was imported')")
    made.write_text("")
    info = tmp_path / "kehu_sawmill-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kehu-sawmill\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[kehu.plugins]\nsawmill = kehu_sawmill.hooks:plugin\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert set(settings.plugin_migrations()) - set(before) == {made}
