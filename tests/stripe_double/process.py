"""Start the double as a process of its own, and talk to it as the application would."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import stripe

from tests.stripe_double import sdk

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk_test_double"
# Method and path of each request that was answered with 200.
ASKED: set[tuple[str, str]] = set()


class Checking(stripe.RequestsClient):
    """The SDK's own client; each answer that passes is held to the SDK's types."""

    def request(self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None) -> Any:
        """Send a request and check what comes back."""
        content, status, back = super().request(method, url, headers, post_data)
        if status == 200:
            ASKED.add((method.upper(), urlsplit(url).path))
            wrong = sdk.problems(json.loads(content))
            assert not wrong, wrong
        return content, status, back


class Running:
    """A running double: its address, a client and its control route."""

    def __init__(self, port: int, process: subprocess.Popen[str]) -> None:
        self.port, self.process = port, process
        self.url = f"http://127.0.0.1:{port}"
        self.client = self.new_client()

    def new_client(self, retries: int = 0, timeout: tuple[float, float] = (3, 15)) -> stripe.StripeClient:
        """Build a client as the gateway does, with answers checked."""
        return stripe.StripeClient(
            KEY,
            base_addresses={"api": self.url},
            http_client=Checking(timeout=timeout),
            max_network_retries=retries,
        )

    def control(self, order: str, **given: Any) -> Any:
        """Give an order to the control route."""
        answer = requests.post(f"{self.url}/_control/{order}", json=given, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @staticmethod
    def asked() -> set[tuple[str, str]]:
        """Return what the clients of this process asked and got."""
        return ASKED

    def press(self, url: str, **form: str) -> requests.Response:
        """Send a stand-in page's form as a browser does, without following where it leads."""
        return requests.post(url, data=form, timeout=30, allow_redirects=False)


@contextlib.contextmanager
def running(*options: str) -> Iterator[Running]:
    """Run a double until the block ends."""
    command = [sys.executable, "-m", "tests.stripe_double", "--port", "0", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield Running(int(process.stdout.readline()), process)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
