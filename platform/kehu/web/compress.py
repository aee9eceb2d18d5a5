"""Compress pages and data for browsers that ask for it, so that `make run` is as light as a server behind a proxy."""

from __future__ import annotations

import secrets
import struct
import zlib

from flask import Flask, Response, request

LEVEL = 4
SMALLEST = 700
_PADDING = 96
_KINDS = (
    "text/",
    "application/json",
    "application/problem+json",
    "application/manifest+json",
    "image/svg+xml",
)


def gzip_bytes(data: bytes) -> bytes:
    """Compress with a name of random length in the header.

    The name hides how well a page's secret and what an attacker had written into it compress together (BREACH).
    """
    name = secrets.token_hex(_PADDING // 2)[: secrets.randbelow(_PADDING)].encode()
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = b"\x1f\x8b\x08\x08" + b"\0" * 4 + b"\0\xff" + name + b"\0"
    return b"".join(
        (head, packer.compress(data), packer.flush(), struct.pack("<II", zlib.crc32(data), len(data) % 2**32))
    )


def compress(response: Response) -> Response:
    """Compress an answer when that is asked for and worth it."""
    if not (response.mimetype or "").startswith(_KINDS):
        return response
    response.vary.add("Accept-Encoding")
    if (
        not request.accept_encodings.quality("gzip")
        or response.direct_passthrough
        or response.is_streamed
        or "Content-Encoding" in response.headers
        or not 200 <= response.status_code < 600
        or response.status_code in (204, 206, 304)
        or request.method == "HEAD"
    ):
        return response
    data = response.get_data()
    if len(data) >= SMALLEST:
        response.set_data(gzip_bytes(data))
        response.headers["Content-Encoding"] = "gzip"
    return response


def init_compression(app: Flask) -> None:
    """Compress the answers of an application."""
    app.after_request(compress)
