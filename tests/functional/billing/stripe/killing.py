"""Processes that are killed in the middle of their work: forked, with connections of their own, ended by SIGKILL."""

from __future__ import annotations

import os
import re
import signal
import traceback
from collections.abc import Callable
from typing import Any

import stripe
from sqlalchemy import event
from sqlalchemy.orm import Session

from billing.stripe.gateway import Gateway
from billing.stripe.models import Operation
from billing.stripe.provider import StripeProvider
from billing.stripe.views import EXTENSION
from billing.stripe.words import EXTENSION as PROVIDER
from kehu.core import db
from tests.functional.billing.stripe.conftest import SECRET, Firm
from tests.stripe_double.process import KEY

Arm = Callable[[], None]


def killed(firm: Firm, arm: Arm, work: Callable[[Gateway], Any]) -> None:
    """Do some work in a process of its own, which dies by SIGKILL where `arm` has set its trap.

    Nothing of it is cleaned up: its transactions end as those of a machine that loses its power.
    """
    child = os.fork()
    if not child:
        _in_the_child(firm, arm, work)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"it was not killed but ended with {os.waitstatus_to_exitcode(status)}"
    assert os.WTERMSIG(status) == signal.SIGKILL


def _in_the_child(firm: Firm, arm: Arm, work: Callable[[Gateway], Any]) -> None:
    try:
        # What the parent has open stays the parent's: neither closed nor used here.
        for role in ("app", "cross"):
            db.engine(role).dispose(close=False)
        own = Gateway(KEY, address=firm.double.url, secrets=[SECRET])
        firm.shop.app.extensions[EXTENSION] = own
        firm.shop.app.extensions[PROVIDER] = StripeProvider(own)
        arm()
        work(own)
    except BaseException:  # noqa: BLE001 - whatever it was, this process must not go on as a second pytest
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def die() -> None:
    """End this process at once, as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def at_call(method: str, path: str, *, after: bool = False, following: str = "") -> Arm:
    """Die when Stripe is asked for something: before the request leaves, or once the answer is here.

    :param following: only after this path was posted to.
    """

    def arm() -> None:
        asked, seen = stripe.RequestsClient.request, [not following]

        def request(self: Any, verb: str, url: str, *rest: Any, **more: Any) -> Any:
            found = seen[0] and verb.upper() == method and re.search(path, url)
            if found and not after:
                die()
            answer = asked(self, verb, url, *rest, **more)
            if found:
                die()
            if following and verb.upper() == "POST" and re.search(following, url):
                seen[0] = True
            return answer

        stripe.RequestsClient.request = request  # type: ignore[method-assign]

    return arm


def at_end(moment: str) -> Arm:
    """Die at the transaction that closes an operation: `before_commit` or `after_commit`."""

    def arm() -> None:
        def look(session: Session) -> None:
            rows = [one for one in session.identity_map.values() if isinstance(one, Operation)]
            if any(one.state in ("done", "needs_action") and one.ended_at is not None for one in rows):
                die()

        event.listen(Session, moment, look)

    return arm
