"""Which column becomes which field, and how its cells are read: proposed from the header, changed by a person."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from kehu.core import context
from kehu.core.i18n import _
from kehu.core.records.fields import Option
from kehu.core.records.types import RecordType, get
from kehu.core.text import fold
from kehu.imports.columns import Column
from kehu.imports.keys import match_keys
from kehu.imports.synonyms import COMMON, OWN, bare, forms_of
from kehu.imports.targets import (
    NAME_PARTS,
    Target,
    all_targets,
    has_name_parts,
    is_list_of_values,
    is_reference,
    targets,
)

MODES: Final = ("both", "create", "update")
MISSING: Final = ("error", "create", "empty")
"""What happens to a row that names a record or member that is not there."""

_LOCALE: Final = re.compile(r"[a-z]{2}[-_][A-Z]{2}")

NEW: Final = "new"
SKIP: Final = "skip"
_WON: Final = frozenset(
    map(
        bare,
        (
            "won",
            "closed won",
            "win",
            "successful",
            "赢单",
            "贏單",
            "成交",
            "выиграна",
            "успешно",
            "успешно реализовано",
        ),
    )
)
_LOST: Final = frozenset(
    map(
        bare,
        (
            "lost",
            "closed lost",
            "loss",
            "丢单",
            "輸單",
            "失败",
            "проиграна",
            "закрыто и не реализовано",
            "отказ",
        ),
    )
)


@dataclass(kw_only=True)
class ColumnUse:
    """What one column is used for, and how its dates and numbers are written."""

    target: str
    order: str = "ymd"
    mark: str = "."


@dataclass(kw_only=True)
class Plan:
    """Everything that a person decides about an import.

    :param columns: column index -> its use; columns that are left out are missing.
    :param parts: further record types that the rows hold. Their targets, keys, values and names are written with the
        type before them: `contacts:name`.
    :param keys: names of the keys by which records are recognised.
    :param values: field key -> value in the file -> what it becomes (option, record id, `new`, `skip`).
    :param missing: reference field -> what to do when a name is not found.
    :param bad: what a cell that can't be read does: refuse its row, or `leave` (stay out of it).
    :param empty: what an empty cell does to a record that is there: `leave` its value, or `clear` it.
    :param doubles: what happens to a row that is likely somebody who is there (see `kehu.imports.doubles`).
    :param owner: the member who gets rows without an owner; "" for nobody, "me" for who imports.
    """

    columns: dict[int, ColumnUse] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    mode: str = "both"
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    close_names: bool = True
    owner: str = "me"
    lost_reason: str = ""
    bad: str = "refuse"
    empty: str = "leave"
    doubles: str = "make"
    parts: list[str] = field(default_factory=list)

    def part(self, name: str, main: str) -> Plan:
        """Return what is decided for one of the record types, under the names that it has by itself."""
        prefix = "" if name == main else f"{name}:"

        def mine(key: str) -> bool:
            return key.startswith(prefix) if prefix else ":" not in key

        start = len(prefix)
        return replace(
            self,
            parts=[],
            columns={
                index: replace(use, target=use.target[start:])
                for index, use in self.columns.items()
                if mine(use.target)
            },
            keys=[key[start:] for key in self.keys if mine(key)],
            values={key[start:]: one for key, one in self.values.items() if mine(key)},
            missing={key[start:]: one for key, one in self.missing.items() if mine(key)},
        )

    def prefixes(self, main: RecordType) -> list[tuple[str, RecordType]]:
        """Return what stands before the names of each record type, the main one first."""
        return [("", main), *((f"{name}:", get(name)) for name in self.parts)]

    def targets(self) -> list[str]:
        """Return the targets in use."""
        return [use.target for use in self.columns.values()]

    def fields(self) -> set[str]:
        """Return the fields in use, also those of which columns hold a part."""
        return {found for target in self.targets() for found in (target, target.partition(".")[0])}

    def used(self, key: str) -> list[int]:
        """Return the columns that go to a target."""
        return [index for index, use in self.columns.items() if use.target == key]

    def as_json(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return mapping and options as they are stored."""
        stored = asdict(self)
        columns = stored.pop("columns")
        return {"columns": {str(index): use for index, use in columns.items()}}, stored

    @classmethod
    def from_json(cls, mapping: Mapping[str, Any], options: Mapping[str, Any]) -> Plan:
        """Return a stored plan."""
        columns = {int(index): ColumnUse(**use) for index, use in mapping.get("columns", {}).items()}
        # Copies: what is changed in the stored ones themselves would not be seen to have changed, nor be written.
        known = {
            name: deepcopy(options[name])
            for name in cls.__dataclass_fields__
            if name in options and name != "columns"
        }
        return cls(columns=columns, **known)


