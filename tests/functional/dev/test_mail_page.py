"""The page of caught mails, and the way of a mail from the queue to a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from kehu.core import mail
from kehu.core.errors import Unavailable
from kehu.dev.mailcatcher import controller
from kehu.dev.settings import free_port
from kehu.testkit.browser import browser


@pytest.fixture
def catcher(app: Flask) -> Iterator[Path]:
    """A mail server that keeps mails where the page looks."""
    kept = app.extensions["kehu.settings"]
    folder, port = kept.var / "mail", free_port()
    app.extensions["kehu.settings"] = replace(kept, mail_url=f"smtp://127.0.0.1:{port}")
    server = controller(folder, port)
    server.start()
    yield folder
    server.stop()
    app.extensions["kehu.settings"] = kept


def test_a_mail_arrives_and_shows(app: Flask, catcher: Path) -> None:
    values = {"code": "123456", "name": "<b>Anna</b>", "firm": "Harbour\r\nBcc: evil@example.com"}
    mail.deliver(to="anna@example.com", template="accounts/mail/code", locale="en", values=values)
    (file,) = catcher.glob("*.eml")
    raw = file.read_text()
    assert "\nBcc: evil@example.com" not in raw.partition("\n\n")[0]
    client = browser(app)
    assert "123456 is your code for Kehu" in client.get("/dev/mail").get_data(as_text=True)
    page = client.get(f"/dev/mail/{file.stem}").get_data(as_text=True)
    assert "&lt;b&gt;Anna&lt;/b&gt;" in page
    assert client.get("/dev/mail/../secret").status_code == 404
    assert client.get(f"/dev/mail/{'0' * 36}").status_code == 404


def test_a_server_that_is_down_raises_so_that_the_job_tries_again(app: Flask) -> None:
    kept = app.extensions["kehu.settings"]
    values = {"code": "1", "name": "A", "firm": "F"}
    with pytest.raises(Unavailable, match="KEHU_MAIL_URL"):
        mail.deliver(to="a@example.com", template="accounts/mail/code", locale="en", values=values)
    app.extensions["kehu.settings"] = replace(kept, mail_url=f"smtp://127.0.0.1:{free_port()}")
    try:
        with pytest.raises(OSError, match="refused"):
            mail.deliver(to="a@example.com", template="accounts/mail/code", locale="en", values=values)
    finally:
        app.extensions["kehu.settings"] = kept
