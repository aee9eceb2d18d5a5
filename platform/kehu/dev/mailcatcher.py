"""A mail server for `make run` that delivers nothing: each mail becomes a file in a folder."""

from __future__ import annotations

import argparse
import signal
import threading
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from kehu.core.ids import new_id

KEPT = 500


class Catcher:
    """Write each mail to `<id>.eml`; ids are ordered by time, the oldest beyond 500 are dropped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd names it
        """Keep one mail."""
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        message = message_from_bytes(raw, policy=default)
        message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        name = new_id()
        half = self.folder / f".{name}"
        half.write_bytes(message.as_bytes())
        half.rename(self.folder / f"{name}.eml")
        for old in sorted(self.folder.glob("*.eml"))[:-KEPT]:
            old.unlink(missing_ok=True)
        return "250 Kept"


def controller(folder: Path, port: int) -> Controller:
    """Return the server, not yet started."""
    # The class comes without types, so its arguments are not checked.
    options: dict[str, Any] = {"hostname": "127.0.0.1", "port": port, "data_size_limit": 50_000_000}
    return Controller(Catcher(folder), **options)


def main() -> None:
    """Run until a signal asks to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = controller(arguments.folder, arguments.port)
    server.start()
    stop.wait()
    server.stop()


if __name__ == "__main__":
    main()
