"""How often a token may ask: a fixed window for each, told in each answer."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from flask import Flask, Response, current_app, g
from limits import RateLimitItem, parse

from kehu.core.errors import TooMany
from kehu.core.i18n import _

MOST_KEYS = 10_000


@dataclass
class TokenLimit:
    """The windows of this process. Each web process counts for itself: no answer waits for another one's count.

    The storages of `limits` start a thread for each hit; a dictionary does.
    """

    item: RateLimitItem
    windows: dict[str, tuple[float, int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hit(self, key: str, now: float) -> tuple[int, float]:
        """Count a request and return how many there were in its window, and when that ends."""
        with self.lock:
            end, seen = self.windows.get(key, (0.0, 0))
            if end <= now:
                end, seen = now + self.item.get_expiry(), 0
                if len(self.windows) > MOST_KEYS:
                    self.windows = {name: kept for name, kept in self.windows.items() if kept[0] > now}
            self.windows[key] = (end, seen + 1)
            return seen + 1, end


def init_limits(app: Flask, rate: str) -> None:
    """Install the limit, written as in `600 per minute`."""
    app.extensions["kehu.api_limit"] = TokenLimit(parse(rate))
    app.after_request(_tell)


def count(key: str) -> None:
    """Count a request.

    :raises TooMany: when the token asked too often.
    """
    limit: TokenLimit = current_app.extensions["kehu.api_limit"]
    now = time.monotonic()
    seen, end = limit.hit(key, now)
    wait = max(1, round(end - now))
    g.api_limit = (limit.item.amount, max(0, limit.item.amount - seen), wait)
    if seen > limit.item.amount:
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
