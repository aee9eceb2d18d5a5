"""Find the browser of the browser tests; on Debian, as root, install it when it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ADVICE = (
    "The browser tests need Chromium and it is not here. Install it (Debian: apt-get install chromium) "
    "or name one in KEHU_CHROMIUM, then run make browser."
)


def find() -> str | None:
    """Return the path of a Chromium, or None."""
    given = os.environ.get("KEHU_CHROMIUM")
    found = [shutil.which(name) for name in ((given,) if given else NAMES)]
    return next((path for path in found if path), None)


def install() -> bool:
    """Install Debian's package; return whether it went well."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print("Installing Debian's chromium for the browser tests …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
        done = subprocess.run(
            ["apt-get", *arguments],
            check=False,
            env=environment,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            return False
    return True


def main() -> int:
    """Make sure that there is a Chromium."""
    if find() or (install() and find()):
        return 0
    print(ADVICE, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
