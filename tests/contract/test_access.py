"""Every endpoint names a permission, asks for a signed-in person, or stands on the list below."""

from __future__ import annotations

import pytest
from flask import Flask

from kehu.core.permissions import registered
from kehu.web.access import PUBLIC, SIGNED_IN, USER

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
    # what it is
    "dashboard.show",
    "tenants.welcome",
    "tenants.prices",
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


def access_of(app: Flask, endpoint: str) -> str | None:
    """Return what an endpoint asks for, whether the view is a function or a class with one method each."""
    view = app.view_functions[endpoint]
    found: str | None = getattr(view, "kehu_access", None)
    if found is None and hasattr(view, "view_class"):
        found = getattr(view.view_class, "kehu_access", None)
    return found


def test_every_endpoint_says_who_may_open_it(app: Flask) -> None:
    silent = sorted(rule.endpoint for rule in app.url_map.iter_rules() if not access_of(app, rule.endpoint))
    assert not silent


def test_every_permission_that_a_page_asks_for_is_registered(app: Flask) -> None:
    known = {*registered(), PUBLIC, SIGNED_IN, USER}
    asked = {rule.endpoint: access_of(app, rule.endpoint) for rule in app.url_map.iter_rules()}
    unknown = {endpoint: code for endpoint, code in asked.items() if code and code not in known}
    assert not unknown


def test_only_what_stands_on_the_list_is_public(app: Flask) -> None:
    public = {rule.endpoint for rule in app.url_map.iter_rules() if access_of(app, rule.endpoint) == PUBLIC}
    assert public == OPEN_TO_ALL, sorted(public ^ OPEN_TO_ALL)


@pytest.mark.parametrize("word", ["delete", "erase", "export", "import"])
def test_no_public_page_changes_records(word: str) -> None:
    assert not [endpoint for endpoint in OPEN_TO_ALL if word in endpoint]
