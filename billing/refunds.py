"""What an operator gives back: credit notes, and refunds, which are credit notes whose money goes to the payer.

For pages and commands of operators; both act as an actor of the kind `system`, whose name stands in the firm's trail:

    service = RefundService(session)                 # of the tenant that is bound; raises Forbidden for others
    invoice = service.invoice("2027-00012")          # by number or provider's id, raises NotFound
    service.left(invoice) -> Left                    # .currency, .credit, .refund: the most, in minor units
    service.credit(invoice, amount, reason, request_id=…) -> Given
    service.refund(invoice, amount, reason, request_id=…) -> Given
    service.state(request_id) -> Given | None        # .state: pending, sent, done, failed; .error: the provider's word
    service.given() -> list[CreditNote]              # the newest first

`amount` is in minor units with tax, None for all that is left. `request_id` (a new UUID that the form carries) makes
a second press of the button the same request. In the mode stripe the worker carries it out with a key that is saved
before; elsewhere it is done when the call returns. Neither changes what the firm may do, but that an open invoice of
which nothing is left counts as paid.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from billing import modes
from billing.accounts import AccountService
from billing.mirror import converge
from billing.models import CreditNote, Invoice
from billing.providers.ledger import LedgerProvider
from billing.purchases import PurchaseService
from billing.stripe.operations import OperationService
from kehu.core import context
from kehu.core.errors import Forbidden, InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.money import show
from kehu.core.text import clean
from plugins.results import BillingMode

LONGEST_REASON = 200
SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class Left:
    """The most that can still be credited on an invoice, and paid back, in minor units with tax."""

    currency: str
    credit: int
    refund: int


@dataclass(frozen=True, kw_only=True)
class Given:
    """What became of a request: pending, sent, done or failed; `error` is the provider's word for why it failed."""

    request_id: uuid.UUID
    state: str
    error: str = ""


class RefundService:
    """Give money back to the present tenant, as the operator.

    :raises Forbidden: for members of the firm, and where nothing is billed.
    """

    def __init__(self, session: Session) -> None:
        if context.actor().kind != "system":
            raise Forbidden(_("Only whoever runs this installation gives money back."))
        if modes.mode() is BillingMode.OFF:
            raise Forbidden(_("Billing is switched off in this installation."))
        self.session = session
        self.accounts = AccountService(session)

    def invoice(self, name: str) -> Invoice:
        """Return an invoice of the firm by its number, or by the id that the provider gave it.

        :raises NotFound: when there is none.
        """
        wanted = or_(Invoice.number == name, Invoice.provider_id == name)
        found = self.session.execute(select(Invoice).where(wanted).limit(1)).scalar_one_or_none()
        if found is None or not name:
            raise NotFound(_("There is no invoice %(number)s.", number=name))
        return found

    def left(self, invoice: Invoice) -> Left:
        """Return what can still be given back of an invoice."""
        statement = select(func.sum(CreditNote.total), func.sum(CreditNote.refunded)).where(
            CreditNote.invoice_id == invoice.provider_id, CreditNote.status == "issued"
        )
        credited, refunded = (int(one or 0) for one in self.session.execute(statement).one())
        rest = max(invoice.total - credited, 0)
        if invoice.status == "open":
            return Left(currency=invoice.currency, credit=min(rest, invoice.due), refund=0)
        if invoice.status != "paid":
            return Left(currency=invoice.currency, credit=0, refund=0)
        back = max(min(rest, invoice.paid - refunded), 0)
        return Left(currency=invoice.currency, credit=rest, refund=back)

    def credit(self, invoice: Invoice, amount: int | None, reason: str, *, request_id: uuid.UUID) -> Given:
        """Take back a part of an invoice, or all: an open one is reduced, of a paid one the next one is.

        :raises InvalidInput: names the field: amount or reason.
        """
        return self._give("credit", invoice, amount, reason, request_id)

    def refund(self, invoice: Invoice, amount: int | None, reason: str, *, request_id: uuid.UUID) -> Given:
        """Pay back what was paid for an invoice, in part or whole, the way it came; the credit note says so.

        :raises InvalidInput: names the field: amount or reason.
        """
        return self._give("refund", invoice, amount, reason, request_id)

    def state(self, request_id: uuid.UUID) -> Given | None:
        """Return what became of a request; None for one that was never made."""
        found = OperationService(self.session).find(request_id)
        if found is not None:
            return Given(request_id=request_id, state=found.state, error=found.error)
        known = CreditNote.provider_id == _note_id(request_id)
        made = self.session.execute(select(CreditNote.id).where(known)).first()
        return Given(request_id=request_id, state="done") if made is not None else None

    def given(self) -> list[CreditNote]:
        """Return the firm's credit notes, the newest first."""
        statement = select(CreditNote).order_by(CreditNote.made_at.desc(), CreditNote.id.desc())
        return list(self.session.execute(statement.limit(SHOWN)).scalars())

    # --- inside -------------------------------------------------------------------------------------------

    def _give(
        self, kind: str, invoice: Invoice, amount: int | None, reason: str, request_id: uuid.UUID
    ) -> Given:
        account = self.accounts.lock()
        known = self.state(request_id)
        if known is not None:
            return known
        self.session.refresh(invoice)  # Somebody may have given back before us, under the lock.
        amount, reason = self._checked(kind, invoice, amount, reason)
        money = show(amount, invoice.currency, "en")
        self.accounts.note(
            kind, {"invoice": [None, invoice.number], "amount": [None, money], "reason": [None, reason]}
        )
        if modes.mode() is BillingMode.STRIPE:
            desired = {
                "invoice": invoice.provider_id,
                "amount": amount,
                "paid": invoice.status == "paid",
                "reason": reason,
                "request": str(request_id),
            }
            made = OperationService(self.session).give_back(request_id, kind, desired)
            return Given(request_id=request_id, state=made.state)
        purchases = PurchaseService(self.session)
        provider = purchases.provider
        assert isinstance(provider, LedgerProvider)
        provider.give_back(
            invoice.provider_id, amount, refund=kind == "refund", reason=reason, note_id=_note_id(request_id)
        )
        converge(self.session, provider.fetch(purchases.party(account)))
        return Given(request_id=request_id, state="done")

    def _checked(self, kind: str, invoice: Invoice, amount: int | None, reason: str) -> tuple[int, str]:
        """Return amount and reason once they make sense."""
        left, errors = self.left(invoice), {}
        most = left.refund if kind == "refund" else left.credit
        wanted = most if amount is None else amount
        if not 0 < wanted <= most:
            errors["amount"] = [self._too_much(kind, invoice, most)]
        said = clean(reason)
        if not said:
            errors["reason"] = [_("Write why; it stands on the credit note and in the firm's trail.")]
        elif len(said) > LONGEST_REASON:
            errors["reason"] = [_("Write the reason in %(num)s characters or fewer.", num=LONGEST_REASON)]
        if errors:
            raise InvalidInput(_("Some answers need another look; what you typed is kept."), fields=errors)
        return wanted, said

    @staticmethod
    def _too_much(kind: str, invoice: Invoice, most: int) -> str:
        amount = show(most, invoice.currency, "en")
        if not most and kind == "refund":
            return _("Nothing of invoice %(number)s can be paid back.", number=invoice.number)
        if not most:
            return _("Nothing of invoice %(number)s can be credited.", number=invoice.number)
        return _(
            "Write an amount up to %(amount)s: that is left of invoice %(number)s.",
            amount=amount,
            number=invoice.number,
        )


def _note_id(request_id: uuid.UUID) -> str:
    return f"note_{request_id}"
