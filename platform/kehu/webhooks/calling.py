"""One HTTP call to an address that somebody typed: checked, pinned, bounded, never redirected."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import current_app

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
EXCERPT = 500
"""Characters of an answer that are kept."""


class Refused(ValueError):
    """Raised for an address that no call may go to; the text is a reason in plain English for the log."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a call: a status, or none and why."""

    status: int | None
    text: str
    ms: int

    @property
    def good(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


def private_allowed() -> bool:
    """Tell whether this installation may call http and its own network: trials and tests only."""
    settings = current_app.extensions["kehu.settings"]
    return bool(settings.webhooks_private or settings.development)


def parts_of(url: str, *, private: bool) -> SplitResult:
    """Return the parts of an address.

    :raises Refused: unless it is an https address with a host, without credentials (or http, where `private`).
    """
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError as error:
        raise Refused("not an address") from error
    if found.scheme != "https" and not (private and found.scheme == "http"):
        raise Refused("not https")
    if not found.hostname or port == 0 or found.username is not None or found.password is not None:
        raise Refused("no plain host")
    if any(ord(letter) <= 32 or ord(letter) > 126 for letter in url):
        raise Refused("characters that no address has")
    return found


def resolve(host: str, port: int, *, private: bool) -> str:
    """Return the address to connect to.

    :raises Refused: when the name is unknown or any of its addresses lies in a network that is not public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused("the name is not known") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not private and not all(public(address) for address in addresses):
        raise Refused("an address that is not public")
    return addresses[0]


def public(address: str) -> bool:
    """Tell whether an address is one of the public internet, also behind an IPv6 wrapping of IPv4."""
    found: Any = ipaddress.ip_address(address.partition("%")[0])
    if found.version == 6:
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            found = inner
    if found.version == 6:
        # What was to be local before fc00::/7 came counts as global for Python.
        return bool(found.is_global and not (found.is_multicast or found.is_reserved or found.is_site_local))
    return bool(found.is_global and not found.is_multicast and not found.is_reserved)


def call(url: str, body: bytes, headers: Mapping[str, str], *, total: float = TOTAL_SECONDS) -> Answer:
    """Post a body and return what came of it; nothing that the other side does raises."""
    started = time.monotonic()
    try:
        status, text = _post(url, body, headers, total)
    except Refused as error:
        status, text = None, f"Refused: {error}"
    except TimeoutError:
        status, text = None, "No answer in time"
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = time.monotonic() - started >= total
        status, text = None, "No answer in time" if late else f"No connection: {type(error).__name__}"
    return Answer(status=status, text=text[:EXCERPT], ms=int((time.monotonic() - started) * 1000))


def _post(url: str, body: bytes, headers: Mapping[str, str], total: float) -> tuple[int, str]:
    private = private_allowed()
    parts = parts_of(url, private=private)
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection = http.client.HTTPConnection(host, port, timeout=total)
    # Connected to the address that was looked at, so that a second answer of the name server changes nothing.
    plain = socket.create_connection(
        (resolve(host, port, private=private), port), min(CONNECT_SECONDS, total)
    )
    try:
        plain.settimeout(total)
        secure = parts.scheme == "https"
        connection.sock = (
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
        )
        return _exchange(connection, parts, body, headers, total)
    finally:
        connection.close()
        plain.close()


def _exchange(
    connection: http.client.HTTPConnection,
    parts: SplitResult,
    body: bytes,
    headers: Mapping[str, str],
    total: float,
) -> tuple[int, str]:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # Who answers byte by byte never times out; the whole call does.
    end = threading.Timer(total, _hang_up, (connection.sock,))
    end.daemon = True
    end.start()
    try:
        connection.request("POST", path, body, {**headers, "Host": parts.netloc, "Connection": "close"})
        response = connection.getresponse()
        text = response.read(EXCERPT * 4).decode("utf-8", "replace").replace("\x00", "")
        return response.status, text
    finally:
        end.cancel()


def _hang_up(sock: Any) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        sock.close()
