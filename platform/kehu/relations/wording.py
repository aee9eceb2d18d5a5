"""Kinds of relations with their inverse wording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kehu.core.i18n import _l


@dataclass(frozen=True, kw_only=True)
class RelationKind:
    """What the first is to the second, and the second to the first.

    :param one_way: whether the same may hold in the other direction as well (two firms that supply each other).
    """

    key: str
    label: Any
    inverse: Any
    one_way: bool = False


def _kind(key: str, label: Any, inverse: Any = None, *, one_way: bool = False) -> RelationKind:
    return RelationKind(key=key, label=label, inverse=inverse or label, one_way=one_way)


KINDS: dict[str, RelationKind] = {
    one.key: one
    for one in (
        _kind("spouse", _l("Spouse")),
        _kind("parent", _l("Parent"), _l("Child")),
        _kind("sibling", _l("Sibling")),
        _kind("relative", _l("Relative")),
        _kind("partner", _l("Business partner")),
        _kind("supplier", _l("Supplier"), _l("Buyer"), one_way=True),
        _kind("value_chain", _l("Member of the same value chain")),
        _kind("employer", _l("Employer"), _l("Employee"), one_way=True),
        _kind("referrer", _l("Referrer"), _l("Referred by them"), one_way=True),
        _kind("adviser", _l("Adviser"), _l("Advised by them"), one_way=True),
        _kind("other", _l("Other relation")),
    )
}
"""Key -> kind, in the order in which they are offered."""


def pair_of(kind: str, first: object, second: object) -> str:
    """Return the text by which a relation is known; without a direction both orders give the same."""
    ends = [str(first), str(second)]
    if not KINDS[kind].one_way:
        ends.sort()
    return ":".join([kind, *ends])


def wording(kind: str, name: str, *, forward: bool) -> str:
    """Return what the other end is to the reader's: a wording of one's own, else the kind's.

    :param forward: whether the reader's record is the first of the two.
    """
    found = KINDS[kind]
    own = name if name and name != str(found.label) else ""
    return own or str(found.inverse if forward else found.label)
