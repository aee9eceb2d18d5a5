"""Mails that come in, on their way to the plugin that takes them."""

from __future__ import annotations

from kehu.addons.calls import call
from kehu.core import context, hooks, mailbox
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
    """Return a mail with what its headers say; headers that can't be read count as they were written."""
    mail = mailbox.headers_of(raw)
    return ReceivedMail(
        recipient=recipient,
        sender=mailbox.sender(mail)[1],
        message_id=mailbox.header(mail, "Message-ID"),
        subject=mailbox.header(mail, "Subject"),
        raw=raw,
    )