def header_hash(columns: Sequence[Mapping[str, Any]]) -> str:
    """Return a fingerprint of a header: files with the same one get the same mapping proposed."""
    names = "\x1f".join(bare(str(column["name"])) for column in columns)
    return hashlib.sha256(names.encode()).hexdigest()


def propose(record_type: RecordType, columns: Sequence[Column], actor: context.Actor) -> Plan:
    """Return the plan that a person starts from."""
    plan = Plan(lost_reason=_("Not stated (import)") if "lost_reason" in targets(record_type) else "")
    _fill(plan, record_type, columns, "")
    complete(record_type, plan, actor, columns)
    return plan


def propose_part(plan: Plan, name: str, columns: Sequence[Column]) -> None:
    """Propose which of the columns that are left become fields of a further record type."""
    plan.lost_reason = plan.lost_reason or (
        _("Not stated (import)") if "lost_reason" in targets(get(name)) else ""
    )
    _fill(plan, get(name), columns, f"{name}:")


def _fill(plan: Plan, record_type: RecordType, columns: Sequence[Column], prefix: str) -> None:
    taken: set[str] = set()
    ranked = sorted(
        (
            (not column.filled, rank, column.index, target)
            for column in columns
            for target in targets(record_type).values()
            if (rank := _rank(record_type, column, target)) is not None
        ),
        key=lambda found: found[:3],
    )
    for _empty, _rank_of, index, target in ranked:
        if index in plan.columns or (target.key in taken and not target.repeatable):
            continue
        taken.add(target.key)
        plan.columns[index] = use_of(columns[index], f"{prefix}{target.key}")
    if has_name_parts(record_type):
        _settle_names(plan, record_type, prefix)


def _settle_names(plan: Plan, record_type: RecordType, prefix: str) -> None:
    """Let a column with whole names and columns with parts of them get along.

    “Name” beside “First name” alone is the last name, as in German files; beside both parts it is the whole.
    """
    whole = f"{prefix}{record_type.title}"
    places = {
        part: index
        for index, use in plan.columns.items()
        for part in NAME_PARTS
        if use.target == f"{whole}.{part}"
    }
    both = plan.used(whole)
    if not both or not places:
        return
    if len(places) == len(NAME_PARTS) or not record_type.customer or record_type.customer == "id":
        for index in places.values():
            del plan.columns[index]
    else:
        missing = next(part for part in NAME_PARTS if part not in places)
        plan.columns[both[0]].target = f"{whole}.{missing}"


def use_of(column: Column, target: str) -> ColumnUse:
    """Return the use of a column as its guessed kind suggests."""
    return ColumnUse(target=target, order=column.date_order or "ymd", mark=column.decimal_mark or ".")


def complete(
    record_type: RecordType, plan: Plan, actor: context.Actor, columns: Sequence[Column] = ()
) -> None:
    """Fill in what follows from the columns: keys, and what happens with unknown names."""
    numbered = {
        use.target
        for index, use in plan.columns.items()
        if index < len(columns) and columns[index].kind == "integer"
    }
    plan.keys = []
    for prefix, one in plan.prefixes(record_type):
        used = plan.part(one.name, record_type.name).fields()
        keys = [key for key in match_keys(one) if set(key.fields[:1]) <= used]
        strong = [key.name for key in keys if not key.weak]
        plan.keys += [f"{prefix}{name}" for name in strong or [key.name for key in keys]]
        for key in used & set(one.by_key):
            spec = one.by_key[key]
            if spec.kind == "member":
                # Nobody is called by the number that another program gave him.
                made = "create" if actor.may("members:manage") else "error"
                plan.missing[f"{prefix}{key}"] = "empty" if f"{prefix}{key}" in numbered else made
            elif is_reference(spec):
                plan.missing[f"{prefix}{key}"] = "error"


def _rank(record_type: RecordType, column: Column, target: Target) -> int | None:
    """Return how well a column fits a target: 0 best, None not at all."""
    for later, name in enumerate(forms_of(column.name)):
        found = _rank_by_name(record_type, name, target)
        if found is not None:
            return found + 5 * later if _fits(column, target) else None
    return _by_kind(column, target)


