"""The frame without a database, and a browser of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kehu.core import context
from kehu.testkit.frame import make_frame


@pytest.fixture(scope="session")
def frame() -> Flask:
    """An application that draws the style pages for a made-up member."""
    return make_frame()


@pytest.fixture
def client(frame: Flask) -> Iterator[FlaskClient]:
    """A browser of that application."""
    yield frame.test_client()
    context.set_context(context.Context())


@pytest.fixture
def request_context(frame: Flask) -> Iterator[None]:
    """The inside of a request."""
    with frame.test_request_context("/"):
        yield
