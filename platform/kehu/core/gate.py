"""The one place where billing stops work: before something is written, and before a feature of a larger plan.

Services name a right before they write; the rights that write are refused here while a firm may only read. What
is looked after in the firm itself (members, settings, plugins), exports and erasure stay possible.
"""

from __future__ import annotations

from typing import Any

from kehu.core import context, hooks
from kehu.core.errors import KehuError
from kehu.core.i18n import _

ALWAYS = frozenset({"read", "export", "manage", "erase", "close", "grant"})
"""What rights end in that never write records; who was let in can be shut out whatever is owed."""


class PaymentNeeded(KehuError):
    """Raised when the state of billing does not allow it; the message names the next step."""

    code, status, title = "payment_needed", 402, "Only reading for now"


class FeatureNeeded(PaymentNeeded):
    """Raised when the firm's plan does not have what is asked for."""

    title = "Not in your plan"


class Paused(PaymentNeeded):
    """Raised for the pages of an add-on that the firm may not have now; nothing of it is lost."""

    title = "Paused for now"


def refuse_writing(actor: context.Actor, permission: str) -> None:
    """Refuse a right that writes while the firm may only read.

    What comes in by itself (leads, answers to surveys) is taken in by the product and is not refused, so that
    nothing is lost.

    :raises PaymentNeeded: with the next step.
    """
    if actor.kind == "system" or permission.rpartition(":")[2] in ALWAYS or not hooks.bound():
        return
    tenant = context.current().tenant
    state: Any = hooks.first("kehu_billing_state", tenant_id=tenant.id) if tenant is not None else None
    if state is None:
        return
    if state.read_only:
        raise PaymentNeeded(str(state.refusal), phase=state.phase, page=state.page)
    if state.stopped and str(actor.member_id) in state.stopped:
        raise PaymentNeeded(
            _(
                "Your firm has more people than seats, so that you can read but not change anything. "
                "Ask an owner to add a seat or to park somebody, under Settings, Plan and seats."
            ),
            phase=state.phase,
            page=state.page,
        )


def require_feature(key: str, name: Any) -> None:
    """Refuse what the firm's plan does not have.

    :param name: what people call the feature.
    :raises PaymentNeeded: names the feature and where plans are changed.
    """
    tenant_id = context.tenant().id
    if hooks.first("kehu_entitled", tenant_id=tenant_id, slug=f"feature:{key}") is False:
        state: Any = hooks.first("kehu_billing_state", tenant_id=tenant_id)
        raise FeatureNeeded(
            _(
                "Your plan does not have “%(feature)s”. "
                "An owner or admin changes the plan under Settings, Plan and seats.",
                feature=str(name),
            ),
            feature=key,
            page=state.page if state is not None else "",
        )
