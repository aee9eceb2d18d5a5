"""The platform's way to the plugin relay, bound once at start."""

from __future__ import annotations

import uuid
from typing import Any

from kehu.core import context
from plugins.host import PluginHost

_host: PluginHost | None = None


def bind(host: PluginHost) -> None:
    """Make a host the one that hooks are called through (`create_app` does)."""
    global _host
    _host = host


def bound() -> bool:
    """Tell whether the plugins are started."""
    return _host is not None


def host() -> PluginHost:
    """Return the host of this process.

    :raises RuntimeError: before `create_app`.
    """
    if _host is None:
        raise RuntimeError("The plugins are not started: call create_app() first.")
    return _host


def enabled() -> frozenset[str]:
    """Return the plugins that are on for the present tenant and can be used in this installation."""
    tenant = context.current().tenant
    return host().live(tenant.plugins) if tenant is not None else frozenset()


def held() -> frozenset[str]:
    """Return the plugins that are on for the present tenant but may not run now; their pages say why."""
    tenant = context.current().tenant
    if tenant is None or not tenant.held:
        return frozenset()
    return host().live(tenant.held) & tenant.held


def first(hook: str, **arguments: Any) -> Any:
    """Return the first answer of the platform's parts to a hook, or None."""
    return host().relay.first(hook, **arguments)


def tenant_by_id(tenant_id: uuid.UUID) -> context.TenantInfo | None:
    """Return a tenant by its id, or None."""
    found: context.TenantInfo | None = first("kehu_tenant_by_id", tenant_id=tenant_id)
    return found
