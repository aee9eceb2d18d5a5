"""The system user of the embedded PostgreSQL, which refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

NAME = "kehu-postgres"


class SystemUserError(RuntimeError):
    """The user cannot be made or cannot reach a folder; the message says what to do."""


def needed() -> bool:
    """Tell whether this process is root and therefore has to step down for PostgreSQL."""
    return os.geteuid() == 0


def ensure() -> pwd.struct_passwd:
    """Return the system user, made when missing.

    :raises SystemUserError: where users cannot be made.
    """
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    command = shutil.which("useradd") or "/usr/sbin/useradd"
    if not Path(command).exists():
        raise SystemUserError(f"useradd is missing: create the user {NAME}, or run as an ordinary user.")
    arguments = [
        command,
        "--system",
        "--user-group",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        NAME,
    ]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    # 9: another run made it a moment ago.
    if done.returncode not in (0, 9):
        raise SystemUserError(f"The user {NAME} could not be created: {done.stderr.strip()}")
    return pwd.getpwnam(NAME)


def run_as(user: pwd.struct_passwd | None) -> dict[str, object]:
    """Return the arguments of `subprocess` that run a command as the user."""
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def let_through(folder: Path, user: pwd.struct_passwd) -> list[Path]:
    """Let the user pass (not list) the folders above one; return those that were changed."""
    changed = []
    for parent in folder.resolve().parents:
        mode = parent.stat().st_mode
        if not _may_pass(parent.stat(), user):
            parent.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
            changed.append(parent)
    return changed


def let_read(folder: Path) -> None:
    """Let everyone read and run what a package installed (a strict umask may have closed it)."""
    for path in (folder, *folder.rglob("*")):
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if path.is_dir() or mode & stat.S_IXUSR else 0)
        if wanted != mode:
            path.chmod(wanted)


def _may_pass(info: os.stat_result, user: pwd.struct_passwd) -> bool:
    if info.st_uid == user.pw_uid:
        return bool(info.st_mode & stat.S_IXUSR)
    if info.st_gid == user.pw_gid:
        return bool(info.st_mode & stat.S_IXGRP)
    return bool(info.st_mode & stat.S_IXOTH)
