"""What is to go from the plugin API: told at load with file and line, until it is gone."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from plugins.manifest import Manifest


class KehuPluginDeprecation(DeprecationWarning):
    """Says that a plugin uses what is to go: what it is, with which API it goes, and what to use instead."""


OLD_NAMES: Final[dict[str, tuple[str, str]]] = {}
"""Names that are to go from `kehu.api`: old name -> (the new name, the API with which the old one goes)."""


def renamed(name: str, *, level: int = 3) -> str | None:
    """Return what a name of `kehu.api` is called now, and tell who asked for the old one; None for any other.

    :param level: how many calls above this one the asker stands.
    """
    if name not in OLD_NAMES:
        return None
    new, version = OLD_NAMES[name]
    warnings.warn(
        KehuPluginDeprecation(f"kehu.api.{name} goes with plugin API {version}. Use {new}."), stacklevel=level
    )
    return new


@contextmanager
def noted(found: list[str]) -> Iterator[None]:
    """Keep what is told within the block as lines with file and line; other warnings go their usual way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", KehuPluginDeprecation)
        try:
            yield
        finally:
            others = [one for one in caught if not issubclass(one.category, KehuPluginDeprecation)]
            told = [one for one in caught if issubclass(one.category, KehuPluginDeprecation)]
            found += dict.fromkeys(f"{one.filename}:{one.lineno}: {one.message}" for one in told)
    for one in others:
        warnings.showwarning(one.message, one.category, one.filename, one.lineno)


def of_manifest(manifest: Manifest | None) -> list[str]:
    """Return what a plugin says of its own end."""
    if manifest is None or manifest.status != "deprecated":
        return []
    ends = f" It ends on {manifest.end_date}." if manifest.end_date else ""
    follows = f" Use {manifest.replaced_by} instead." if manifest.replaced_by else ""
    return [f"Its author gives it up.{ends}{follows}"]
