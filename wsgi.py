"""The composition root: `gunicorn --config python:kehu.gunicorn_conf wsgi:app`."""

from __future__ import annotations

from kehu.app import create_app

app = create_app()
