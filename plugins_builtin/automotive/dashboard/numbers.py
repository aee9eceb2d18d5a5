"""What a number on the dashboard is, and what a subject says about its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kehu.api import Session


@dataclass(frozen=True, kw_only=True)
class Number:
    """A count with the list that it counts.

    :param of: the whole that it is a part of.
    :param bad: a count above nothing asks for somebody.
    """

    label: str
    count: int
    url: str
    of: int | None = None
    bad: bool = False


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The numbers of one subject, for members who have its right.

    :param order: groups are sorted by it.
    """

    title: Any
    permission: str
    count: Callable[[Session], Sequence[Number]]
    order: int = 100
