"""A shop with customers, and a client that speaks as the browser's script does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kehu.core.records.service import service_for


@dataclass
class Browser:
    """A signed-in client that says what part of a page it wants."""

    client: FlaskClient

    def get(self, url: str, target: str = "", source: str = "") -> TestResponse:
        return self.client.get(url, headers=self._headers(target, source))

    def post(
        self,
        url: str,
        data: dict[str, Any] | None = None,
        target: str = "dialog#dialog",
        method: str = "POST",
    ) -> TestResponse:
        return self.client.open(url, method=method, data=data or {}, headers=self._headers(target))

    @staticmethod
    def _headers(target: str, source: str = "") -> dict[str, str]:
        if not target:
            return {}
        return {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": target, "HX-Source": source}


@pytest.fixture
def browser(shop):
    return Browser(shop.client())


@pytest.fixture
def browser_of(shop):
    return lambda role: Browser(shop.client(shop.members.get(role) or shop.member(role)))


@pytest.fixture
def make(shop):
    """Create customers by name or values and return their ids."""

    def made(*rows, actor=None, kind="customers"):
        values = [row if isinstance(row, dict) else {"name": row} for row in rows]
        with shop.work(actor) as session:
            outcomes = service_for(kind, session).create_many(values)
            assert all(one.record is not None for one in outcomes), [one.errors for one in outcomes]
            return [one.record.id for one in outcomes]

    return made


@pytest.fixture
def read(shop):
    """Return a record as it is in the database."""

    def found(record_id, kind="customers", trashed=False):
        with shop.work() as session:
            return service_for(kind, session).get(record_id, trashed=trashed)

    return found
