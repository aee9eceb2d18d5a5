"""Mails that a mail server hands over, on their way to the plugin that takes them (`kehu_mail_received`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kehu.addons.receiving import HOOK, read_mail, receive
from kehu.core import hooks
from kehu.core.context import SYSTEM
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable, run_job_now
from plugins.relay import PluginError
from plugins_builtin.automotive.leads import intake
from plugins_builtin.automotive.leads.models import Lead, LeadMessage
from tests.unit.automotive.adf_dialects import PLAIN, mail_of
from tests.unit.cli.conftest import Run, run

__all__ = ["run"]


def test_a_mail_comes_to_the_plugin_of_its_box(
    shop: Shop, other_shop: Shop, run: Run, tmp_path: Path
) -> None:
    enable(shop, "automotive")
    file = tmp_path / "mail"
    file.write_bytes(mail_of(PLAIN).as_bytes())
    firm = f"{shop.tenant.address}.localhost"
    for _time in range(2):
        assert "Taken in by automotive." in run("mail", "take-in", f"Leads@{firm}", str(file)).output
    for nobody in (
        f"info@{firm}",
        f"leads@{other_shop.tenant.address}.localhost",
        "leads@nonesuch12.localhost",
        "leads",
    ):
        run("mail", "take-in", nobody, str(file), code=67)
    with shop.work() as session:
        message = session.execute(select(LeadMessage)).scalar_one()
        assert (message.channel, message.sender, message.times) == ("mail", "leads@portal.example", 2)
    run_job_now(shop, "automotive.leads_read", message_id=str(message.id))
    with shop.work() as session:
        assert session.execute(select(Lead)).scalar_one().name == "Ann Lee"


def test_a_fault_leaves_the_mail_to_its_server(
    shop: Shop, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enable(shop, "automotive")

    def broken(*_arguments: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(intake, "keep", broken)
    monkeypatch.setattr(hooks.host().relay, "strict", False)
    file = tmp_path / "mail"
    file.write_bytes(mail_of(PLAIN).as_bytes())
    run("mail", "take-in", f"leads@{shop.tenant.address}.localhost", str(file), code=75)
    with shop.work(SYSTEM), pytest.raises(PluginError):
        receive(f"leads@{shop.tenant.address}.localhost", file.read_bytes())
    assert "automotive" in hooks.host().relay.implementers(HOOK, frozenset({"automotive"}))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff",
        b"From: =?x?\nMessage-ID: <\n\n",
        b"From: @@<>\n\nHello",
        b"From: a@[\nMessage-ID: <a@[\nSubject: =?undefined?q?x?=\n\n",
        b"Content-Type: message/rfc822\n\n" * 5000,
    ],
)
def test_rubbish_is_read_without_a_fault(raw: bytes) -> None:
    mail = read_mail("Leads@harbour.example.com", raw)
    assert (mail.box, mail.raw) == ("leads", raw)
    assert "raw" not in repr(mail)
