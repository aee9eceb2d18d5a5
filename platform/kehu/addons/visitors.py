"""Pages of plugins for people and programs without an account: a booking link, a form, a lead that comes in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from flask import abort, request, url_for

from kehu.addons.records import ACTIONS
from kehu.core import context, hooks, site
from kehu.web import limits
from kehu.web.security import PROVEN
from plugins.blueprint import ACCESS, VISITOR
from plugins.path_guard import plugin_of_path

F = TypeVar("F", bound=Callable[..., Any])

RATE = "60 per minute"


def public(*, rate: str = RATE, proof: Callable[..., bool] | None = None) -> Callable[[F], F]:
    """Open a page of a plugin to anybody at the firm's own address, as `https://harbour.example.com/x/…`.

    The manifest must name the capability `public_routes`. At any other address, and for a firm that has the plugin
    off, the page does not exist. The view acts as the plugin: with its own permissions and the scopes of its
    manifest, whoever looks.

    :param rate: how often one network address may ask, for example "10 per hour".
    :param proof: gets what the address holds, and returns whether the request proves itself (a token, a signature);
        if not, the page does not exist. With a proof, programs may post without a forgery token.
    """

    def decorate(view: F) -> F:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            slug = plugin_of_path(request.path) or ""
            if not at_home():
                abort(404)
            limits.count(rate, "visitor", str(context.tenant().id), str(request.endpoint), limits.address())
            with context.use(actor=plugin_actor(slug)):
                if proof is not None and not proof(**kwargs):
                    abort(404)
                return view(*args, **kwargs)

        setattr(guarded, ACCESS, VISITOR)
        setattr(guarded, PROVEN, proof is not None)
        return guarded  # type: ignore[return-value]

    return decorate


def at_home() -> bool:
    """Tell whether the request names the present tenant by its host, not only by the choice in a cookie."""
    tenant = context.current().tenant
    return tenant is not None and site.names(tenant)


def plugin_actor(slug: str) -> context.Actor:
    """Return a plugin as the one who acts: its own rights, and what its manifest says it reads and writes."""
    host = hooks.host()
    record = host.installed.get(slug)
    manifest = record.manifest if record else None
    codes = {one.code for owner, one in host.declarations.permissions if owner == slug}
    codes |= {
        f"{one.name}:{action}"
        for owner, one in host.declarations.records
        if owner == slug
        for action in ACTIONS
    }
    if manifest is not None:
        codes |= {*manifest.reads, *manifest.writes, *(_read(scope) for scope in manifest.writes)}
    return context.Actor(
        kind="plugin",
        name=manifest.name if manifest else slug,
        role="plugin",
        permissions=dict.fromkeys(sorted(codes), "all"),
    )


def _read(scope: str) -> str:
    return f"{scope.partition(':')[0]}:read"


def public_url(endpoint: str, **values: Any) -> str:
    """Return the whole address of a public page at the present tenant's own host."""
    base: str = site.url_of(context.tenant())
    return base + url_for(endpoint, _external=False, **values)
