"""The pages of a firm's rules under Settings."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("rules", __name__, url_prefix="/settings")

from kehu.rules import field_right_views, must_views, number_views  # noqa: E402, F401 - routes
