"""The top level, the two source roots, and what a wheel contains (ARCHITECTURE.md, "The folders")."""

from __future__ import annotations

import ast
import configparser
import importlib.metadata
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"platform", "tenants", "plugins", "plugins_builtin", "billing", "migrations", "tests"}
BESIDE = {"docs", "bench", "requirements", "changelog"}
OWN_PACKAGES = {"kehu", "tenants", "plugins", "plugins_builtin", "billing", "migrations", "wsgi"}
LONGEST_FILE = 500
# Inputs of the browser files, of which the wheel holds the result.
FOR_BUILDING = tuple(f"platform/kehu/web/{name}" for name in ("static/src/", "assets.lock.json", "icons.txt"))
# What a declared package brings along for use by its own users.
PARTS = {
    **{name: {"flask"} for name in ("markupsafe", "jinja2", "werkzeug", "itsdangerous")},
    "wtforms": {"flask-wtf"},
    "webargs": {"flask-smorest"},
    "apispec": {"flask-smorest"},
    "limits": {"flask-limiter"},
    "flask_principal": {"flask-security"},
}


def run_python(*arguments: str, cwd: Path = ROOT) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def committed() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("The sources are no Git work tree.")
    return done.stdout.splitlines()


def product_files() -> list[Path]:
    return [
        ROOT / name
        for name in committed()
        if name.endswith(".py") and not name.startswith(("tests/", "bench/", "docs/"))
    ]


class TestPlatformFolder:
    def test_the_root_finds_the_platform_module_of_the_standard_library(self):
        found = run_python("-c", "import platform; print(platform.__file__, platform.system())")
        assert Path(found.split()[0]).parent == Path(sysconfig.get_path("stdlib"))

    def test_it_is_a_source_root_and_no_package(self):
        assert not (ROOT / "platform" / "__init__.py").exists()

    def test_it_holds_nothing_but_the_package(self):
        assert {name.split("/")[1] for name in committed() if name.startswith("platform/")} == {"kehu"}

    def test_the_package_lies_in_it(self):
        assert run_python("-c", "import kehu; print(kehu.__path__[0])") == str(ROOT / "platform" / "kehu")


class TestTopLevel:
    def test_the_designed_folders_exist(self):
        assert {name for name in FOLDERS if (ROOT / name).is_dir()} == FOLDERS

    def test_no_other_folder_is_committed(self):
        folders = {name.split("/")[0] for name in committed() if "/" in name}
        assert {name for name in folders if not name.startswith(".")} <= FOLDERS | BESIDE

    def test_nothing_that_is_made_is_committed(self):
        made = (".mo", ".pyc", ".min.js", ".woff2", ".whl")
        assert [
            name for name in committed() if name.endswith(made) or "node_modules/" in name or "/dist/" in name
        ] == []


class TestFiles:
    def test_no_source_file_outgrows_the_limit(self):
        long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in product_files()}
        assert {name: lines for name, lines in long.items() if lines > LONGEST_FILE} == {}

    def test_no_module_is_named_for_nothing(self):
        assert [
            str(path) for path in product_files() if path.stem in ("utils", "helpers", "misc", "common")
        ] == []


class TestDependencies:
    def test_each_import_is_declared(self):
        config = configparser.ConfigParser()
        config.read(ROOT / "setup.cfg")
        lines = config["options"]["install_requires"].split()
        declared = {
            line.split(">")[0].split("[")[0].split(";")[0].lower().replace("_", "-") for line in lines
        }
        by_module = importlib.metadata.packages_distributions()
        undeclared = {}
        for path in product_files():
            for module in sorted(top_imports(path) - OWN_PACKAGES - sys.stdlib_module_names):
                names = {name.lower().replace("_", "-") for name in by_module.get(module, [module])}
                if not (names | PARTS.get(module, set())) & declared and not is_for_tests(path):
                    undeclared.setdefault(module, []).append(str(path.relative_to(ROOT)))
        assert undeclared == {}

    def test_the_requirements_name_no_registry(self):
        for path in (ROOT / "requirements").glob("*.txt"):
            text = path.read_text()
            assert "://" not in text
            assert "--index" not in text
            assert "--find-links" not in text

    def test_each_requirement_has_a_hash(self):
        for path in (ROOT / "requirements").glob("*.txt"):
            text = path.read_text()
            pins = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
            assert pins
            assert all(line.endswith("\\") for line in pins)


def top_imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def is_for_tests(path: Path) -> bool:
    return "testkit" in path.parts or path.name == "setup.py"


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    work = tmp_path_factory.mktemp("wheel")
    # A copy: building writes beside the sources.
    for name in committed():
        source, target = ROOT / name, work / "source" / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    built = work / "source/platform/kehu/web/static/dist"
    built.mkdir(parents=True)
    (built / "manifest.json").write_text("{}")
    arguments = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run_python(*arguments, "--disable-pip-version-check", "--wheel-dir", str(work), ".", cwd=work / "source")
    (wheel,) = work.glob("kehu-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.slow
class TestWheel:
    def test_it_holds_every_module(self, wheel_names: set[str]):
        modules = {str(path.relative_to(ROOT)).removeprefix("platform/") for path in product_files()} - {
            "setup.py"
        }
        assert sorted(modules - wheel_names) == []

    def test_it_holds_what_lies_beside_the_modules(self, wheel_names: set[str]):
        packages = tuple(f"{name}/" for name in FOLDERS - {"tests"})
        beside = {name for name in committed() if name.startswith(packages) and not name.endswith(".py")}
        wanted = {name.removeprefix("platform/") for name in beside if not name.startswith(FOR_BUILDING)}
        assert any("/templates/" in name for name in wanted)
        assert sorted(wanted - wheel_names) == []

    def test_it_holds_the_built_browser_files(self, wheel_names: set[str]):
        assert "kehu/web/static/dist/manifest.json" in wheel_names

    def test_it_holds_no_tests(self, wheel_names: set[str]):
        assert [name for name in wheel_names if name.startswith(("tests/", "bench/", "docs/"))] == []

    def test_it_registers_the_floors_as_plugins(self):
        groups = importlib.metadata.entry_points(group="kehu.plugins")
        assert {"tenants", "billing", "automotive"} <= {point.name for point in groups}
