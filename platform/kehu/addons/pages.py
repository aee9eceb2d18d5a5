"""Pages of plugins: what fails in one is told there, recorded, and left alone for a while.

A fragment holds a seat (`kehu.addons.seats`) and bounds its statements, so that a slow plugin leaves the pages of
the platform their speed.
"""

from __future__ import annotations

import functools
import inspect
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, current_app, render_template, request
from psycopg.errors import QueryCanceled
from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from kehu.addons.cards import why_not
from kehu.addons.models import TenantPlugin
from kehu.addons.rows import runs
from kehu.addons.seats import Seats, SeatsTaken
from kehu.addons.states import TenantState
from kehu.core import context, db, hooks
from kehu.core.errors import KehuError, NotFound, Unavailable
from kehu.core.gate import Paused
from kehu.core.i18n import _
from plugins.path_guard import plugin_of_path
from plugins.relay import PluginError, PluginRests

FRAGMENT_MS = 2_000
"""Milliseconds that a statement of a fragment may take."""

THREADS = 4
"""Threads of a web process (`kehu.gunicorn_conf`); a plugin's fragments get a quarter of them."""

RETRIES = 5
"""How often a fragment that found no seat asks again by itself."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})

fragments = Seats(THREADS // 4)


def contain(app: Flask) -> None:
    """Put the pages of all plugins behind the relay; called once they are registered."""
    for rule in app.url_map.iter_rules():
        slug, view = plugin_of_path(rule.rule), app.view_functions[rule.endpoint]
        if slug and not rule.endpoint.endswith(".static") and not hasattr(view, "kehu_contained"):
            app.view_functions[rule.endpoint] = _contained(slug, rule.endpoint, view)


def explain_held(slug: str) -> None:
    """Say why a plugin's page can't be shown, when the plugin is switched on but may not run now.

    :raises Unavailable: with the reason.
    """
    if slug not in hooks.held():
        _explain_paused(slug)
        return
    state = db.session().execute(select(TenantPlugin.state).where(TenantPlugin.slug == slug)).scalar()
    raise Unavailable(_reason(state, _name(slug)), retry_after=60)


def _explain_paused(slug: str) -> None:
    """Tell a member why a plugin is paused that the firm may not have now; for others it does not exist."""
    now = context.current()
    if now.tenant is None or now.actor is None or hooks.host().installed.get(slug) is None:
        return
    state = db.session().execute(select(TenantPlugin.state).where(TenantPlugin.slug == slug)).scalar()
    if state == TenantState.SUSPENDED:
        name = _name(slug)
        raise Paused(
            _("%(plugin)s is paused; nothing of it is lost. %(why)s", plugin=name, why=why_not(slug, name)),
            page=f"/settings/plugins/{slug}",
            page_text=_("Look at %(plugin)s", plugin=name),
        )


def _reason(state: str | None, name: str) -> str:
    if state == TenantState.QUARANTINED:
        return _(
            "%(plugin)s rests after repeated faults and is tried again within an hour. Nothing is lost; "
            "an admin can let it run again under Settings, Plugins.",
            plugin=name,
        )
    if state == TenantState.UPGRADE_ERROR:
        return _(
            "%(plugin)s could not be brought up to date yet; it is tried again. "
            "An admin sees the reason under Settings, Plugins.",
            plugin=name,
        )
    return _("%(plugin)s is being brought up to date. Try again in a few minutes.", plugin=name)


def _contained(slug: str, endpoint: str, view: Callable[..., Any]) -> Callable[..., Any]:
    own = inspect.unwrap(view)

    @functools.wraps(view)
    def contained(*args: Any, **kwargs: Any) -> Any:
        try:
            if request.method not in _READING and not runs(db.session(), slug):
                # Switched off between the look at the tenant and this one.
                raise NotFound(_("There is no such page."))
            if not is_fragment():
                return _run(slug, endpoint, own, lambda: _answered(view, args, kwargs))
            with fragments.taken(slug):
                db.hurry(FRAGMENT_MS)
                return _run(slug, endpoint, own, lambda: _answered(view, args, kwargs))
        except SeatsTaken:
            return _busy(slug)
        except PluginError as error:
            return _failed(slug, error)

    contained.kehu_contained = True  # type: ignore[attr-defined]
    return contained


def is_fragment() -> bool:
    """Tell whether a piece of a page is asked for, and nothing is to be changed."""
    return request.method == "GET" and request.headers.get("HX-Request-Type") == "partial"


def _answered(view: Callable[..., Any], args: Any, kwargs: Any) -> Response:
    # Made into a response here already, so that an answer of a wrong type is the plugin's fault as well.
    try:
        return current_app.make_response(view(*args, **kwargs))
    except OperationalError as error:
        if isinstance(error.orig, QueryCanceled):
            raise
        raise _Away(error) from error


class _Away(Exception):
    """Carries the error of a database that does not answer past the relay: no fault of the plugin."""

    def __init__(self, error: OperationalError) -> None:
        super().__init__(str(error))
        self.error = error


_PASSING = (KehuError, HTTPException, IntegrityError, DataError, StaleDataError, PoolTimeout, _Away)
"""What the platform answers by itself, whoever raised it."""


def _run(slug: str, endpoint: str, own: Callable[..., Any], answer: Callable[[], Any]) -> Any:
    tenant = context.current().tenant
    try:
        return hooks.host().relay.run_page(
            f"page {endpoint}",
            slug,
            own,
            answer,
            tenant=tenant.id if tenant else None,
            passing=_PASSING,
        )
    except _Away as away:
        raise away.error from None


def _busy(slug: str) -> Any:
    """Let the fragment ask again by itself a few times, then leave it to the reader."""
    tries = request.args.get("_try", 0, int)
    url = _again(tries + 1 if tries < RETRIES else 0)
    if tries < RETRIES:
        return render_template("addons/_waiting.html", url=url)
    text = _("%(plugin)s is busy and shows nothing just now.", plugin=_name(slug))
    return render_template("addons/_fault.html", text=text, url=url, trace="")


def _failed(slug: str, error: PluginError) -> Any:
    db.session().rollback()  # What a failed statement left behind, so that the answer can be drawn.
    if isinstance(error, PluginRests):
        text = _("%(plugin)s failed here several times and rests for a moment.", plugin=_name(slug))
    else:
        text = _(
            "%(plugin)s failed here. Nothing was changed, and the fault was recorded.", plugin=_name(slug)
        )
    trace = _trace(error)
    if is_fragment():
        return render_template("addons/_fault.html", text=text, url=_again(0), trace=trace)
    if trace:
        return Response(f"{text}\n\n{trace}", 500, mimetype="text/plain")
    raise Unavailable(text, retry_after=30)


def _trace(error: PluginError) -> str:
    """Return how a plugin failed, for its author; only where one develops."""
    if not current_app.extensions["kehu.settings"].development or error.__cause__ is None:
        return ""
    return "".join(traceback.format_exception(error.__cause__))


def _again(tries: int) -> str:
    query = request.args.to_dict(flat=False)
    query.pop("_try", None)
    if tries:
        query["_try"] = [str(tries)]
    return f"{request.path}?{urlencode(query, doseq=True)}" if query else request.path


def _name(slug: str) -> str:
    record = hooks.host().installed.get(slug)
    return record.name if record is not None else slug
