"""The side bar: its order, the lines that a member hides, the phone's menu."""

from __future__ import annotations

import re

HTMX = {
    "HX-Request": "true",
    "HX-Request-Type": "partial",
    "HX-Current-URL": "http://localhost/deals?view=all",
}


def lines(text):
    """Return the labels of the side bar's lines, and of those under “More”."""
    nav = re.search(r'<nav class="k-nav" aria-label="Sections">.*?</nav>', text, re.DOTALL).group(0)
    shown, _sign, more = nav.partition("<details")
    return [re.findall(r'data-nav-key="([^"]+)"', part) for part in (shown, more)]


def test_settings_stand_last(shop):
    shown, more = lines(shop.client().get("/account").text)
    assert shown[0] == "home"
    assert shown[-1] == "settings"
    assert not more


def test_hidden_lines_stand_under_more_and_come_back(shop):
    client = shop.client()
    shown, _more = lines(client.get("/account").text)
    kept = [key for key in shown if key != "surveys"]
    answer = client.post("/side-bar", data={"line": kept}, headers=HTMX)
    assert answer.headers["HX-Redirect"] == "/deals?view=all"
    page = client.get("/account").text
    after, more = lines(page)
    assert more == ["surveys"]
    assert after == kept
    undo = re.search(r'data-undo="([^"]+)"', page).group(1).replace("&amp;", "&")
    client.post(undo, headers=HTMX)
    assert lines(client.get("/account").text) == [shown, []]


def test_home_and_settings_can_not_be_hidden(shop):
    client = shop.client()
    client.post("/side-bar", data={}, headers=HTMX)
    shown, more = lines(client.get("/account").text)
    assert shown == ["home", "settings"]
    assert "customers" in more
    client.post("/side-bar/hidden", headers=HTMX)
    assert "customers" in lines(client.get("/account").text)[0]


def test_a_choice_is_the_members_own(shop):
    mine, theirs = shop.client(), shop.client(shop.member("member"))
    mine.post("/side-bar", data={}, headers=HTMX)
    assert "customers" in lines(theirs.get("/account").text)[0]


def test_the_phone_reaches_every_line_and_signs_out(shop):
    text = shop.client().get("/menu", headers=HTMX | {"HX-Target": "dialog#dialog"}).text
    for way in (
        "/settings",
        "/tickets",
        "/reports",
        "/account",
        "/trash",
        "/logout",
        "/language/ru?next=%2Fdeals",
    ):
        assert way in text, way


def test_lines_of_plugins_stand_between_work_and_settings(shop):
    from kehu.web.shell import GROUPS, Context, NavItem, Shell

    given = [
        NavItem(key, key, f"/{key}", "box", group=group)
        for key, group in (
            ("settings", "office"),
            ("cars", "plugins"),
            ("home", "work"),
            ("drives", "plugins"),
        )
    ]
    shell = Shell(nav=[lambda _now: given])
    assert GROUPS == ("work", "plugins", "office")
    assert [item.key for item in shell.lines(Context()).shown] == ["home", "cars", "drives", "settings"]
