"""Fixtures of the browser tests."""

from __future__ import annotations

from kehu.testkit.window import chromium_browser, open_window

__all__ = ["chromium_browser", "open_window"]
