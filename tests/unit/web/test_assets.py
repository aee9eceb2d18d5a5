"""The asset step: what it joins, hashes, checks and skips."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from kehu.web import assets


def test_slim_css_keeps_what_counts() -> None:
    sheet = "/* why */\na  {\n  color: red;\n  margin: 0 auto;\n}\n.b :is(i) { top: calc(1px + 2px); }"
    assert assets.slim_css(sheet) == "a{color: red;margin: 0 auto}.b :is(i){top: calc(1px + 2px)}"


def test_slim_js_drops_comments_between_lines_only() -> None:
    script = '// why\n  const url = "https://example.com";\n  /* and\n  so on */\nrun(); /* here */ stop();\n/* end */'
    assert assets.slim_js(script) == 'const url = "https://example.com";\nrun(); /* here */ stop();'


def test_sprite_draws_each_listed_icon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "icon_names", lambda: ["dot"])
    drawn = assets.sprite(json.dumps({"dot": [["circle", {"r": "2"}]]}).encode()).decode()
    assert '<symbol id="dot" viewBox="0 0 24 24"><circle r="2"/></symbol>' in drawn


def test_sprite_names_the_icon_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "icon_names", lambda: ["unicorn"])
    with pytest.raises(assets.AssetError, match="unicorn"):
        assets.sprite(b"{}")


def test_check_refuses_a_file_that_nobody_reviewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps({"a.js": assets.digest(b"good")}))
    monkeypatch.setattr(assets, "LOCK", lock)
    assets.check({"a.js": b"good"})
    with pytest.raises(assets.AssetError, match=r"a\.js is not the reviewed file"):
        assets.check({"a.js": b"bad"})


def test_font_faces_keep_our_subsets_under_our_names() -> None:
    sheet = "".join(
        f"/* inter-{name}-wght-normal */\n@font-face {{ src: url(./files/x.woff2) }}\n"
        for name in ("greek", *assets.FONT_SUBSETS)
    )
    faces = assets.font_faces(sheet)
    assert faces.count("@font-face") == len(assets.FONT_SUBSETS)
    assert "url(inter-latin.woff2)" in faces


def test_font_faces_say_which_one_is_missing() -> None:
    with pytest.raises(assets.AssetError, match="inter-latin-ext"):
        assets.font_faces("")


def test_write_hashes_rewrites_and_compresses(tmp_path: Path) -> None:
    manifest = assets.write(tmp_path, {"f.woff2": b"font", "app.css": b"a{src:url(f.woff2)}"})
    sheet = tmp_path / manifest["app.css"]
    assert sheet.read_text() == f"a{{src:url({manifest['f.woff2']})}}"
    assert gzip.decompress((tmp_path / f"{manifest['app.css']}.gz").read_bytes()) == sheet.read_bytes()
    assert not (tmp_path / f"{manifest['f.woff2']}.gz").exists()


def test_files_of_open_pages_stay_for_a_day(tmp_path: Path) -> None:
    old, fresh = tmp_path / "old", tmp_path / "new"
    for folder in (old, fresh):
        folder.mkdir()
    (old / "app.1.js").write_text("recent")
    (old / "app.0.js").write_text("long ago")
    os.utime(old / "app.0.js", (0, 0))
    (old / "manifest.json").write_text("{}")
    assets.keep_recent(old, fresh)
    assert [path.name for path in fresh.iterdir()] == ["app.1.js"]
    assets.keep_recent(tmp_path / "nowhere", fresh)


def test_nothing_is_done_twice() -> None:
    assets.build()
    assert assets.build() is False


def test_the_lock_names_no_address() -> None:
    text = (assets.ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert "http" not in text.replace("https://github.com/sponsors", "")


@pytest.mark.parametrize(("name", "most"), [("app.css", 20), ("app.js", 25), ("board.js", 20)])
def test_budgets(name: str, most: int) -> None:
    manifest = json.loads((assets.DIST / "manifest.json").read_text())
    assert (assets.DIST / f"{manifest[name]}.gz").stat().st_size <= most * 1024


def test_main_reports_a_failure_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(update_lock: bool = False) -> bool:
        raise assets.AssetError("npm is missing.")

    monkeypatch.setattr(assets, "build", fail)
    assert assets.main([]) == 1
    assert capsys.readouterr().err == "assets: npm is missing.\n"
