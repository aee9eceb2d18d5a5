"""Where the bytes of files lie: `<var>/files/<tenant>/<first two>/<sha256>`, written once, never changed."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kehu.core import clock
from kehu.core.errors import TooLarge
from kehu.core.i18n import _

CHUNK = 256 * 1024
FRESH_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Bytes that were taken in."""

    sha256: str
    size: int
    head: bytes


class FileStore:
    """Keep and hand out bytes by their hash, apart for each tenant.

    :param root: the installation's folder for files.
    :param most: the largest file in bytes.
    """

    def __init__(self, root: Path, most: int) -> None:
        self.root = root
        self.most = most

    def path(self, tenant_id: uuid.UUID, sha256: str) -> Path:
        """Return where bytes lie."""
        return self.root / str(tenant_id) / sha256[:2] / sha256

    def drop(self, tenant_id: uuid.UUID, sha256: str) -> bool:
        """Remove bytes that no row names any more; what came in within the hour may be about to be named again."""
        path = self.path(tenant_id, sha256)
        try:
            if clock.now().timestamp() - path.stat().st_mtime < FRESH_SECONDS:
                return False
            path.unlink()
        except FileNotFoundError:
            return False
        return True

    def take(self, tenant_id: uuid.UUID, stream: IO[bytes]) -> Stored:
        """Copy a stream into the store, in pieces, and return what it was.

        :raises TooLarge: past the bound; nothing is kept then.
        """
        folder = self.root / str(tenant_id)
        folder.mkdir(parents=True, exist_ok=True)
        digest, size, head = hashlib.sha256(), 0, b""
        handle, name = tempfile.mkstemp(dir=folder, prefix=".incoming-")
        try:
            with os.fdopen(handle, "wb") as target:
                while piece := stream.read(CHUNK):
                    size += len(piece)
                    if size > self.most:
                        raise TooLarge(
                            _(
                                "This file is larger than %(may)s MB. Nothing was kept.",
                                may=self.most // (1024 * 1024),
                            ),
                            fields={"file": [_("This file is too large.")]},
                        )
                    head = head or piece[:4096]
                    digest.update(piece)
                    target.write(piece)
            final = self.path(tenant_id, digest.hexdigest())
            final.parent.mkdir(exist_ok=True)
            # Renaming is atomic: the same bytes sent twice at once end as one file.
            Path(name).replace(final)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return Stored(sha256=digest.hexdigest(), size=size, head=head)
