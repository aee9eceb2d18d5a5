"""Rates: how often somebody may try something. Counted in the memory of each web process."""

from __future__ import annotations

import functools
import math
from typing import Any

from flask import Flask, current_app, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, parse

from kehu.core import clock
from kehu.core.errors import TooMany
from kehu.core.i18n import _, _n

limiter = Limiter(key_func=get_remote_address, storage_uri="memory://")


def init_limits(app: Flask) -> None:
    """Install Flask-Limiter."""
    limiter.init_app(app)


@functools.cache
def _rate(text: str) -> RateLimitItem:
    return parse(text)


def _refusal(rate: RateLimitItem, keys: tuple[str, ...]) -> TooMany:
    stats: Any = limiter.limiter.get_window_stats(rate, *keys)
    seconds = max(1, math.ceil(stats.reset_time - clock.now().timestamp()))
    minutes = math.ceil(seconds / 60)
    when = _n("Try again in a minute.", "Try again in %(num)s minutes.", minutes)
    return TooMany(
        _("That was tried too often. Nothing was changed. %(when)s", when=when), retry_after=seconds
    )


def check(rate: str, *keys: str) -> None:
    """Refuse when a rate is used up, without counting.

    :raises TooMany: with the seconds to wait.
    """
    if not limiter.limiter.test(_rate(rate), *keys):
        raise _refusal(_rate(rate), keys)


def count(rate: str, *keys: str) -> None:
    """Count one more use of a rate.

    :raises TooMany: when it is used up.
    """
    if not limiter.limiter.hit(_rate(rate), *keys):
        raise _refusal(_rate(rate), keys)


def address() -> str:
    """Return the network address of the asker."""
    return request.remote_addr or "unknown"


def entry_rate() -> str:
    """Return the rate for log-ins, sign-ups and resets."""
    rate: str = current_app.extensions["kehu.settings"].signup_rate
    return rate
