"""A real browser for tests: what it shows is checked for accessibility, policy violations, errors and weight."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from kehu.dev import chromium

AXE = Path(__file__).parents[3] / "var" / "dev-assets" / "axe.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Widths that every page is looked at: a desk and a phone.
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
_SHIFT = """() => new Promise(done => new PerformanceObserver(list => done(list.getEntries()
  .filter(entry => !entry.hadRecentInput).reduce((sum, entry) => sum + entry.value, 0)))
  .observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 50))"""


@dataclass
class Window:
    """A page of the browser and everything it complained about."""

    page: Any
    problems: list[str] = field(default_factory=list)
    sent: list[tuple[str, int]] = field(default_factory=list)

    def watch(self) -> None:
        """Note errors of scripts, violations of the policy and the weight of what is loaded."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("requestfinished", self._loaded)

    def _said(self, message: Any) -> None:
        text = str(message.text)
        expected = "Failed to load resource" in text or "preload" in text
        if message.type in ("error", "warning") and not expected:
            self.problems.append(text)

    def _loaded(self, request: Any) -> None:
        sizes = request.sizes()
        self.sent.append((request.url, sizes["responseBodySize"] + sizes["responseHeadersSize"]))

    def go(self, url: str) -> None:
        """Open an address and wait until it rests."""
        self.page.goto(url)
        self.rest()

    def rest(self, milliseconds: int = 120) -> None:
        """Wait until nothing is being loaded, and a moment longer for what is painted after."""
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(milliseconds)

    def axe(self) -> list[str]:
        """Return what axe-core objects to on the page as it stands."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}}).then(result => result.violations)",
            RULES,
        )
        return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]

    def check(self, label: str = "") -> None:
        """Fail when the page is not accessible, broke its policy or threw an error."""
        found = [*self.axe(), *self.problems]
        assert not found, f"{label or self.page.url}: {found}"

    def weight(self) -> int:
        """Return the bytes that were loaded since the last call."""
        total = sum(size for _, size in self.sent)
        self.sent.clear()
        return total

    def shift(self) -> float:
        """Return how far the layout jumped while it was built up."""
        return float(self.page.evaluate(_SHIFT))


class _Silent(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: a failed test shows what matters."""


def _whole(app: Flask) -> WSGIApplication:
    """Hand answers over whole: the server of tests leaves a file open when the browser hangs up in its midst."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        parts: Any = app(environ, start_response)
        try:
            return [b"".join(parts)]
        finally:
            if hasattr(parts, "close"):
                parts.close()

    return answer


@contextmanager
def serve(app: Flask, port: int = 0) -> Iterator[int]:
    """Serve an application on a free port of this machine within the block."""
    server = make_server("127.0.0.1", port, _whole(app), threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Any]:
    """One headless Chromium for all tests."""
    from playwright.sync_api import sync_playwright

    path = chromium.find()
    if path is None:
        pytest.fail(chromium.ADVICE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_window(chromium_browser: Any) -> Iterator[Callable[..., Window]]:
    """Open windows: ``open_window("phone", dark=True, locale="ru")``."""
    contexts = []

    def open_one(size: str = "desk", *, dark: bool = False, locale: str = "en-GB") -> Window:
        width, height = SIZES[size]
        context = chromium_browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale=locale,
        )
        contexts.append(context)
        window = Window(context.new_page())
        window.watch()
        return window

    yield open_one
    for context in contexts:
        context.close()
