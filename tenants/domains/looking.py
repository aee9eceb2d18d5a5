"""Asking name servers whether a domain is a firm's, and leads to us."""

from __future__ import annotations

from dataclasses import dataclass

import dns.exception
import dns.resolver

WAIT = 5.0
"""Seconds for one question, all tries together."""
LABEL = "_kehu"
PREFIX = "kehu-verify="
_GONE = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)
"""Answers that say for sure that there is no such record."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What the name servers say.

    :param error: nothing when all is right; txt or target when that record is wrong; dns when nobody answered, which
        says nothing about the records.
    :param seen: what stands in the place of the wrong record.
    """

    error: str = ""
    seen: str = ""


def record_name(host: str) -> str:
    """Return the name of the TXT record that proves whose a domain is."""
    return f"{LABEL}.{host}"


def look(host: str, token: str, target: str, server: str = "") -> Finding:
    """Look whether a domain has the token of a firm and leads to this installation.

    :param target: the host that it must lead to, by CNAME or by the same addresses.
    :param server: address and port of a name server; those of the system when not given.
    """
    resolver = _resolver(server)
    try:
        texts = _ask(resolver, record_name(host), "TXT")
        if f"{PREFIX}{token}" not in texts:
            return Finding(error="txt", seen=", ".join(texts)[:200])
        aliases = _ask(resolver, host, "CNAME")
        if target in aliases:
            return Finding()
        theirs, ours = (set(_addresses(resolver, name)) for name in (host, target))
        if theirs and theirs <= ours:
            return Finding()
        return Finding(error="target", seen=", ".join([*aliases, *sorted(theirs)])[:200])
    except dns.exception.DNSException as error:
        return Finding(error="dns", seen=type(error).__name__)


def _resolver(server: str) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=not server)
    if server:
        address, _colon, port = server.rpartition(":")
        resolver.nameservers, resolver.port = [address], int(port)
    resolver.lifetime = WAIT
    return resolver


def _ask(resolver: dns.resolver.Resolver, name: str, kind: str) -> list[str]:
    try:
        answer = resolver.resolve(name, kind, search=False)
    except _GONE:
        return []
    if kind == "TXT":
        return [b"".join(one.strings).decode("utf-8", "replace") for one in answer]
    return [one.to_text().rstrip(".").lower() for one in answer]


def _addresses(resolver: dns.resolver.Resolver, name: str) -> list[str]:
    return _ask(resolver, name, "A") + _ask(resolver, name, "AAAA")
