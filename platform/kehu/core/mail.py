"""Mails of the product: a job enqueued with the change that causes it, delivered by SMTP, retried.

A mail has a name, `<feature>/mail/<name>`, with two templates beside each other: `.txt`, whose first line is the
subject, and `.html`. Secrets of links are made at delivery by a function registered with `values_for`, so that
the queue never holds them.
"""

from __future__ import annotations

import smtplib
import ssl
import uuid
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from flask import current_app
from flask_babel import force_locale
from sqlalchemy.orm import Session

from kehu.core import clock, context, db, hooks, jobs
from kehu.core.errors import Unavailable
from kehu.core.i18n import LOCALES

log = structlog.get_logger(__name__)

TIMEOUT = 20

Values = dict[str, Any]
_makers: dict[str, Callable[[Session, Values], Values | None]] = {}


def values_for(template: str) -> Callable[[Callable[[Session, Values], Values | None]], Any]:
    """Register a function that completes a mail's values at delivery; None means that it is no longer wanted."""

    def register(
        maker: Callable[[Session, Values], Values | None],
    ) -> Callable[[Session, Values], Values | None]:
        _makers[template] = maker
        return maker

    return register


def configured() -> bool:
    """Tell whether this installation can send mail."""
    return bool(current_app.extensions["kehu.settings"].mail_url)


def send(session: Session, to: str, template: str, *, locale: str = "", **values: Any) -> None:
    """Send a mail after the running transaction commits.

    :param template: name of the mail, for example `accounts/mail/reset`.
    :param locale: language of the reader; the tenant's when not given.
    :param values: plain values for the templates; no secrets (see `values_for`).
    """
    tenant = context.current().tenant
    language = locale if locale in LOCALES else (tenant.locale if tenant is not None else "en")
    jobs.enqueue(session, deliver, to=to, template=template, locale=language, values=values)


@jobs.platform_task("kehu.mail.deliver", queue="mail")
def deliver(
    to: str, template: str, locale: str, values: Values, tenant_id: str | None = None, **_whose: Any
) -> None:
    """Render one mail and hand it to the mail server; a failure raises, so that the job tries again.

    :param tenant_id: the tenant in whose name it is sent; mails about accounts have none.
    """
    with force_locale(locale), db.unit_of_work() as session:
        tenant = hooks.tenant_by_id(uuid.UUID(tenant_id)) if tenant_id else None
        if tenant is not None:
            db.bind_tenant(tenant)
        maker = _makers.get(template)
        complete = maker(session, values) if maker is not None else values
        if complete is None:
            log.info("mail_not_wanted", template=template)
            return
        message = compose(to, template, complete)
    transmit(message)


def compose(to: str, template: str, values: Values) -> EmailMessage:
    """Return a mail with a text and an HTML part in the present language."""
    settings = current_app.extensions["kehu.settings"]
    known = {"base_url": settings.base_url(), **values}
    environment = current_app.jinja_env
    subject, _line, text = environment.get_template(f"{template}.txt").render(known).partition("\n")
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.mail_from
    message["To"] = to
    # A name that somebody typed must not start another header.
    message["Subject"] = " ".join(subject.split())
    message["Date"] = formatdate(clock.now().timestamp())
    message["Message-ID"] = make_msgid(
        domain=parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
    )
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.strip() + "\n")
    message.add_alternative(environment.get_template(f"{template}.html").render(known), subtype="html")
    return message


def transmit(message: EmailMessage) -> None:
    """Hand a mail to the server of `KEHU_MAIL_URL`.

    :raises Unavailable: when none is configured.
    """
    url = urlsplit(current_app.extensions["kehu.settings"].mail_url)
    if not url.hostname:
        raise Unavailable("No mail server is configured. Set KEHU_MAIL_URL, then run this job again.")
    secure = url.scheme == "smtps"
    port = url.port or (465 if secure else 587 if url.username else 25)
    tls = ssl.create_default_context()
    connect: Any = smtplib.SMTP_SSL if secure else smtplib.SMTP
    options = {"context": tls} if secure else {}
    with connect(url.hostname, port, timeout=TIMEOUT, **options) as server:
        if not secure and url.username:
            # A password never crosses the wire in the open.
            server.starttls(context=tls)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(message)
