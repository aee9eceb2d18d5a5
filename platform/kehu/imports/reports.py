"""What an import tells about itself: counts, repaired names, what was made on the way."""

from __future__ import annotations

from typing import Any, Final

from kehu.imports.models import Import
from kehu.imports.rows import Result

MOST: Final = 200
"""Entries of a list in the report; more are counted, not named."""


def reset(job: Import) -> None:
    """Forget what an earlier run reported."""
    job.done_rows = 0
    job.created_count = job.updated_count = job.unchanged_count = job.error_count = 0
    job.report = {}
    job.message = None
    job.started_at = job.finished_at = None


def add(job: Import, result: Result) -> None:
    """Add what became of a batch."""
    job.created_count += result.created
    job.updated_count += result.updated
    job.unchanged_count += result.unchanged
    job.error_count += len(result.refused)
    report = dict(job.report)
    if len(result.by_type) > 1:
        counts = dict(report.get("by_type", {}))
        for type_name, numbers in result.by_type.items():
            before = counts.get(type_name, [0, 0, 0])
            counts[type_name] = [one + more for one, more in zip(before, numbers, strict=True)]
        report["by_type"] = counts
    if result.repairs:
        report["repairs"] = _counted(report.get("repairs", []), result.repairs)
    if result.left:
        report["left"] = _counted(report.get("left", []), result.left)
    if result.doubles:
        report["doubles"] = _counted(report.get("doubles", []), result.doubles)
    if result.unmapped:
        report["unmapped"] = _counted(report.get("unmapped", []), result.unmapped)
    for type_name, names in result.made_names.items():
        made: dict[str, Any] = dict(report.get("made", {}))
        # A dry run makes the same ones in each batch, so names are counted once.
        known = made.get(type_name, [])
        fresh = [name for name in dict.fromkeys(names) if name not in set(known)]
        made[type_name] = [*known, *fresh][: 20 * MOST]
        report["made"] = made
    job.report = report


def _counted(stored: list[list[Any]], found: Any) -> list[list[Any]]:
    """Return rows of (parts …, how often), the most frequent of them kept."""
    counts = {tuple(entry[:-1]): entry[-1] for entry in stored}
    for key, number in found.items():
        counts[key] = counts.get(key, 0) + number
    return [[*key, number] for key, number in sorted(counts.items(), key=lambda one: -one[1])][:MOST]
