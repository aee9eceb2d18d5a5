"""Invoices as PDF, in Latin, Cyrillic and Chinese; those of the demo say so all over the page."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Any

from babel import Locale
from flask_babel import get_locale
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from billing import modes, taxes
from billing.models import Account, CreditNote, Invoice
from billing.notices import day_of
from billing.web import words
from kehu.core.context import TenantInfo
from kehu.core.i18n import _
from kehu.core.money import show
from kehu.core.paper import paragraph, text_font
from plugins.results import BillingMode

STAMP = "DEMO"


def draw(invoice: Invoice, account: Account, tenant: TenantInfo) -> bytes:
    """Return an invoice as a PDF of A4, in the language of the reader."""
    paper = _Paper(_buyer(invoice, account, tenant), tenant, invoice.currency)
    state = words.INVOICE_STATES.get(invoice.status)
    due = invoice.due_at if invoice.status == "open" else None
    rows = [(paper.line(line), int(line["amount"])) for line in invoice.lines]
    rows += paper.sums(invoice)
    if invoice.status == "open" and invoice.due != invoice.total:
        rows.append((_("Still to be paid"), invoice.due))
    foot = [*paper.notes(invoice), str(state[0]) if state else invoice.status]
    if due:
        foot.append(_("To be paid until %(date)s.", date=day_of(due, tenant.zone)))
    title = _("Invoice %(number)s", number=invoice.number)
    return paper.drawn(title, invoice.number, invoice.made_at, rows, foot)


def draw_credit_note(note: CreditNote, invoice: Invoice, account: Account, tenant: TenantInfo) -> bytes:
    """Return a credit note on an invoice as a PDF of A4, in the language of the reader."""
    paper = _Paper(_buyer(invoice, account, tenant), tenant, note.currency)
    rows = [(_("Credit on invoice %(number)s", number=invoice.number), note.net), *paper.sums(note)]
    paid = _("The amount is paid back.") if note.refunded else _("The amount is credited to your account.")
    title = _("Credit note %(number)s", number=note.number)
    foot = [*paper.notes(note), paid, _("Reason: %(reason)s", reason=note.reason)]
    return paper.drawn(title, note.number, note.made_at, rows, foot)


def _buyer(invoice: Invoice, account: Account, tenant: TenantInfo) -> Mapping[str, str]:
    """Return whom an invoice was written for; what the firm changes later does not change it."""
    now = {
        "name": account.legal_name or tenant.name,
        "address": account.address,
        "country": account.country or tenant.country,
        "tax_id": account.tax_id,
    }
    return invoice.raw.get("buyer") or now


class _Paper:
    """What invoices and credit notes have in common."""

    def __init__(self, buyer: Mapping[str, str], tenant: TenantInfo, currency: str) -> None:
        self.buyer, self.tenant, self.currency = buyer, tenant, currency
        self.locale = str(get_locale() or "en")
        self.demo = modes.mode() is BillingMode.DEMO

    def text(self, content: str, size: float = 10, after: float = 3) -> Paragraph:
        """Return a paragraph in the reader's language."""
        return paragraph(content, self.locale, size, after)

    def amount(self, content: str) -> Paragraph:
        """Return an amount, which ends at the edge of its column."""
        return paragraph(content, self.locale, 10, 3, right=True)

    def line(self, line: Mapping[str, Any]) -> str:
        """Return a line in words, with the price of one where it stands for several."""
        said, count, amount = words.line_text(line), int(line["seats"]), int(line["amount"])
        if line["code"] not in ("seats", "addon") or count < 2 or amount % count:
            return said
        return f"{said} × {show(amount // count, self.currency, self.locale)}"

    def country(self) -> list[str]:
        """Return the buyer's country, as the reader calls it."""
        names = Locale.parse(self.locale).territories
        code = self.buyer.get("country", "")
        return [str(names[code])] if code in names else []

    @staticmethod
    def sums(of: Invoice | CreditNote) -> list[tuple[str, int]]:
        """Return net, tax with its reason, and total."""
        tax = taxes.reason(of.tax_note) or _("Tax")
        return [(_("Net"), of.net), (tax, of.tax), (_("Total"), of.total)]

    @staticmethod
    def notes(of: Invoice | CreditNote) -> list[str]:
        """Return what the law wants to be said besides the amounts."""
        if of.tax_note != "reverse":
            return []
        return [
            _("Reverse charge: the recipient is liable for the tax (Directive 2006/112/EC, article 196).")
        ]

    def drawn(
        self,
        title: str,
        number: str,
        made_at: dt.datetime,
        rows: Sequence[tuple[str, int]],
        foot: Sequence[str],
    ) -> bytes:
        """Return the whole paper."""
        text, buyer = self.text, self.buyer
        seller = modes.seller() if modes.mode() is BillingMode.MANUAL else ()
        amounts = [(label, show(amount, self.currency, self.locale)) for label, amount in rows]
        story: list[Any] = [
            *(text(line, 8, 1) for line in seller),
            Spacer(1, 6 * mm),
            text(title, 18, 8),
            text(day_of(made_at, self.tenant.zone)),
            Spacer(1, 4 * mm),
            text(buyer["name"], 11),
            *(text(line) for line in [*buyer["address"].splitlines(), *self.country()]),
            *([text(_("Tax id %(number)s", number=buyer["tax_id"]))] if buyer["tax_id"] else []),
            Spacer(1, 6 * mm),
            _table([[text(label), self.amount(amount)] for label, amount in amounts]),
            Spacer(1, 6 * mm),
            *(text(line) for line in foot),
        ]
        if self.demo:
            story.append(text(_("Demo: no money moves. Amounts are examples.")))
        return self._built(story, number)

    def _built(self, story: list[Any], title: str) -> bytes:
        kept = io.BytesIO()
        margin = 20 * mm
        document = SimpleDocTemplate(
            kept,
            pagesize=A4,
            leftMargin=margin,
            rightMargin=margin,
            topMargin=margin,
            bottomMargin=margin,
            title=title,
            lang=self.locale.replace("_", "-"),
        )
        stamp = _stamp if self.demo else _plain
        document.build(story, onFirstPage=stamp, onLaterPages=stamp)
        return kept.getvalue()


def _table(rows: list[list[Paragraph]]) -> Table:
    table = Table(rows, colWidths=[120.7 * mm, 45 * mm])
    rule = ("LINEBELOW", (0, 0), (-1, -1), 0.3, "#bbbbbb")
    table.setStyle(
        TableStyle([rule, ("LEFTPADDING", (0, 0), (0, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    )
    return table


def _stamp(canvas: Any, _document: Any) -> None:
    """Write across the page that this is no real paper."""
    canvas.saveState()
    canvas.setFont(text_font(), 130)
    canvas.setFillGray(0.88)
    canvas.translate(A4[0] / 2, A4[1] / 2)
    canvas.rotate(45)
    canvas.drawCentredString(0, 0, STAMP)
    canvas.restoreState()


def _plain(_canvas: Any, _document: Any) -> None:
    """Leave the page as it is."""
