"""What may be set for the whole firm."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(
        code="settings:manage", sentence=_l("Change the settings of the firm, its pipelines and fields")
    ),
    Permission(code="audit:read", sentence=_l("See who changed what")),
    Permission(code="plugins:manage", sentence=_l("Switch plugins on and off")),
    Permission(code="jobs:manage", sentence=_l("See failed jobs and run them again")),
)
