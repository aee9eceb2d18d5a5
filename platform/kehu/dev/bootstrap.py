"""Set up what `make run` and `make test` need: virtual environment, packages, texts, browser files.

Runs with the system's Python before anything is installed, so it uses the standard library alone. Each step is
skipped while its inputs have not changed, and recorded only when it went well: a run that broke off is made good
by the next one.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "kehu-setup.json"
REQUIREMENTS = ROOT / "requirements"
FIRST_RUN_MB = 1500
LATER_RUN_MB = 200
OLDEST_PYTHON = (3, 11)


class SetupError(Exception):
    """A step cannot go on; the message says what to do."""


def main() -> int:
    """Run the steps that are due."""
    parser = argparse.ArgumentParser(description="Set up Kehu in this folder.")
    parser.add_argument("--dev", action="store_true", help="also what tests and checks need")
    arguments = parser.parse_args()
    try:
        check_python()
        check_space()
        with only_one():
            for name, step in (
                ("environment", ensure_venv),
                ("packages", lambda: install_packages("dev" if arguments.dev else "runtime")),
                ("kehu", install_kehu),
                ("texts", compile_texts),
                ("browser files", build_assets),
            ):
                started = time.monotonic()
                if step():
                    print(f"set-up: {name} ready ({time.monotonic() - started:.1f} s)", flush=True)
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up: stopped; the next run goes on from here.", file=sys.stderr)
        return 130
    return 0


def check_python() -> None:
    """Refuse a Python that is too old."""
    if sys.version_info < OLDEST_PYTHON:
        have = ".".join(str(part) for part in sys.version_info[:3])
        raise SetupError(
            f"This is Python {have}; Kehu needs 3.11 or later. Name one: make run PYTHON=python3.11"
        )


def check_space() -> None:
    """Refuse to start on a disk that would be full half-way."""
    needed = LATER_RUN_MB if STAMPS.exists() else FIRST_RUN_MB
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if free < needed:
        raise SetupError(
            f"The disk of {ROOT} has {free} MB left, {needed} MB are needed. Make room and run again."
        )


class only_one:  # noqa: N801 - reads as a word where it is used
    """Hold the lock of the set-up; wait for one that runs already."""

    def __enter__(self) -> None:
        (ROOT / "var").mkdir(exist_ok=True)
        self.file = (ROOT / "var" / "setup.lock").open("w")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("set-up: another one runs in this folder; waiting for it.", flush=True)
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self.file.close()


def ensure_venv() -> bool:
    """Make the virtual environment when it is missing or broken."""
    if venv_works():
        return False
    if VENV.exists():
        print("set-up: the virtual environment is broken or unfinished; making it anew.", flush=True)
        shutil.rmtree(VENV)
    print("set-up: making the virtual environment in .venv", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], check=False, capture_output=True, text=True
    )
    if done.returncode or not venv_works():
        shutil.rmtree(VENV, ignore_errors=True)
        reason = tail(done.stdout + done.stderr)
        raise SetupError(
            f"The virtual environment could not be made:\n{reason}\n"
            "Debian and Ubuntu keep the module apart: apt-get install python3-venv, then run again."
        )
    return True


def venv_works() -> bool:
    """Tell whether the environment has a Python that is new enough, and pip."""
    check = f"import sys, pip; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    try:
        return (
            PYTHON.exists()
            and subprocess.run([PYTHON, "-c", check], check=False, capture_output=True).returncode == 0
        )
    except OSError:
        return False


def install_packages(group: str) -> bool:
    """Install the compiled requirements; those of `dev` contain those of `runtime`."""
    files = {name: [REQUIREMENTS / "build.txt", REQUIREMENTS / f"{name}.txt"] for name in ("runtime", "dev")}
    hashes = {name: hash_files(paths) for name, paths in files.items()}
    wanted = ("dev", "runtime") if group == "runtime" else ("dev",)
    if any(read_stamps().get(f"packages-{name}") == hashes[name] for name in wanted):
        return False
    print("set-up: installing packages (a minute or two the first time)", flush=True)
    # What builds comes first: the few packages published as source are then built without fetching anything else.
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    for path, more in zip(files[group], ([], ["--no-build-isolation", "--use-pep517"]), strict=True):
        done = pip("install", *options, *more, "-r", str(path))
        if done.returncode:
            raise SetupError(
                f"Packages could not be installed:\n{tail(done.stderr)}\n"
                "Check the connection to the package registry, then run again: it goes on from here."
            )
    write_stamp(f"packages-{group}", hashes[group])
    return True


def install_kehu() -> bool:
    """Install the product itself, editable, so that its command and entry points exist."""
    top = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
    files = [ROOT / name for name in ("setup.cfg", "setup.py", "pyproject.toml")]
    value = hash_files(files, *top)
    if read_stamps().get("kehu") == value and (VENV / "bin" / "kehu").exists():
        return False
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    done = pip("install", *options, "--editable", str(ROOT))
    if done.returncode:
        raise SetupError(
            f"Kehu itself could not be installed:\n{tail(done.stderr)}\nRun make clean, then run again."
        )
    write_stamp("kehu", value)
    return True


def compile_texts() -> bool:
    """Compile the catalogues of translations."""
    catalogues = [path for path in ROOT.glob("p*/**/locale/*/LC_MESSAGES/*.po") if ".venv" not in path.parts]
    catalogues += ROOT.glob("[tb]*/**/locale/*/LC_MESSAGES/*.po")
    value = hash_files(catalogues)
    compiled = all(path.with_suffix(".mo").exists() for path in catalogues)
    if compiled and read_stamps().get("texts") == value:
        return False
    run_step("texts", [str(PYTHON), "-m", "kehu.dev.messages", "compile"])
    write_stamp("texts", value)
    return bool(catalogues)


def build_assets() -> bool:
    """Build the browser's files; the script keeps its own record."""
    script = ROOT / "platform" / "kehu" / "web" / "assets.py"
    before = time.monotonic()
    run_step("browser files", [str(PYTHON), str(script)])
    return time.monotonic() - before > 1


def run_step(name: str, command: list[str]) -> None:
    """Run a command of ours; its own words explain a failure."""
    # npm would advertise its own new versions in the middle of ours.
    environment = {**os.environ, "NPM_CONFIG_UPDATE_NOTIFIER": "false"}
    if subprocess.run(command, cwd=ROOT, check=False, env=environment).returncode:
        raise SetupError(f"The step '{name}' failed; its reason stands above.")


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pip of the virtual environment, with the registry that this machine is set up for."""
    command = [str(PYTHON), "-m", "pip", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False, stderr=subprocess.PIPE, text=True)


def read_stamps() -> dict[str, str]:
    """Return what is done, by step."""
    try:
        return dict(json.loads(STAMPS.read_text()))
    except (OSError, ValueError):
        return {}


def write_stamp(step: str, value: str) -> None:
    """Record a step that went well."""
    stamps = {**read_stamps(), step: value}
    half = STAMPS.with_suffix(".new")
    half.write_text(json.dumps(stamps, indent=1))
    half.replace(STAMPS)


def hash_files(files: list[Path], *parts: str) -> str:
    """Return a hash over the contents of files and further inputs."""
    digest = hashlib.sha256("\0".join((sys.version.split()[0], *parts)).encode())
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def tail(text: str, lines: int = 8) -> str:
    """Return the last lines of what a command said."""
    return "\n".join("  " + line for line in text.strip().splitlines()[-lines:])


if __name__ == "__main__":
    sys.exit(main())
