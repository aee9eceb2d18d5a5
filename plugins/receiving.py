"""What plugins get of a mail that comes in."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedMail:
    """A mail to an address of the firm, as the mail server handed it over.

    :param recipient: to whom it was handed, as `leads@harbour.example.com`; the To header may say something else.
    :param sender: the address in its From header, which anybody can write.
    :param message_id: its Message-ID; the same mail may come twice.
    :param raw: the whole message (RFC 5322).
    """

    recipient: str
    sender: str = ""
    message_id: str = ""
    subject: str = ""
    raw: bytes = field(repr=False)

    @property
    def box(self) -> str:
        """Return the part before the @, in small letters."""
        return self.recipient.rpartition("@")[0].lower()
