"""A small name server on loopback: it answers from a table, over UDP, as real ones do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


@dataclass
class NameServer:
    """What it answers.

    :param records: (name, kind) -> values; a name without the kind has no such record, others do not exist.
    :param silent: whether it answers nothing, as one that is down.
    """

    port: int = 0
    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    silent: bool = False
    broken: bool = False
    asked: int = 0

    @property
    def address(self) -> str:
        """Address and port."""
        return f"127.0.0.1:{self.port}"

    def answer(self, data: bytes) -> bytes:
        """Return the answer to a question."""
        question = dns.message.from_wire(data)
        found = dns.message.make_response(question)
        found.flags |= dns.flags.RA
        asked = question.question[0]
        name, kind = asked.name.to_text().rstrip(".").lower(), asked.rdtype.name
        self.asked += 1
        if self.broken:
            found.set_rcode(dns.rcode.SERVFAIL)
        elif values := self.records.get((name, kind)):
            found.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *values))
        elif not any(known == name for known, _kind in self.records):
            found.set_rcode(dns.rcode.NXDOMAIN)
        return found.to_wire()


@contextmanager
def serve() -> Iterator[NameServer]:
    """Run a name server until the end of the block."""
    made = NameServer()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        door.settimeout(0.05)
        made.port, over = door.getsockname()[1], threading.Event()

        def work() -> None:
            while not over.is_set():
                try:
                    data, asker = door.recvfrom(4096)
                except TimeoutError:
                    continue
                if not made.silent:
                    door.sendto(made.answer(data), asker)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield made
        finally:
            over.set()
            thread.join()
