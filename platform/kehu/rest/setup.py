"""Registers the REST resources of each feature."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask


def init_rest(app: Flask, features: Sequence[str]) -> None:
    """Register each feature's `api.blueprint` under /api/v1, with the OpenAPI document and its page."""
