"""Messages that the platform itself sends to a firm's customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kehu.consent import links
from kehu.consent.recording import MAIL
from kehu.core.i18n import _l
from kehu.messages.texts import Translated, register_template
from plugins.sending import MessageTemplate, Place


def _door(_ctx: Any, message: Any) -> Mapping[str, str]:
    return {"link": links.url(message, *MAIL)}


ASK_CONSENT = register_template(
    MessageTemplate(
        key="kehu.ask_consent",
        label=_l("Ask whether we may send news"),
        purpose="service",
        texts=Translated(
            _l("May we send you news, {name}?"),
            _l(
                "Hello {name},\n\nwe would like to tell you now and then what is new at {firm}. "
                "We do so only if you say yes:\n{link}\n\nIf you do nothing, nothing changes.\n\n{sender}\n{firm}"
            ),
        ),
        places=(
            Place(
                name="link",
                label=_l("Page on which the person says yes"),
                example="https://example.com/o/…",
                secret=True,
            ),
        ),
        secrets=_door,
    )
)
