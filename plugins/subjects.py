"""What a plugin says of one person: rows that the platform does not find by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class SubjectReport:
    """The answer to `kehu_subject_data`.

    :param rows: for an export: what it is called, as `leads` -> one mapping of JSON values a row.
    :param erased: for a count or an erasure: words for people -> how many are, or were, removed.
    :param forgotten: for an erasure: ids of rows that stay without the person. Their search terms, files and drafts
        go, and what their history says.
    :param outlive: for a count or an erasure: tables of the plugin, as `chairs`, whose rows stay and are found further
        on, and with them what hangs on these. The hook takes out of them what leads to the person.
    """

    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    erased: Mapping[Any, int] = field(default_factory=dict)
    forgotten: Sequence[UUID] = ()
    outlive: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name, rows in self.rows.items():
            if not all(isinstance(row, Mapping) for row in rows):
                raise ValueError(
                    f"The rows of {name!r} are no list of mappings. Give one mapping for each row."
                )
        for name, count in self.erased.items():
            if count < 0:
                raise ValueError(f"{name!r}: {count!r} is no number of things. Map words to whole numbers.")
