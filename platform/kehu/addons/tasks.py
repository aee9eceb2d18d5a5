"""Jobs of the add-ons: the delivery of events."""

from __future__ import annotations

from kehu.addons.calls import deliver

__all__ = ["deliver"]
