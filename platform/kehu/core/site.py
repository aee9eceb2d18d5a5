"""Where a firm is reached: at its name under the base domain, and at a domain of its own that was checked."""

from __future__ import annotations

import ipaddress

from flask import current_app, request

from kehu.config import Settings
from kehu.core.context import TenantInfo

DOMAIN = "domain"
"""Under which name a firm's settings hold the domain of its own that serves it."""


def _settings() -> Settings:
    found: Settings = current_app.extensions["kehu.settings"]
    return found


def domain_of(tenant: TenantInfo) -> str:
    """Return the domain of its own that serves a firm, or nothing."""
    return str(tenant.settings.get(DOMAIN) or "")


def url_of(tenant: TenantInfo) -> str:
    """Return the public address of a firm, without a path: that of its own domain, if one serves it."""
    settings, domain = _settings(), domain_of(tenant)
    if not domain:
        return settings.base_url(tenant.address)
    return f"https://{domain}" if settings.https else f"http://{domain}:{settings.port}"


def host() -> str:
    """Return the host name of the request, without the port."""
    return request.host.rsplit(":", 1)[0].lower().rstrip(".")


def is_own() -> bool:
    """Tell whether the request's host is the installation's own: the base domain, or a bare address of the machine."""
    found = host()
    if found == _settings().base_domain:
        return True
    try:
        ipaddress.ip_address(found.strip("[]"))
    except ValueError:
        return False
    return True


def sub_domain() -> str:
    """Return the name under the base domain that the request was sent to, or nothing."""
    found, suffix = host(), f".{_settings().base_domain}"
    return found.removesuffix(suffix) if found.endswith(suffix) else ""


def names(tenant: TenantInfo) -> bool:
    """Tell whether the request's host is that of a firm."""
    return sub_domain() == tenant.address or (bool(domain_of(tenant)) and host() == domain_of(tenant))


def base_of(tenant: TenantInfo) -> str:
    """Return the address of a firm under the base domain, which no domain of its own takes away."""
    return _settings().base_url(tenant.address)
