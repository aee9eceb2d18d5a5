"""Addresses of the frame itself: the language switch, the worker and the manifest of the installed app."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, jsonify, redirect, request

from kehu.core.context import current
from kehu.core.errors import NotFound
from kehu.core.i18n import LOCALES, _
from kehu.web.access import public
from kehu.web.language import COOKIE
from kehu.web.shell import shell_of
from kehu.web.static import DIST, asset_url, manifest

blueprint = Blueprint("web", __name__)

_YEAR = timedelta(days=365)


def local_path(target: str, otherwise: str = "/") -> str:
    """Return a path on this host, whatever a link says; other hosts give ``otherwise``."""
    parts = urlsplit(target)
    safe = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc
    return target if safe else otherwise


@blueprint.route("/language/<code>", methods=["GET", "POST"])
@public
def language(code: str) -> Response:
    """Change the language of this browser and, by POST, of the member."""
    if code not in LOCALES:
        raise NotFound(_("There is no such language here."))
    if request.method == "POST":
        for remember in shell_of(current_app._get_current_object()).remember_language:  # type: ignore[attr-defined]
            remember(current(), code)
    response = redirect(local_path(request.args.get("next", "/")), 303)
    response.set_cookie(COOKIE, code, max_age=_YEAR, samesite="Lax", secure=request.is_secure)
    return response  # type: ignore[return-value]


@blueprint.get("/sw.js")
@public
def worker() -> Response:
    """Serve the worker from the root, so that it may look after every page."""
    response = Response((DIST / manifest()["sw.js"]).read_bytes(), mimetype="application/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/manifest.webmanifest")
@public
def webmanifest() -> Response:
    """Describe the installed app under the tenant's name."""
    tenant = current().tenant
    name = tenant.name if tenant else "Kehu"
    response = jsonify(
        name=name,
        short_name=name[:24],
        id="/",
        start_url="/",
        display="standalone",
        background_color="#f7f8f9",
        theme_color="#00725f",
        icons=[
            {"src": asset_url("logo.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any maskable"}
        ],
    )
    response.mimetype = "application/manifest+json"
    return response
