"""`python -m tests.functional.billing.localstripe.serve`: localstripe as it is, on a loopback port that it prints.

Its own command listens on every address, wants a port, and writes all it holds to one file in /tmp after each change.
"""

from __future__ import annotations

import socket
import sys

from aiohttp import web
from localstripe import resources, server


def main() -> None:
    """Serve until the process is ended."""
    resources.Store.dump_to_disk = lambda _self: None
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        web.run_app(server.app, sock=listening, print=None, access_log=None)


if __name__ == "__main__":
    main()
