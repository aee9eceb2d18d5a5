from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from kehu.dev import mailcatcher, settings


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Run a catcher that writes into the test's folder."""
    number = settings.free_port()
    server = mailcatcher.controller(tmp_path / "mail", number)
    server.start()
    yield number
    server.stop()


def send(port: int, subject: str) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "kehu@example.com", "mira@example.com"
    message.set_content("Здравствуйте, 您好")
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as smtp:
        smtp.send_message(message, to_addrs=["mira@example.com", "hidden@example.com"])


def test_a_mail_becomes_a_file_with_its_real_recipients(port: int, tmp_path: Path):
    send(port, "Your address — 您好")
    (file,) = (tmp_path / "mail").glob("*.eml")
    kept = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert kept["Subject"] == "Your address — 您好"
    assert kept["X-Envelope-To"] == "mira@example.com, hidden@example.com"
    assert "您好" in kept.get_content()


def test_the_oldest_beyond_the_bound_are_dropped(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mailcatcher, "KEPT", 2)
    for number in range(4):
        send(port, f"Mail {number}")
    files = sorted((tmp_path / "mail").glob("*.eml"))
    subjects = [message_from_bytes(file.read_bytes(), policy=policy.default)["Subject"] for file in files]
    assert subjects == ["Mail 2", "Mail 3"]
