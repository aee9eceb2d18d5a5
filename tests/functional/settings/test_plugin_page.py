"""The page of one plugin: what it is, the plan, on, off, purge with counts, call back, and what goes wrong."""

from __future__ import annotations

from kehu.addons.incidents import quarantine
from kehu.testkit.fixtures import Shop

PAGE = "/settings/plugins/automotive"


def test_a_plugin_goes_on_off_and_its_data_can_be_called_back(shop: Shop) -> None:
    client = shop.client()
    assert f'href="{PAGE}"' in client.get("/settings/plugins").text
    page = client.get(PAGE).text
    for words in ("What it does", "Not switched on", "Switching it on", "automotive.protection", "Free"):
        assert words in page, words
    assert "Its data" not in page
    assert client.post(f"{PAGE}/on", data={"agreed": "something_else"}).status_code == 409
    assert client.post(f"{PAGE}/on", data={"agreed": "automotive", "next": PAGE}).location == PAGE
    assert "Switching it off" in client.get(PAGE).text
    assert client.post(f"{PAGE}/purge", data={"name": "Car dealer"}).status_code == 409
    assert client.post(f"{PAGE}/off", data={"dependants": "1"}).status_code == 303
    page = client.get(PAGE).text
    for words in ("Off, data kept", "p_automotive.vehicles", "Rights of roles"):
        assert words in page, words
    wrong = client.post(f"{PAGE}/purge", data={"name": "Car deeler"})
    assert wrong.status_code == 422
    assert "Car deeler" in wrong.text
    assert client.post(f"{PAGE}/keep").status_code == 409
    assert client.post(f"{PAGE}/purge", data={"name": "Car dealer", "next": PAGE}).status_code == 303
    assert "Keep the data" in client.get(PAGE).text
    assert client.post(f"{PAGE}/keep").status_code == 303
    assert "Off, data kept" in client.get(PAGE).text


def test_one_that_rests_is_let_run_again(shop: Shop) -> None:
    client = shop.client()
    client.post(f"{PAGE}/on")
    with shop.work():
        assert quarantine("automotive", "KeyError: 'vin'")
    page = client.get(PAGE).text
    assert "Rests after repeated faults" in page
    assert "KeyError" in page
    assert client.post(f"{PAGE}/resume").status_code == 303
    assert "Let it run again" not in client.get(PAGE).text


def test_it_is_for_those_who_may_manage_plugins(shop: Shop) -> None:
    client = shop.client(shop.member("member"))
    assert client.get(PAGE).status_code == 403
    for act in ("on", "off", "purge", "keep", "resume"):
        assert client.post(f"{PAGE}/{act}").status_code == 403
    assert shop.client().get("/settings/plugins/nonsense").status_code == 404
