"""Run ``billing-e2e`` unmodified against a double: this launcher only redirects the address of Stripe.

``python -m tests.stripe_double.e2e http://127.0.0.1:PORT run scenarios --junit report.xml``.
With a test key no launcher is needed: ``STRIPE_TEST_KEY=sk_test_… billing-e2e run scenarios``.
"""

from __future__ import annotations

import sys
from typing import Any

import stripe
from billing_e2e import cli


def main() -> None:
    """Take the address off the command line and hand the rest over."""
    address, *rest = sys.argv[1:]
    assert address.startswith("http://127.0.0.1:"), "the launcher redirects to a double on this machine only"
    original = stripe.StripeClient

    def redirected(key: str, **options: Any) -> stripe.StripeClient:
        return original(key, base_addresses={"api": address}, **options)

    stripe.StripeClient = redirected  # type: ignore[assignment,misc]
    cli.main(rest)


if __name__ == "__main__":
    main()
