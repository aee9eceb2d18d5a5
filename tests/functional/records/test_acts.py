"""What a member did, act by act, with its way back; the trash that comes back as a page."""

from __future__ import annotations

import re

from kehu.testkit.fixtures import count_queries


def acts(text):
    """Return the names and the undo addresses of the acts on a page."""
    rows = re.findall(r'<tr id="a-.*?</tr>', text, re.DOTALL)
    return [
        (
            re.search(r"<b>(.*?)</b>", row).group(1),
            re.search(r'data-undo="([^"]+)"', row).group(1) if "data-undo" in row else "",
        )
        for row in rows
    ]


def test_a_bulk_act_is_one_line_and_comes_back_at_once(browser, make, read):
    ids = make("Acme", "Birch", "Cedar")
    browser.post("/customers/bulk/trash", {"ids": ",".join(map(str, ids))})
    with count_queries() as found:
        page = browser.get("/acts")
    assert len(found) <= 8, found.texts
    (name, undo), *_others = acts(page.text)
    assert "and 2 more" in name
    assert "Moved to the trash" in page.text
    assert browser.post(undo).status_code == 204
    assert all(read(one).deleted_at is None for one in ids)


def test_acts_of_others_are_not_shown(browser, browser_of, make):
    make("Acme")
    assert "Acme" in browser.get("/acts").text
    assert "You changed nothing yet" in browser_of("member").get("/acts").text


def test_a_page_ends_where_an_act_ends(browser, make, monkeypatch):
    from kehu.web.records import acts as module

    monkeypatch.setattr(module, "READ", 4)
    make(*[f"Late {number}" for number in range(6)])
    make("Early")
    first = browser.get("/acts").text
    assert [name for name, _undo in acts(first)] == ["Early", "“Late 5” and 5 more"]
    after = re.search(r'href="(/acts\?after=[^"]+)"', first).group(1)
    assert "Late" not in browser.get(after).text


def test_a_page_of_the_trash_comes_back_at_once(browser, make, read):
    ids = make("Acme", "Birch")
    browser.post("/customers/bulk/trash", {"ids": ",".join(map(str, ids))})
    page = browser.get("/trash").text
    assert "Restore these 2" in page
    assert "Members of households" not in page
    marks = re.findall(r'name="record" value="([^"]+)"', page)
    assert browser.post("/trash/restore", {"record": marks}, target="").status_code == 204
    assert all(read(one).deleted_at is None for one in ids)
    assert browser.post("/trash/restore", {"record": marks}).status_code == 404


def test_what_a_role_may_not_restore_stays(browser, browser_of, make, read):
    (one,) = make("Acme")
    browser.post("/customers/bulk/trash", {"ids": str(one)})
    answer = browser_of("viewer").post("/trash/restore", {"record": [f"customers:{one}", "nothing:1"]})
    assert answer.status_code in (204, 403, 404)
    assert read(one, trashed=True).deleted_at is not None
