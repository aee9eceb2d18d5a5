"""The environment that `make run` gives to its processes."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from kehu.dev.roles import DatabaseUrls

DEFAULT_PORT = 8000


class PortError(RuntimeError):
    """The port is not to be had; the message names it and a free one."""


def root() -> Path:
    """Return the folder of the sources, which holds `wsgi.py`."""
    return Path(__file__).resolve().parents[3]


def plugin_migrations() -> list[Path]:
    """Return the migrations of plugins that were installed beside the sources (`pip install -e`), none imported."""
    modules = {point.module.partition(".")[0] for point in metadata.entry_points(group="kehu.plugins")}
    specs = [find_spec(module) for module in sorted(modules)]
    folders = [Path(place) for spec in specs if spec for place in spec.submodule_search_locations or ()]
    return [file for folder in folders for file in folder.glob("migrations/**/*.py")]


def var_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for data, logs and stamps."""
    return Path(environ.get("KEHU_VAR") or root() / "var").absolute()


def web_port(environ: Mapping[str, str] = os.environ) -> int:
    """Return the port that the web server takes.

    :raises PortError: when it is no port, or in use.
    """
    text = environ.get("KEHU_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise PortError(f"KEHU_PORT is {text!r}; write a number from 1 to 65535.")
    port = int(text)
    if not is_free(port):
        free = next((number for number in range(port + 1, port + 50) if is_free(number)), free_port())
        raise PortError(
            f"Port {port} is in use. Stop what uses it, or take another: make run KEHU_PORT={free}"
        )
    return port


def is_free(port: int) -> bool:
    """Tell whether a server of ours can take a port on this machine."""
    return all(_can_bind(family, host, port) for family, host in loopbacks())


def loopbacks() -> list[tuple[socket.AddressFamily, str]]:
    """Return the loopback addresses: browsers resolve `*.localhost` to either."""
    found = [(socket.AF_INET, "127.0.0.1")]
    if socket.has_ipv6 and _can_bind(socket.AF_INET6, "::1", 0):
        found.append((socket.AF_INET6, "::1"))
    return found


def bind_addresses(port: int) -> list[str]:
    """Return the addresses for gunicorn's `--bind`."""
    return [
        f"[{host}]:{port}" if family == socket.AF_INET6 else f"{host}:{port}" for family, host in loopbacks()
    ]


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def secret_key(var: Path) -> str:
    """Return the key of this installation, made once and readable by its owner alone."""
    file = var / "secret"
    if not file.exists() or len(file.read_text().strip()) < 32:
        half = var / f"secret.{os.getpid()}"
        half.touch(mode=0o600)
        half.write_text(secrets.token_urlsafe(48))
        half.replace(file)
    return file.read_text().strip()


def child_environment(
    urls: DatabaseUrls, var: Path, port: int, mail_port: int, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the environment of the web, the worker and the commands; what people set themselves stays."""
    defaults = {
        "KEHU_ENV": "development",
        "KEHU_BASE_DOMAIN": "localhost",
        "KEHU_HTTPS": "0",
        "KEHU_BILLING_MODE": "demo",
        "KEHU_MAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        "KEHU_SECRET_KEY": environ.get("KEHU_SECRET_KEY") or secret_key(var),
    }
    ours = {"KEHU_PORT": str(port), "KEHU_VAR": str(var), "PYTHONUNBUFFERED": "1"}
    return {**defaults, **environ, **urls.environment(), **ours}


def _can_bind(family: socket.AddressFamily, host: str, port: int) -> bool:
    with socket.socket(family) as probe:
        # As gunicorn does: connections of a server that ended a moment ago don't hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
