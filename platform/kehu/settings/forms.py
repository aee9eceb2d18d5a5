"""Forms in dialogs of the settings: what was typed, which version was seen, and the form again with its errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from kehu.core.errors import KehuError
from kehu.web.render import render_page


def given(keys: Iterable[str]) -> dict[str, Any]:
    """Return what the form holds of some fields, as it was typed."""
    return {key: request.form[key] for key in keys if key in request.form}


def seen_version() -> int | None:
    """Return the version that the form was filled from, or None when it says none."""
    written = request.form.get("version", "")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None


def form_page(
    template: str,
    title: str,
    values: Mapping[str, Any],
    labels: Mapping[str, Any],
    error: KehuError | None = None,
    version: int | None = None,
    **more: Any,
) -> ResponseReturnValue:
    """Answer a form: as it is, or with what was typed and what is wrong with it."""
    return render_page(
        template,
        {},
        status=error.status if error else 200,
        title=title,
        values=values,
        labels=labels,
        errors=error.fields if error else {},
        problem=str(error.message) if error and not error.fields else "",
        version=version,
        **more,
    )
