from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from kehu.core import db, migration
from kehu.dev.roles import DatabaseUrls
from kehu.watch import checks


@pytest.fixture
def database_away(app: Flask) -> Iterator[None]:
    """Let the web's engine point at a server that is not there."""
    present = db.engine("app")
    db._engines["app"] = db.make_engine("postgresql://kehu_app@127.0.0.1:1/kehu")
    yield
    db._engines["app"].dispose()
    db._engines["app"] = present


class TestHealth:
    def test_a_living_process_says_so_without_the_database(self, app: Flask, database_away: None):
        answer = app.test_client().get("/healthz")
        assert answer.status_code == 200
        assert answer.json == {"status": "ok"}
        assert answer.headers["Cache-Control"] == "no-store"


class TestReadiness:
    def test_a_process_with_its_database_is_ready(self, app: Flask):
        answer = app.test_client().get("/readyz")
        assert answer.json == {
            "status": "ok",
            "checks": {"database": "ok", "migrations": "ok", "queue": "ok", "billing": "ok"},
        }
        assert answer.status_code == 200

    def test_without_the_database_it_is_not_and_gives_no_inner_detail(self, app: Flask, database_away: None):
        answer = app.test_client().get("/readyz")
        assert answer.status_code == 503
        assert answer.json is not None
        assert answer.json["checks"]["database"] == "does not answer; the log says why"
        assert "127.0.0.1" not in answer.text

    def test_a_database_behind_the_code_is_named_with_the_remedy(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ):
        checks._newest.cache_clear()
        monkeypatch.setattr(migration, "heads", lambda: "20991231_00")
        answer = app.test_client().get("/readyz")
        checks._newest.cache_clear()
        assert answer.status_code == 503
        assert answer.json is not None
        assert "run kehu db upgrade" in answer.json["checks"]["migrations"]
        assert answer.json["checks"]["queue"] == "ok"

    def test_a_missing_queue_does_not_hide_the_other_checks(
        self, app: Flask, database_urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setitem(
            checks._CHECKS, "queue", lambda connection: connection.execute(text("SELECT 1 FROM nowhere"))
        )
        answer = app.test_client().get("/readyz")
        assert answer.json is not None
        assert answer.json["checks"]["migrations"] == "ok"
        assert answer.json["checks"]["queue"] == "does not answer; the log says why"


class TestMetrics:
    def test_requests_are_counted_by_route_and_not_by_path(self, app: Flask):
        client = app.test_client()
        client.get("/healthz")
        client.get("/no/such/page/of-anna")
        shown = client.get("/metrics").text
        assert 'kehu_requests_total{method="GET",route="/healthz",status="200"}' in shown
        assert 'route="unknown"' in shown
        assert "of-anna" not in shown
        assert "kehu_request_seconds_bucket" in shown

    def test_jobs_are_counted_by_status(self, app: Flask):
        insert = (
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('watch-test', 'none', '{}')"
        )
        with db.engine("app").begin() as connection:
            connection.execute(text(insert))
        try:
            assert 'kehu_jobs{status="todo"}' in app.test_client().get("/metrics").text
        finally:
            with db.engine("app").begin() as connection:
                connection.execute(text("DELETE FROM procrastinate_jobs WHERE queue_name = 'watch-test'"))

    def test_they_are_shown_while_the_database_is_away(self, app: Flask, database_away: None):
        answer = app.test_client().get("/metrics")
        assert answer.status_code == 200
        assert "kehu_requests_total" in answer.text

    def test_what_came_through_a_proxy_is_refused(self, app: Flask):
        answer = app.test_client().get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
        assert answer.status_code == 404
