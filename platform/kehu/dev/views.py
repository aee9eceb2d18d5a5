"""Pages of trial installations only: the mails that the local catcher keeps."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from flask import Blueprint, current_app
from markupsafe import Markup

from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.web.access import public
from kehu.web.render import render_page

blueprint = Blueprint("dev", __name__)

KEPT = 100
_NAME = re.compile(r"[0-9a-f-]{36}")
_LINK = re.compile(r"https?://[^\s<>\"]+")


def _folder() -> Path:
    settings = current_app.extensions["kehu.settings"]
    if not (settings.development or settings.testing):
        raise NotFound(_("This page exists only in trial installations."))
    folder: Path = settings.var / "mail"
    return folder


def _read(file: Path) -> EmailMessage:
    message = message_from_bytes(file.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    return str(part.get_content()) if part is not None else ""


def _linked(text: str) -> Markup:
    """Return a text with its addresses as links; the rest is escaped."""
    parts: list[Markup] = []
    start = 0
    for found in _LINK.finditer(text):
        parts += [
            Markup.escape(text[start : found.start()]),
            Markup('<a href="{0}">{0}</a>').format(found[0]),
        ]
        start = found.end()
    return Markup("").join([*parts, Markup.escape(text[start:])])


@blueprint.get("/dev/mail")
@public
def mails() -> Any:
    """List the mails, newest first."""
    rows = []
    for file in sorted(_folder().glob("*.eml"), reverse=True)[:KEPT]:
        message = _read(file)
        rows.append(
            {"id": file.stem, "to": message["To"], "subject": message["Subject"], "date": message["Date"]}
        )
    return render_page("dev/mails.html", rows=rows)


@blueprint.get("/dev/mail/<name>")
@public
def mail(name: str) -> Any:
    """Show the text of one mail."""
    file = _folder() / f"{name}.eml"
    if not _NAME.fullmatch(name) or not file.is_file():
        raise NotFound(_("There is no such mail."))
    message = _read(file)
    return render_page(
        "dev/mail.html",
        subject=message["Subject"],
        to=message["To"],
        date=message["Date"],
        text=_linked(_text(message)),
    )
