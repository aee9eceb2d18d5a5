"""Serve the built browser files, and find their hashed names."""

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise

DIST = Path(__file__).resolve().parent / "static" / "dist"
PREFIX = "/static/"
_HASHED = re.compile(r"\.[0-9a-f]{10}\.\w+$")


@lru_cache(maxsize=1)
def manifest() -> dict[str, str]:
    """Return logical names and the hashed names they were written under."""
    names: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    return names


@lru_cache(maxsize=256)
def asset_url(name: str) -> str:
    """Return the address of a built file by its logical name, for example ``app.css``.

    :raises KeyError: when no such file was built; run the asset step.
    """
    return PREFIX + manifest()[name]


def _immutable(path: str, url: str) -> bool:
    return bool(_HASHED.search(url))


def _extra_headers(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"


def init_static(app: Flask, extra_folders: Iterable[Path] = ()) -> None:
    """Put the static files in front of the application, to be kept for a year by browsers.

    :param extra_folders: further folders under the same prefix, for example the test tools.
    """
    manifest.cache_clear()
    asset_url.cache_clear()
    settings = app.extensions.get("kehu.settings")
    changing = app.testing or bool(settings and settings.development)
    if not changing and (DIST / "manifest.json").exists():
        # Read together with the list of files, so that a deployment beside a running process changes neither.
        manifest()
    wrapped: Any = WhiteNoise(
        app.wsgi_app,
        root=str(DIST),
        prefix=PREFIX,
        immutable_file_test=_immutable,
        add_headers_function=_extra_headers,
        allow_all_origins=False,
        autorefresh=changing,
    )
    for folder in extra_folders:
        wrapped.add_files(str(folder), prefix=PREFIX)
    app.wsgi_app = wrapped  # type: ignore[method-assign]
