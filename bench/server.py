"""What gunicorn serves while measuring: Kehu, and beside it the bare floors, in the same processes."""

from __future__ import annotations

import json
import os
from typing import Any

import psycopg_pool
from flask import Flask, Response, g
from sqlalchemy import event
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from kehu.app import create_app
from kehu.core import db

_ROWS = (
    "SELECT id, number, name, type_class, value_class, industry, owner_id, emails, phones, tags, updated_at "
    "FROM customers WHERE tenant_id = %s AND deleted_at IS NULL ORDER BY name_norm, id LIMIT 50"
)


def floors() -> Flask:
    """Return the bare application: an empty answer, and 50 rows as JSON from a pooled connection."""
    bare = Flask("floors")
    pool: dict[str, psycopg_pool.ConnectionPool[Any]] = {}

    @bare.get("/empty")
    def empty() -> Response:
        return Response("ok", mimetype="text/plain")

    @bare.get("/rows/<uuid:tenant_id>")
    def rows(tenant_id: Any) -> Response:
        if "it" not in pool:
            pool["it"] = psycopg_pool.ConnectionPool(
                os.environ["KEHU_DATABASE_URL"], min_size=1, max_size=4, open=True
            )
        with pool["it"].connection() as connection:
            found = connection.execute(_ROWS, (tenant_id,))
            names = [column.name for column in found.description or ()]
            body = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        return Response(json.dumps(body, default=str), mimetype="application/json")

    return bare


def make() -> Any:
    """Return the WSGI application; answers carry the number of statements in `X-Bench-Queries`."""
    app = create_app()

    def count(*_ignored: Any) -> None:
        try:
            g.bench_queries = g.get("bench_queries", 0) + 1
        except RuntimeError:
            return

    event.listen(db.engine("app"), "before_cursor_execute", count)

    def report(response: Response) -> Response:
        response.headers["X-Bench-Queries"] = str(g.get("bench_queries", 0))
        response.headers["X-Bench-Worker"] = str(os.getpid())
        return response

    app.after_request(report)
    return DispatcherMiddleware(app, {"/floor": floors()})


wsgi = make() if os.environ.get("KEHU_BENCH") else None
