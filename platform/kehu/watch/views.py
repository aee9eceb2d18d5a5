"""`/healthz`, `/readyz` and `/metrics`, for machines."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, abort, jsonify, request
from flask.blueprints import BlueprintSetupState
from prometheus_client import CONTENT_TYPE_LATEST

from kehu.watch import checks, metrics
from kehu.web.access import public

blueprint = Blueprint("watch", __name__)


@blueprint.record_once
def _measure(state: BlueprintSetupState) -> None:
    app = state.app
    assert isinstance(app, Flask)
    metrics.init_metrics(app)


@blueprint.get("/healthz")
@public
def health() -> Response:
    """Tell that the process lives; whoever starts it again on failure asks this."""
    return _plain(jsonify(status="ok"))


@blueprint.get("/readyz")
@public
def ready() -> Response:
    """Tell whether the process can answer: database, migrations, queue. Whoever spreads requests asks this."""
    states = checks.readiness()
    fine = all(state == checks.OK for state in states.values())
    response = jsonify(status="ok" if fine else "not ready", checks=states)
    response.status_code = 200 if fine else 503
    return _plain(response)


@blueprint.get("/metrics")
@public
def show_metrics() -> Response:
    """Give Prometheus its figures; it asks each process group directly, so what came through a proxy is refused."""
    if request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded"):
        abort(404)
    return _plain(Response(metrics.exposition(), content_type=CONTENT_TYPE_LATEST))


def _plain(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
