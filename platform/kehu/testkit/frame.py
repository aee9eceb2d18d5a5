"""An application with the frame of pages alone: no database, no feature. For tests of the frame."""

from __future__ import annotations

import uuid

from flask import Flask, Response, request
from flask_babel import Babel
from markupsafe import Markup

from kehu.core import context
from kehu.core.context import Actor, Context, TenantInfo
from kehu.web import pages, style_page
from kehu.web.security import CSP
from kehu.web.shell import Command, NavItem, init_shell, shell_of


def make_frame() -> Flask:
    """Return an application that draws the style pages for a made-up member."""
    app = Flask("kehu.web", static_folder=None)
    app.secret_key = "test"
    app.testing = True
    Babel(app, locale_selector=lambda: request.cookies.get("kehu_locale") or "en")
    init_shell(app)
    app.register_blueprint(style_page.blueprint)
    shell = shell_of(app)
    shell.nav.append(
        lambda _: [
            NavItem("home", "Home", "/style/home", "home", hotkey="g h", phone=True),
            NavItem("contacts", "Contacts", "/style/list", "users", hotkey="g c", phone=True),
            NavItem("deals", "Deals", "/style/board", "layout-kanban", 3, "g d", phone=True),
            NavItem("tickets", "Tickets", "/style/ticket", "lifebuoy", hotkey="g t", phone=True),
        ]
    )
    shell.commands.append(lambda _: [Command("New deal", "/style/dialog", hotkey="c d")])
    app.before_request(_enter)
    app.after_request(_headers)
    app.add_url_rule("/palette", "palette", _palette)
    app.add_url_rule("/drafts/<key>", "draft", _draft, methods=["PUT"])
    assert pages.blueprint.name in app.blueprints
    return app


def _enter() -> None:
    tenant = TenantInfo(id=uuid.UUID(int=1), address="harbour", name="Harbour & Co", currency="GBP")
    context.set_context(
        Context(tenant=tenant, actor=Actor(name="Mira <b>Sol</b>", member_id=uuid.UUID(int=2)))
    )


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CSP
    return response


def _palette() -> str:
    wanted = request.args.get("q", "").casefold()
    option = Markup('<a role="option" aria-selected="false" id="p-{0}" href="/style/record?id={0}">{1}</a>')
    return Markup("").join(
        option.format(at, name) for at, name in enumerate(style_page.FIRMS) if wanted in name.casefold()
    )


def _draft(key: str) -> Response:
    return Response(status=204)
