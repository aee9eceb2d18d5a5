"""The few texts that the browser's script shows by itself, and the help sheet's fixed lines."""

import json
from functools import lru_cache

from flask_babel import get_locale

from kehu.core.i18n import _


def words() -> str:
    """Return the script's texts as JSON for ``data-words``; the keys are what ``app.js`` asks for."""
    return _words(str(get_locale()))


def key_groups() -> str:
    """Return the keys without an element of their own, by group, as JSON for the help sheet."""
    return _key_groups(str(get_locale()))


@lru_cache(maxsize=16)
def _words(_locale: str) -> str:
    return json.dumps(
        {
            "undo": _("Undo"),
            "close": _("Close"),
            "retry": _("Try again"),
            "cancel": _("Cancel"),
            "copied": _("Copied"),
            "undone": _("Taken back"),
            "late": _("There is nothing fresh to undo."),
            "acts": _("What you did"),
            "failed": _("That did not work. What you typed is still here; try again in a moment."),
            "offline": _("No connection. What you type stays here; sending works again when it is back."),
            "signin": _(
                "You were signed out. Sign in again in a new tab, then send once more; your text is kept."
            ),
            "signinLink": _("Sign in"),
            "leave": _("What you typed is not saved yet."),
            "drop": _("Leave without saving"),
            "selected": _("%(num)s selected", num="{n}"),
            "all": _("Select all %(num)s that match", num="{n}"),
            "saved": _("Draft kept"),
            "moved": _("The card is back where it was."),
            "confirm": _("Go on"),
            "other": _("Other keys"),
            "asof": _("Without connection: this is what was read on %(when)s.", when="{n}"),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


@lru_cache(maxsize=16)
def _key_groups(_locale: str) -> str:
    return json.dumps(
        [
            [
                _("Everywhere"),
                [
                    ["/", _("Filter")],
                    ["c", _("Create")],
                    ["mod+z", _("Undo")],
                    ["mod+enter", _("Send or save")],
                    ["escape", _("Close or clear")],
                ],
            ],
            [
                _("Lists"),
                [
                    ["j", _("Next row")],
                    ["k", _("Previous row")],
                    ["enter", _("Open")],
                    ["space", _("Preview")],
                    ["x", _("Select")],
                    ["e", _("Edit in place")],
                ],
            ],
            [
                _("Board"),
                [
                    ["arrows", _("Go from card to card")],
                    ["shift+arrows", _("Move the card")],
                    ["s", _("Choose a stage")],
                ],
            ],
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )
