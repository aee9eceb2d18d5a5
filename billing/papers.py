"""Invoices as PDF, in Latin, Cyrillic and Chinese; those of the demo say so all over the page."""

from __future__ import annotations

import io
from typing import Any

from flask_babel import get_locale
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from billing import modes, taxes
from billing.models import Account, Invoice
from billing.notices import day_of
from billing.web import words
from kehu.core.context import TenantInfo
from kehu.core.i18n import _
from kehu.core.money import show
from kehu.core.paper import paragraph
from plugins.results import BillingMode

STAMP = "DEMO"


def draw(invoice: Invoice, account: Account, tenant: TenantInfo) -> bytes:
    """Return an invoice as a PDF of A4, in the language of the reader."""
    locale = str(get_locale() or "en")
    demo = modes.mode() is BillingMode.DEMO

    def text(content: str, size: float = 10, after: float = 3) -> Paragraph:
        return paragraph(content, locale, size, after)

    def money(amount: int) -> str:
        return show(amount, invoice.currency, locale)

    rows = [(words.line_text(line), money(int(line["amount"]))) for line in invoice.lines]
    rows += [
        (_("Net"), money(invoice.net)),
        (taxes.reason(invoice.tax_note) or _("Tax"), money(invoice.tax)),
        (_("Total"), money(invoice.total)),
    ]
    state = words.INVOICE_STATES.get(invoice.status)
    seller = modes.seller() if modes.mode() is BillingMode.MANUAL else ()
    due = invoice.due_at if invoice.status == "open" else None
    story: list[Any] = [
        *(text(line, 8, 1) for line in seller),
        Spacer(1, 6 * mm),
        text(_("Invoice %(number)s", number=invoice.number), 18, 8),
        text(day_of(invoice.made_at, tenant.zone)),
        Spacer(1, 4 * mm),
        text(account.legal_name or tenant.name, 11),
        *(text(line) for line in account.address.splitlines()),
        *([text(_("Tax id %(number)s", number=account.tax_id))] if account.tax_id else []),
        Spacer(1, 6 * mm),
        _table([[text(label), text(amount)] for label, amount in rows]),
        Spacer(1, 6 * mm),
        text(str(state[0]) if state else invoice.status),
        *([text(_("Please pay until %(date)s.", date=day_of(due, tenant.zone)))] if due else []),
    ]
    if demo:
        story.append(text(_("Demo: no money moves. Amounts are examples.")))
    kept = io.BytesIO()
    margin = 20 * mm
    document = SimpleDocTemplate(
        kept,
        pagesize=A4,
        leftMargin=margin,
        rightMargin=margin,
        topMargin=margin,
        bottomMargin=margin,
        title=invoice.number,
        lang=locale.replace("_", "-"),
    )
    stamp = _stamp if demo else _plain
    document.build(story, onFirstPage=stamp, onLaterPages=stamp)
    return kept.getvalue()


def _table(rows: list[list[Paragraph]]) -> Table:
    table = Table(rows, colWidths=[125 * mm, 45 * mm])
    rule = ("LINEBELOW", (0, 0), (-1, -1), 0.3, "#bbbbbb")
    table.setStyle(
        TableStyle([rule, ("LEFTPADDING", (0, 0), (0, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    )
    return table


def _stamp(canvas: Any, _document: Any) -> None:
    """Write across the page that this is no real paper."""
    canvas.saveState()
    canvas.setFont("Helvetica-Bold", 110)
    canvas.setFillGray(0.88)
    canvas.translate(A4[0] / 2, A4[1] / 2)
    canvas.rotate(45)
    canvas.drawCentredString(0, 0, STAMP)
    canvas.restoreState()


def _plain(_canvas: Any, _document: Any) -> None:
    """Leave the page as it is."""
