"""Mails that come in, on their way to the plugin that takes them."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default
from email.utils import parseaddr

from kehu.addons.calls import call
from kehu.core import context, hooks
from kehu.core.mailbox import header
from plugins.receiving import ReceivedMail

HOOK = "kehu_mail_received"


def receive(recipient: str, raw: bytes) -> str:
    """Offer a mail to the plugins of the present tenant, and return the slug of the one that took it.

    :raises PluginError: from a plugin's exception; the mail is to be handed over again.
    """
    mail = read_mail(recipient, raw)
    relay = hooks.host().relay
    for slug in relay.implementers(HOOK, hooks.enabled()):
        if relay.run_one(HOOK, slug, tenant=context.tenant().id, ctx=call(slug), mail=mail):
            return slug
    return ""


def read_mail(recipient: str, raw: bytes) -> ReceivedMail:
    """Return a mail with what its headers say; headers that can't be read count as empty."""
    mail = message_from_bytes(raw, policy=default)
    return ReceivedMail(
        recipient=recipient,
        sender=parseaddr(header(mail, "From"))[1][:254],
        message_id=header(mail, "Message-ID"),
        subject=header(mail, "Subject"),
        raw=raw,
    )
