"""One guard before all plugin pages: what a tenant has not switched on does not exist.

A guard on the blueprint would come too late: Flask answers a wrong method with 405 and a missing slash with
308 before a blueprint is asked, and both tell that the plugin is there.
"""

import re
from collections.abc import Callable
from typing import Final

from flask import Flask, request
from werkzeug.exceptions import NotFound

_MARK: Final = "/x/"
_PLUGIN_PATH: Final = re.compile(r"/(?:api/v\d+/)?x/([^/]+)(?:/|$)")
_SLASHES: Final = re.compile(r"/{2,}")


def plugin_of_path(path: str) -> str | None:
    """Return the slug of the plugin whose page a path asks for, or None for a page of the platform.

    Doubled slashes count as one, because routing would redirect them to the page.
    """
    if _MARK not in path:
        return None
    match = _PLUGIN_PATH.match(_SLASHES.sub("/", path))
    return match[1] if match else None


def install_path_guard(
    app: Flask, enabled: Callable[[], frozenset[str]], held: Callable[[str], None] = lambda _slug: None
) -> None:
    """Answer 404 for every page of a plugin that is off, whatever the method and the slashes.

    Call it after the tenant of a request is known and before anything that looks at the route.

    :param enabled: returns the plugins of the present tenant.
    :param held: raises what is to be said about a plugin that is switched on but may not run now.
    """

    def guard() -> None:
        slug = plugin_of_path(request.path)
        if slug is None or slug in enabled():
            return
        held(slug)
        # Nothing later (the plugin's own error pages, metrics, navigation) may see which route it would have
        # been.
        request.url_rule = None
        request.view_args = None
        request.routing_exception = NotFound()
        raise request.routing_exception

    app.before_request(guard)
