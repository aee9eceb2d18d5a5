"""What this costs: said honestly."""

from __future__ import annotations

from typing import Any

from kehu.core import context, hooks
from kehu.settings.views import blueprint
from kehu.web.access import needs
from kehu.web.render import render_page


@blueprint.get("/settings/billing")
@needs("settings:manage")
def billing() -> Any:
    """Show where the firm stands with billing."""
    state = hooks.first("kehu_billing_state", tenant_id=context.tenant().id)
    return render_page("settings/billing.html", mode=str(state.mode.value) if state is not None else "off")
