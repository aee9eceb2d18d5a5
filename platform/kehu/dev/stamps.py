"""Remember which steps are done, so that the second start skips what has not changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


class Stamps:
    """Names of steps with a hash of their inputs, in one file; a step is recorded after it went well."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._known: dict[str, str] = self._load()

    def fresh(self, step: str, value: str) -> bool:
        """Tell whether the step was done with these inputs."""
        return self._known.get(step) == value

    def record(self, step: str, value: str) -> None:
        """Record that the step was done with these inputs."""
        self._known[step] = value
        self.file.parent.mkdir(parents=True, exist_ok=True)
        half = self.file.with_suffix(".new")
        half.write_text(json.dumps(self._known, indent=1, sort_keys=True))
        half.replace(self.file)

    def _load(self) -> dict[str, str]:
        try:
            loaded = json.loads(self.file.read_text())
        except (OSError, ValueError):
            # Missing, or cut short by a crash: all steps are due.
            return {}
        return loaded if isinstance(loaded, dict) else {}


def hash_files(files: Iterable[Path], *parts: str) -> str:
    """Return a hash over names and contents of files and over further inputs."""
    digest = hashlib.sha256("\0".join(parts).encode())
    for file in sorted(files):
        digest.update(b"\0" + str(file).encode() + b"\0")
        digest.update(file.read_bytes() if file.is_file() else b"-")
    return digest.hexdigest()
