"""Writes the files of a new plugin: a small whole one that passes its own tests, to be changed from there."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

from plugins.api_version import API_VERSION
from plugins.manifest import SLUG

FILES: Final = Path(__file__).parent / "data" / "scaffold"
"""The files of a plugin, each with `.txt` behind its name and `@word@` for what differs."""

RECORD_FILES: Final = FILES.with_name("scaffold_record")
"""What is other in a plugin whose visits are a record type: these files replace or join the ones above."""

_WITHOUT: Final = frozenset(
    f"package/{name}.txt" for name in ("permissions.py", "pages/slug/list.html", "pages/slug/new.html")
)
"""What a plugin with a record type has no use for: the platform brings rights, list and forms."""

_PLACES: Final[Mapping[str, str]] = {
    "gitignore": ".gitignore",
    "ci.yml": ".github/workflows/check.yml",
}
"""Files that lie elsewhere than in the scaffold, where tools would take them for their own; so would they `pages`."""


class ScaffoldError(ValueError):
    """Raised when a plugin can't be begun; the message says why and what to do."""


def package_of(slug: str) -> str:
    """Return the name of a plugin's package."""
    return f"kehu_{slug}"


def write_scaffold(
    slug: str, target: Path, *, name: str = "", record: bool = False, today: date
) -> list[Path]:
    """Write a new plugin into a folder of its own and return the files.

    :param target: the folder; it must not hold anything yet.
    :param name: the plugin's name for people; made from the slug when it is left out.
    :param record: keep visits as a record type, whose pages the platform makes, in place of pages of its own.
    :param today: stands in the name of the first migration.
    :raises ScaffoldError: when the slug can't be used or the folder is in use.
    """
    if not SLUG.fullmatch(slug):
        raise ScaffoldError(
            f"{slug!r} can't be a plugin's slug. Use 3 to 31 small letters, digits and underscores, a letter first."
        )
    if target.exists() and any(target.iterdir()):
        raise ScaffoldError(f"The folder {target} is not empty. Name another one.")
    name = name.strip() or slug.replace("_", " ").capitalize()
    if re.search(r'["\\\n]', name) or len(name) > 60:
        raise ScaffoldError(f"{name!r} can't be a name. Use at most 60 characters, without quotes.")
    words = {
        "slug": slug,
        "dist": slug.replace("_", "-"),
        "package": package_of(slug),
        "name": name,
        "api": str(API_VERSION),
        "date": today.strftime("%Y%m%d"),
    }
    written = []
    for relative, source in sorted(_sources(record).items()):
        path = target / _place(relative, slug, words["date"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(source.read_text(encoding="utf-8"), words), encoding="utf-8")
        written.append(path)
    return written


def _sources(record: bool) -> dict[str, Path]:
    """Return the files of a scaffold by their place in it."""
    found = {path.relative_to(FILES).as_posix(): path for path in FILES.rglob("*.txt")}
    if record:
        found = {name: path for name, path in found.items() if name not in _WITHOUT}
        found |= {path.relative_to(RECORD_FILES).as_posix(): path for path in RECORD_FILES.rglob("*.txt")}
    return found


def _place(source: str, slug: str, day: str) -> Path:
    relative = source.removesuffix(".txt")
    parts = [
        {"package": package_of(slug), "pages": "templates", "slug": slug}.get(part, part)
        for part in _PLACES.get(relative, relative).split("/")
    ]
    renamed = {"slug.po": f"{slug}.po", "first.py": f"{day}_01_visits.py"}
    return Path(*parts[:-1], renamed.get(parts[-1], parts[-1]))


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"@([a-z]+)@", lambda found: words[found[1]], text)
