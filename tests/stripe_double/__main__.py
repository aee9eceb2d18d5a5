"""Start the double: ``python -m tests.stripe_double --port 0 --webhook URL --secret whsec_…``; prints its port."""

from __future__ import annotations

import argparse
import sys

from tests.stripe_double.delivery import Endpoint
from tests.stripe_double.server import Double, serve


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="stripe_double")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--webhook", help="where events go, a loopback address")
    parser.add_argument("--secret", default="whsec_double", help="what webhooks are signed with")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer takes longer")
    asked = parser.parse_args()
    double = Double()
    double.latency = asked.latency
    server = serve(double, asked.port)
    if asked.webhook:
        double.post.endpoints["we_given"] = Endpoint(asked.webhook, [asked.secret])
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
