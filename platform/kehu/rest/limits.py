"""How often a token may ask: a fixed window for each, told in each answer."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Response, current_app, g
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from kehu.core import clock
from kehu.core.errors import TooMany
from kehu.core.i18n import _


@dataclass(frozen=True)
class TokenLimit:
    """The limit of this process. Each web process counts for itself: no answer waits for another one's count."""

    item: RateLimitItem
    strategy: FixedWindowRateLimiter


def init_limits(app: Flask, rate: str) -> None:
    """Install the limit, written as in `600 per minute`."""
    app.extensions["kehu.api_limit"] = TokenLimit(parse(rate), FixedWindowRateLimiter(MemoryStorage()))
    app.after_request(_tell)


def count(key: str) -> None:
    """Count a request.

    :raises TooMany: when the token asked too often.
    """
    limit: TokenLimit = current_app.extensions["kehu.api_limit"]
    allowed = limit.strategy.hit(limit.item, key)
    window = limit.strategy.get_window_stats(limit.item, key)
    wait = max(1, round(window.reset_time - clock.now().timestamp()))
    g.api_limit = (limit.item.amount, max(0, window.remaining), wait)
    if not allowed:
        raise TooMany(
            _(
                "This token may ask %(rate)s. Wait %(seconds)s seconds, then go on.",
                rate=str(limit.item),
                seconds=wait,
            ),
            retry_after=wait,
        )


def _tell(response: Response) -> Response:
    told = g.get("api_limit")
    if told is not None:
        names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
        response.headers.extend({name: str(value) for name, value in zip(names, told, strict=True)})
    return response
