"""A preview on its way through the browser: signed, so that what is confirmed is what was shown."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from billing.facts import moment, written
from billing.providers.base import Preview, Wish
from kehu.core import context


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.config["SECRET_KEY"]), salt=f"billing {context.tenant().id}")


def seal(wish: Wish, preview: Preview) -> str:
    """Return what is kept of a preview until it is confirmed."""
    return str(
        _serializer().dumps(
            {
                "plan": wish.plan.ref,
                "interval": wish.interval,
                "currency": wish.currency,
                "seats": wish.seats,
                "addons": wish.slugs,
                "coupon": wish.coupon.code if wish.coupon else "",
                "at": written(preview.at),
                "total": preview.total,
            }
        )
    )


def unseal(text: str, wish: Wish) -> tuple[dt.datetime, int] | None:
    """Return moment and total that were shown for a wish, or None when nothing of the kind was."""
    try:
        kept: dict[str, Any] = _serializer().loads(text)
    except BadSignature:
        return None
    shown = [kept.get(name) for name in ("plan", "interval", "currency", "seats", "addons", "coupon")]
    code = wish.coupon.code if wish.coupon else ""
    same = shown == [wish.plan.ref, wish.interval, wish.currency, wish.seats, wish.slugs, code]
    at = moment(kept["at"])
    return (at, int(kept["total"])) if same and at is not None else None
