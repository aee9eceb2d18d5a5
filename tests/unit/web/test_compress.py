"""Compressed answers."""

from __future__ import annotations

import gzip

import pytest
from flask import Flask, Response, request

from kehu.web.compress import SMALLEST, compress, gzip_bytes


def test_what_is_packed_is_unpacked_by_others() -> None:
    data = "Сделка 客户 ".encode() * 500
    assert gzip.decompress(gzip_bytes(data)) == data


def test_equal_pages_have_unequal_lengths() -> None:
    assert len({len(gzip_bytes(b"x" * 5000)) for _ in range(40)}) > 10


@pytest.mark.parametrize(
    ("accept", "response", "packed"),
    [
        ("gzip, br", Response("x" * SMALLEST), True),
        ("", Response("x" * SMALLEST), False),
        ("gzip;q=0", Response("x" * SMALLEST), False),
        ("gzip", Response("x"), False),
        ("gzip", Response("x" * SMALLEST, mimetype="image/png"), False),
        ("gzip", Response("x" * SMALLEST, headers={"Content-Encoding": "br"}), False),
        ("gzip", Response(part for part in ["x" * SMALLEST]), False),
        ("gzip", Response(status=304), False),
        ("gzip", Response("{}" * SMALLEST, status=422, mimetype="application/problem+json"), True),
    ],
)
def test_only_what_is_asked_for_and_worth_it(
    frame: Flask, accept: str, response: Response, packed: bool
) -> None:
    with frame.test_request_context("/", headers={"Accept-Encoding": accept}):
        assert request.path == "/"
        answer = compress(response)
    assert (answer.headers.get("Content-Encoding") == "gzip") is packed
    if (answer.mimetype or "").startswith("text/"):
        assert "Accept-Encoding" in answer.vary