def _rank_by_name(record_type: RecordType, name: str, target: Target) -> int | None:
    own = _own(record_type, target)
    common = COMMON.get(target.key, ())
    labels = {bare(target.label), bare(str(target.field.label)) if not target.part else ""}
    if name in (bare(target.key), target.key):
        return 0
    if name in own:
        return own.index(name) + 1
    if name in labels:
        return 20
    if name in common:
        return 30 + common.index(name)
    pointing = target.field.kind in ("ref", "member")
    short = name.removeprefix(f"{fold(record_type.singular)} ").removesuffix(" id" if pointing else "\0")
    return 80 if short != name and short in (*common, *labels) else None


def _own(record_type: RecordType, target: Target) -> Sequence[str]:
    """Return the names that count for this record type before those that count for all."""
    declared = () if target.part else tuple(map(bare, target.field.also))
    return (*OWN.get(record_type.name, {}).get(target.key, ()), *declared)


def _by_kind(column: Column, target: Target) -> int | None:
    return (
        200
        if (column.kind, target.field.kind) in (("email", "emails"), ("phone", "phones"), ("url", "link"))
        else None
    )


def _fits(column: Column, target: Target) -> bool:
    """Tell whether what a column holds can go into a field at all."""
    held = target.field.kind
    if column.kind == "empty" or not column.filled:
        return True
    if held in ("money", "number"):
        return column.kind in ("integer", "number", "money", "text")
    if held in ("date", "datetime"):
        return column.kind in ("date", "datetime")
    if held in ("emails", "email"):
        return column.kind == "email"
    if held == "link":
        # Where a program keeps the record is no page of the customer.
        return not (column.examples and all("/api/" in example for example in column.examples))
    return True


# Values that are mapped one by one ----------------------------------------------------------


def options_for(target: Target, session: Any) -> Sequence[Option]:
    """Return what the values of a choice, stage or queue column can become."""
    if target.field.kind == "choice":
        return target.field.choices()
    from sqlalchemy import select

    ref = get(target.field.ref)
    model: Any = ref.model
    order = getattr(model, ref.default_sort)
    statement = (
        select(model.id, getattr(model, ref.title).label("title"))
        .where(model.deleted_at.is_(None))
        .order_by(order, model.id)
        .limit(200)
    )
    return [Option(value=str(row.id), label=row.title) for row in session.execute(statement)]


def same_option(options: Sequence[Option], text: str) -> Option | None:
    """Return the option that a value of the file names."""
    wanted = bare(text)
    # “en-US” is English where English is offered.
    for one in (wanted, wanted[:2]) if _LOCALE.fullmatch(text) else (wanted,):
        for option in options:
            if one in (bare(option.value), bare(str(option.label)), *map(bare, option.also)):
                return option
    return None


def may_add(target: Target, actor: context.Actor) -> bool:
    """Tell whether an actor may add an option of the name in the file: a stage, a queue, one of an own field."""
    if target.field.own is not None and target.field.kind == "choice":
        return actor.may("custom_fields:write")
    return target.field.kind == "ref" and actor.may(f"{target.field.ref}:write")


def propose_value(target: Target, options: Sequence[Option], text: str, actor: context.Actor) -> str:
    """Return what a value of the file becomes unless a person says otherwise."""
    found = same_option(options, text)
    if found is None and target.field.ref == "stages":
        meaning = outcome_of(text)
        found = next(
            (option for option in options if outcome_of(str(option.label)) == meaning != "open"), None
        )
    if found is not None:
        return found.value
    if text.isdigit() and target.field.kind == "ref":
        return SKIP  # The number of a stage or queue elsewhere is no name for one.
    return NEW if target.field.ref and may_add(target, actor) else ""


def outcome_of(text: str) -> str:
    """Return what a stage's name says about a deal: open, won or lost."""
    name = bare(text)
    return "won" if name in _WON else "lost" if name in _LOST else "open"


def value_targets(record_type: RecordType, plan: Plan) -> list[Target]:
    """Return the targets in use whose values are mapped one by one."""
    known = all_targets(record_type, plan.parts)
    return [
        known[use.target]
        for use in plan.columns.values()
        if use.target in known and is_list_of_values(known[use.target].field)
    ]
