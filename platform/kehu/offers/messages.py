"""The mail of an offer, for rules that have no words of their own in the recipient's language."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.messages.texts import Translated, register_template
from plugins.sending import MessageTemplate, Place

OFFER = register_template(
    MessageTemplate(
        key="kehu.offer",
        label=_l("Offer before a day"),
        purpose="marketing",
        texts=Translated(
            _l("{thing}: until {day}"),
            _l(
                "Hello {name},\n\nfor “{thing}” {day} is the day. If you wish, we make you an offer for what comes "
                "after. Answer this mail or call us.\n\n{sender}\n{firm}"
            ),
        ),
        places=(
            Place(name="thing", label=_l("What it is about"), example="Warranty – Heat pump"),
            Place(name="day", label=_l("Its day"), example="2027-03-15"),
        ),
    )
)
