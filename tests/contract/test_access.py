"""Every endpoint names a permission, asks for a signed-in person, or stands on the list below."""

from __future__ import annotations

import pytest
from flask import Flask

from kehu.core import hooks
from kehu.core.permissions import registered
from kehu.web.access import PUBLIC, SIGNED_IN, USER
from kehu.web.security import PROVEN
from plugins.blueprint import PUBLIC_ROUTES, VISITOR, access_of
from plugins.path_guard import plugin_of_path

OPEN_TO_ALL = {
    # signing in, up and out
    "accounts.login",
    "accounts.login_post",
    "accounts.second",
    "accounts.second_post",
    "accounts.logout",
    "accounts.reset",
    "accounts.reset_post",
    "accounts.reset_password",
    "accounts.reset_password_post",
    "accounts.confirm",
    "accounts.enter",
    "members.invitation",
    "members.invitation_post",
    "tenants.signup",
    "tenants.signup_post",
    "tenants.proposal",
    "tenants.code",
    "tenants.code_post",
    # a firm's customers, by a signed link
    "consent.door",
    "consent.answer",
    "surveys.asked",
    "surveys.answer",
    # what it is
    "dashboard.show",
    "tenants.welcome",
    "tenants.prices",
    # a proxy that asks which domains are firms'
    "tenants.domain_served",
    # the frame: language, the worker and the manifest of the installed app
    "web.language",
    "web.worker",
    "web.webmanifest",
    # trial installations only
    "dev.mails",
    "dev.mail",
    # watching; no data of anybody
    "watch.health",
    "watch.ready",
    "watch.show_metrics",
    # the description of the API; its calls need a token
    "rest.page",
    "rest.openapi",
}


OPEN_TO_VISITORS: set[str] = {
    "automotive_drive_link.choose",
    "automotive_drive_link.take",
    "automotive_drive_link.thanks",
    "automotive_leads.take_in",
}
"""Pages of built-in plugins that need no account, at a firm's own address."""

PROVEN_BY_TOKEN = {
    "automotive_drive_link.choose",
    "automotive_drive_link.take",
    "automotive_drive_link.thanks",
    "automotive_leads.take_in",
    "consent.answer",
    "surveys.answer",
}
"""Pages without an account that take posts by a token or signature in place of the forgery token."""


def asked(app: Flask) -> dict[str, str]:
    """Return what each endpoint asks for."""
    return {rule.endpoint: access_of(app.view_functions[rule.endpoint]) for rule in app.url_map.iter_rules()}


def test_every_endpoint_says_who_may_open_it(app: Flask) -> None:
    assert not [endpoint for endpoint, access in asked(app).items() if not access]


def test_every_permission_that_a_page_asks_for_is_registered(app: Flask) -> None:
    known = {*registered(), PUBLIC, SIGNED_IN, USER, VISITOR}
    unknown = {endpoint: code for endpoint, code in asked(app).items() if code and code not in known}
    assert not unknown


def test_only_what_stands_on_the_list_is_public(app: Flask) -> None:
    public = {endpoint for endpoint, access in asked(app).items() if access == PUBLIC}
    assert public == OPEN_TO_ALL, sorted(public ^ OPEN_TO_ALL)


def test_only_plugins_that_may_have_pages_for_visitors(app: Flask) -> None:
    rules = [
        one for one in app.url_map.iter_rules() if access_of(app.view_functions[one.endpoint]) == VISITOR
    ]
    assert {rule.endpoint for rule in rules} == OPEN_TO_VISITORS
    for rule in rules:
        record = hooks.host().installed.get(plugin_of_path(rule.rule) or "")
        assert record is not None
        assert record.manifest is not None
        assert PUBLIC_ROUTES in record.manifest.capabilities


def test_forms_need_their_token_unless_the_request_proves_itself(app: Flask) -> None:
    proven = {name for name, view in app.view_functions.items() if getattr(view, PROVEN, False)}
    assert proven == PROVEN_BY_TOKEN
    assert proven <= OPEN_TO_VISITORS | OPEN_TO_ALL


@pytest.mark.parametrize("word", ["delete", "erase", "export", "import"])
def test_no_public_page_changes_records(word: str) -> None:
    assert not [endpoint for endpoint in OPEN_TO_ALL if word in endpoint]
