"""Records and members that the cells of a file name: found by number, name or address, or made on the way."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.records import scope as scoping
from kehu.core.records.service import service_for
from kehu.core.records.types import RecordType, get
from kehu.core.text import fold, normal_email, normal_phone
from kehu.imports.targets import norm_column
from kehu.members.placeholders import find_members, make_placeholders

MARKS: Final = " \t-_.,;:'’‘\"“”«»()[]{}&/\\+*#!?|·•–—®™©@"
"""What close names are compared without. A list, because classes of characters depend on the collation."""

_SQUEEZE: Final = str.maketrans("", "", MARKS)
LONGEST_CACHE: Final = 50_000


def _phone(text: str) -> str | None:
    if sum(char.isdigit() for char in text) < 6:
        return None
    try:
        return normal_phone(text, context.tenant().country)
    except InvalidInput:
        return None


def squeeze(name: str) -> str:
    """Return a name without case, accents, spaces and punctuation: `GTX Pro` and `GTXPro` are one."""
    return fold(name).translate(_SQUEEZE)


@dataclass(frozen=True, slots=True)
class Hit:
    """What a text stands for.

    :param title: what the record is called.
    :param close: the names differ in spaces or punctuation, so the person is told.
    :param problem: why it stands for nothing.
    """

    record_id: uuid.UUID | None = None
    title: str = ""
    close: bool = False
    problem: str = ""
    made: bool = False


class References:
    """Finds what texts stand for, with one query for many; remembers it for the length of a job."""

    def __init__(self, actor: context.Actor, *, close_names: bool) -> None:
        self.actor = actor
        self.close_names = close_names
        self._hits: dict[tuple[str, str], Hit] = {}
        self._made: list[tuple[str, str]] = []

    def hit(self, type_name: str, text: str) -> Hit:
        """Return what a text stands for; it was looked up before."""
        return self._hits[type_name, text]

    def look_up(self, session: Session, type_name: str, texts: Collection[str]) -> None:
        """Find what texts stand for, those that are known already left out."""
        if len(self._hits) > LONGEST_CACHE:
            self._hits.clear()
        wanted = [text for text in set(texts) if (type_name, text) not in self._hits]
        if not wanted:
            return
        if type_name == "members":
            found = self._members(session, wanted)
        else:
            found = self._records(session, get(type_name), wanted)
        for text in wanted:
            self._hits[type_name, text] = found.get(text) or Hit()

    def trust(self, session: Session) -> None:
        """Tell the services of a unit of work which references were looked up within the actor's scope."""
        cache: dict[Any, bool] = session.info.setdefault("visible", {})
        for (type_name, _text), hit in self._hits.items():
            if hit.record_id is not None:
                key = (
                    ("members", hit.record_id)
                    if type_name == "members"
                    else (type_name, hit.record_id, self.actor.member_id)
                )
                cache[key] = True

    def make(self, session: Session, type_name: str, texts: Collection[str], **values: Any) -> None:
        """Make records, or placeholder members, with these names."""
        by_norm: dict[str, list[str]] = {}
        for text in texts:
            by_norm.setdefault(fold(text), []).append(text)
        if type_name == "members":
            ids: dict[str, Any] = dict(make_placeholders(session, [same[0] for same in by_norm.values()]))
            for norm, same in by_norm.items():
                self._remember_made("members", same, ids[norm], same[0])
            return
        title = get(type_name).title
        rows = [{title: same[0], **values} for same in by_norm.values()]
        outcomes = service_for(type_name, session, self.actor).create_many(rows)
        for same, outcome in zip(by_norm.values(), outcomes, strict=True):
            if outcome.record is not None:
                self._remember_made(type_name, same, outcome.record.id, same[0])
            else:
                problem = " ".join(message for messages in outcome.errors.values() for message in messages)
                for text in same:
                    self._hits[type_name, text] = Hit(problem=problem)

    def _remember_made(self, type_name: str, texts: list[str], record_id: uuid.UUID, title: str) -> None:
        for text in texts:
            self._hits[type_name, text] = Hit(record_id=record_id, title=title, made=True)
            self._made.append((type_name, text))

    def kept(self) -> None:
        """Say that the unit of work was committed: what was made stays."""
        self._made.clear()

    def dropped(self) -> None:
        """Say that the unit of work was rolled back: what was made is gone."""
        for key in self._made:
            self._hits.pop(key, None)
        self._made.clear()

    # Finding ---------------------------------------------------------------------------

    def _members(self, session: Session, texts: list[str]) -> dict[str, Hit]:
        found = {}
        for text, ids in find_members(session, texts).items():
            if len(ids) == 1:
                found[text] = Hit(record_id=ids[0], title=text)
            elif ids:
                found[text] = Hit(
                    problem=_(
                        "Several members are called “%(name)s”; write the e-mail address instead.",
                        name=text[:80],
                    )
                )
        return found

    def _records(self, session: Session, record_type: RecordType, texts: list[str]) -> dict[str, Hit]:
        model: Any = record_type.model
        title = getattr(model, record_type.title)
        norm = norm_column(model, record_type.title)
        norm = norm if norm is not None else func.lower(title)
        exact = {fold(text): text for text in texts}
        columns = self._codes(record_type)
        tests = [norm.in_(list(exact))]
        for column, read in columns.values():
            wanted = [value for text in texts if (value := read(text)) is not None]
            if wanted:
                tests.append(column.in_(wanted))
        codes = [column.label(f"c_{name}") for name, (column, _read) in columns.items()]
        reach = self.actor.scope(f"{record_type.name}:read")
        base = select(model.id, title.label("title"), norm.label("norm"), *codes).where(
            model.deleted_at.is_(None), scoping.condition(record_type, model, self.actor, reach)
        )
        by_norm: dict[str, list[Any]] = {}
        by_code: dict[tuple[str, Any], list[Any]] = {}
        for row in session.execute(base.where(or_(*tests)).limit(20_000)):
            by_norm.setdefault(row.norm, []).append(row)
            for name in columns:
                by_code.setdefault((name, getattr(row, f"c_{name}")), []).append(row)
        hits: dict[str, Hit] = {}
        for text in texts:
            rows = by_norm.get(fold(text)) or self._by_code(columns, by_code, text)
            if rows:
                hits[text] = self._one(record_type, rows, text, close=False)
        rest = {squeezed: text for text in texts if text not in hits and (squeezed := squeeze(text))}
        if rest and self.close_names:
            bare = func.translate(norm, MARKS, "")
            near: dict[str, list[Any]] = {}
            for row in session.execute(
                base.add_columns(bare.label("bare")).where(bare.in_(list(rest))).limit(20_000)
            ):
                near.setdefault(row.bare, []).append(row)
            for text in texts:
                if text not in hits and (rows := near.get(squeeze(text), [])):
                    hits[text] = self._one(record_type, rows, text, close=True)
        return hits

    @staticmethod
    def _codes(record_type: RecordType) -> dict[str, Any]:
        """Return the further columns by which people name a record, and how a text is read for each."""
        model: Any = record_type.model
        found: dict[str, Any] = {
            spec.key: (getattr(model, spec.key), spec.tidy or str)
            for spec in record_type.fields
            if spec.unique and spec.kind == "text" and spec.key != record_type.title
        }
        if hasattr(model, "number"):
            found["number"] = (
                model.number,
                lambda text: int(text) if text.isascii() and text.isdigit() and len(text) < 15 else None,
            )
        if hasattr(model, "email_norm"):
            found["email"] = (model.email_norm, lambda text: normal_email(text) if "@" in text else None)
        if hasattr(model, "phone_norm"):
            found["phone"] = (model.phone_norm, _phone)
        for name in ("code", "external_id"):
            if hasattr(model, name):
                found[name] = (getattr(model, name), str)
        return found

    @staticmethod
    def _by_code(columns: dict[str, Any], found: dict[tuple[str, Any], list[Any]], text: str) -> list[Any]:
        for name, (_column, read) in columns.items():
            value = read(text)
            if value is not None and (name, value) in found:
                return found[name, value]
        return []

    def _one(self, record_type: RecordType, rows: list[Any], text: str, *, close: bool) -> Hit:
        if len(rows) == 1:
            return Hit(record_id=rows[0].id, title=rows[0].title, close=close)
        return Hit(
            problem=_(
                "“%(name)s” means %(num)s %(things)s; write the number instead of the name.",
                name=text[:80],
                num=len(rows),
                things=record_type.plural,
            )
        )
