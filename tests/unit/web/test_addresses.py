"""Addresses of plugins' pages."""

from flask import Flask

from kehu.web.addresses import address_of


def test_an_address_is_built_once_and_takes_its_query() -> None:
    app = Flask("bare")
    app.add_url_rule("/panel", "panel", lambda: "")
    app.add_url_rule("/customers/<customer_id>/panel", "own", lambda customer_id: "")
    with app.test_request_context():
        assert address_of("panel") == "/panel"
        assert address_of("panel", {"customer_id": "1 2"}) == "/panel?customer_id=1+2"
        assert address_of("own", {"customer_id": "12", "tab": "a"}) == "/customers/12/panel?tab=a"
    assert app.extensions["kehu.addresses"] == {"panel": "/panel"}
