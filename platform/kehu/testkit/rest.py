"""A program that calls the API with a token, and what it expects of refusals."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from kehu.core import context
from kehu.testkit.fixtures import Shop


class Caller:
    """Calls the API as a token's member.

    :param scopes: of the token; all by default.
    """

    def __init__(
        self, shop: Shop, scopes: list[str] | None = None, actor: context.Actor | None = None
    ) -> None:
        self.client = shop.app.test_client()
        self.headers = {"Authorization": f"Bearer {shop.token(scopes, actor)}"}

    def __call__(self, method: str, path: str, json: Any = None, **headers: str) -> TestResponse:
        """Send JSON; `_` in a header's name stands for `-`."""
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.open(f"/api/v1/{path}", method=method, json=json, headers=sent)

    def raw(
        self, method: str, path: str, data: bytes | str, content_type: str = "application/json"
    ) -> TestResponse:
        """Send a body as it is."""
        return self.client.open(
            f"/api/v1/{path}", method=method, data=data, content_type=content_type, headers=self.headers
        )

    def made(self, path: str, **values: Any) -> dict[str, Any]:
        """Create a record and return it."""
        answer = self("POST", path, values)
        assert answer.status_code == 201, answer.json
        return dict(answer.json or {})


def problem(answer: TestResponse, status: int, *fields: str) -> dict[str, Any]:
    """Check that an answer is a problem document that names the fields, and return it."""
    assert answer.status_code == status, (answer.status_code, answer.get_data(as_text=True)[:400])
    assert answer.mimetype == "application/problem+json"
    told = dict(answer.json or {})
    assert told["status"] == status
    assert told["request_id"] == answer.headers["X-Request-ID"]
    assert set(told.get("errors", {})) == set(fields)
    return told
