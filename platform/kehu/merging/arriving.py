"""Rows of a file that are likely records which are here already: looked for a chunk at a time, before they come in."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, or_
from sqlalchemy.orm import Session

from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.core.text import fold, normal_email
from kehu.imports.doubles import Finder, LikelyKnown
from kehu.merging.certain import certain
from kehu.merging.finding import COLUMNS, DoublesService, candidate
from kehu.merging.rule import Candidate, match, phone_key

MOST = 5_000
"""Records that share a sign with the rows of one chunk; beyond that a sign is no sign."""


def finder_of(object_name: str) -> Finder:
    """Return the function that says of rows whom they likely mean, among what the actor sees."""

    def find(session: Session, rows: Sequence[Mapping[str, Any]]) -> Sequence[LikelyKnown | None]:
        return _Chunk(session, object_name, rows).hits()

    return find


class _Chunk:
    def __init__(self, session: Session, object_name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        self.doubles = DoublesService(session, object_name)
        service = service_for(object_name, session)
        self.drafts = [_draft(object_name, service.load(row, new=True)[0]) for row in rows]

    def hits(self) -> list[LikelyKnown | None]:
        """Return for each row whom it likely means."""
        known = self._known()
        if not known:
            return [None] * len(self.drafts)
        total = self.doubles.total()
        alike = self.doubles._namesakes([one.name_norm for one in (*self.drafts, *known)])
        by_sign: dict[Any, list[Any]] = defaultdict(list)
        for row in known:
            for sign in _signs(row):
                by_sign[sign].append(row)
        ready: dict[uuid.UUID, Candidate] = {row.id: candidate(row, alike) for row in known}
        return [self._best(draft, by_sign, ready, alike, total) for draft in self.drafts]

    def _best(
        self,
        draft: Any,
        by_sign: Mapping[Any, Sequence[Any]],
        ready: Mapping[uuid.UUID, Candidate],
        alike: Mapping[str, int],
        total: int,
    ) -> LikelyKnown | None:
        near = {row.id: ready[row.id] for sign in _signs(draft) for row in by_sign.get(sign, ())}
        mine = candidate(draft, alike)
        found = [hit for other in near.values() if (hit := match(mine, other, total=total)) is not None]
        if not found:
            return None
        best = max(found, key=lambda hit: (hit.probability, str(hit.second.id)))
        return LikelyKnown(
            record_id=best.second.id, said=draft.name, title=best.second.name, certain=certain(best)
        )

    def _known(self) -> Sequence[Any]:
        """Return the records that share a sign with a row, in one statement."""
        model = self.doubles.model
        asked: list[tuple[Any, Callable[[Any], Any]]] = [
            (model.name_norm, lambda one: one.name_norm),
            (model.email_norm, lambda one: one.email_norm),
            (func.right(model.phone_norm, 8), lambda one: phone_key(one.phone_norm)),
            (model.born_on, lambda one: one.born_on),
        ]
        parts = [
            column.in_(values)
            for column, read in asked
            if (values := sorted({value for one in self.drafts if (value := read(one))}))
        ]
        if not parts:
            return []
        statement = self.doubles._rows().where(or_(*parts)).limit(MOST)
        return self.doubles.session.execute(statement).all()


def _draft(object_name: str, loaded: Mapping[str, Any]) -> Any:
    """Return a row of a file as a record that is not written yet."""
    values = {key: loaded.get(key) for key in COLUMNS[object_name]}
    values.update(id=new_id(), name=loaded.get("name") or "", name_norm=fold(loaded.get("name") or ""))
    emails: list[dict[str, str]] = loaded.get("emails") or []
    phones: list[dict[str, str]] = loaded.get("phones") or []
    values.update(emails=emails, phones=phones)
    values["email_norm"] = normal_email(emails[0]["address"]) if emails else None
    values["phone_norm"] = phones[0]["number"] if phones else ""
    if object_name == "customers":
        values.update(kind=loaded.get("kind") or "company", addresses=loaded.get("addresses") or [])
    return SimpleNamespace(**values)


def _signs(row: Any) -> list[tuple[str, Any]]:
    mail = next((normal_email(one["address"]) for one in row.emails or ()), None)
    phone = next((phone_key(one["number"]) for one in row.phones or ()), None)
    found = (("name", row.name_norm), ("mail", mail), ("phone", phone), ("born", row.born_on))
    return [sign for sign in found if sign[1]]
