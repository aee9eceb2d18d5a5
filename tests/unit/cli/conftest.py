"""A command line on the test database, without an application of its own."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from kehu.cli.main import FLOORS, GROUPS, kehu
from kehu.dev.roles import DatabaseUrls

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, database_urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call `kehu` with some arguments; the code has to be 0 unless another (None: any) is given."""
    settings = {
        "KEHU_ENV": "test",
        "KEHU_SECRET_KEY": "s3cret" * 8,
        "KEHU_MAIL_URL": "smtp://user:pa55word@127.0.0.1:1",
        **database_urls.environment(),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for name in (*(f"kehu.cli.{one}" for one in GROUPS), *(f"{one}.commands" for one in FLOORS)):
        # One application for all tests: a second one would take engines and jobs away from the first.
        if hasattr(import_module(name), "make_app"):
            monkeypatch.setattr(f"{name}.make_app", lambda: app)

    def call(*arguments: str, code: int | None = 0) -> Result:
        result = CliRunner().invoke(kehu, arguments)
        assert code is None or result.exit_code == code, (result.output, result.exception)
        return result

    return call
