"""The rules of a firm as record types: audited, undoable and guarded like all others."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core import shape
from kehu.core.i18n import _l
from kehu.core.records import codes, guards, rights
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, add_shaper, register, registered
from kehu.rules import field_rights, musts, queries
from kehu.rules.models import FieldRule, NumberRule, RecordRule

RESETS = (
    Option(value="never", label=_l("Never")),
    Option(value="year", label=_l("Each year")),
    Option(value="month", label=_l("Each month")),
)


def _number_rules(session: Session) -> Any:
    from kehu.rules.numbers import NumberRuleService

    return NumberRuleService(session)


def _coded() -> list[Option]:
    return [Option(value=one.name, label=one.plural) for one in codes.types_with_codes()]


NUMBER_RULES = register(
    RecordType(
        name="number_rules",
        singular="number_rule",
        label=_l("rule for codes"),
        plural=_l("Rules for codes"),
        icon="hash",
        model=NumberRule,
        service=_number_rules,
        owner="",
        title="pattern",
        default_sort="object",
        path="/settings/numbers",
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="object",
                label=_l("For"),
                kind="choice",
                options=_coded,
                required=True,
                column=True,
                quick=True,
                example="customers",
            ),
            Field(
                key="pattern",
                label=_l("Pattern"),
                required=True,
                max_length=40,
                column=True,
                quick=True,
                help=_l(
                    "{N} is the number, {YYYY} or {YY} the year, {MM} the month; all else stands as it is written."
                ),
                example="K-{YYYY}-{N}",
            ),
            Field(
                key="width",
                label=_l("Digits"),
                kind="number",
                minimum=1,
                maximum=12,
                default=5,
                quick=True,
                help=_l("The number is filled up with zeros."),
            ),
            Field(
                key="start",
                label=_l("First number"),
                kind="number",
                minimum=1,
                maximum=10**11,
                default=1,
                quick=True,
                help=_l("Counting goes on from here at the least."),
            ),
            Field(
                key="reset",
                label=_l("Begin anew"),
                kind="choice",
                options=RESETS,
                required=True,
                default="never",
                quick=True,
            ),
            Field(
                key="by_hand",
                label=_l("Members may write a code themselves"),
                kind="bool",
                default=False,
                quick=True,
                example=False,
            ),
        ),
    )
)


def _record_rules(session: Session) -> Any:
    from kehu.rules.musts import RecordRuleService

    return RecordRuleService(session)


def ruled() -> list[Option]:
    """Return the record types that rules can be about, as choices."""
    return [Option(value=one.name, label=one.plural) for one in registered().values() if one.importable]


RECORD_RULES = register(
    RecordType(
        name="record_rules",
        singular="record_rule",
        label=_l("rule for records"),
        plural=_l("Rules for records"),
        icon="shield-check",
        model=RecordRule,
        service=_record_rules,
        owner="",
        path="/settings/record-rules",
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                max_length=100,
                quick=True,
                example="A customers have a country",
            ),
            Field(
                key="object",
                label=_l("For"),
                kind="choice",
                options=ruled,
                required=True,
                quick=True,
                example="customers",
            ),
            Field(
                key="only_for",
                label=_l("Only where"),
                max_length=2000,
                quick=True,
                help=_l("Filter as in the address of the list, for example value_class=A. Empty means all."),
                example="value_class=A",
            ),
            Field(
                key="must",
                label=_l("Must hold"),
                required=True,
                max_length=2000,
                quick=True,
                help=_l(
                    "Filter as in the address of the list, for example country.empty=no&industry.empty=no."
                ),
                example="country.empty=no",
            ),
            Field(
                key="message",
                label=_l("Message"),
                required=True,
                max_length=300,
                quick=True,
                help=_l("In your own words: what is missing, and what to do."),
                example="Say in which country an A customer sits.",
            ),
            Field(
                key="entering",
                label=_l("Only on entering"),
                kind="bool",
                default=False,
                quick=True,
                help=_l(
                    "A gate: asked when a record comes to be one of these, as when a deal enters a stage."
                ),
                example=False,
            ),
            Field(key="active", label=_l("Switched on"), kind="bool", default=False, example=False),
        ),
    )
)


def _field_rules(session: Session) -> Any:
    return field_rights.FieldRuleService(session)


FIELD_RULES = register(
    RecordType(
        name="field_rules",
        singular="field_rule",
        label=_l("right to a field"),
        plural=_l("Field rights"),
        icon="lock",
        model=FieldRule,
        service=_field_rules,
        owner="",
        title="field",
        default_sort="id",
        path="/settings/field-rights",
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="object",
                label=_l("For"),
                kind="choice",
                options=ruled,
                required=True,
                quick=True,
                example="customers",
            ),
            Field(key="field", label=_l("Field"), required=True, quick=True, example="revenue"),
            Field(
                key="seen_by",
                label=_l("Seen by"),
                max_length=4000,
                quick=True,
                help=_l("Codes of roles with commas between them; empty means all who may see the record."),
                example="admin,manager",
            ),
            Field(key="edited_by", label=_l("Changed by"), max_length=4000, quick=True, example="admin"),
        ),
    )
)

shape.add(codes.PART, queries.code_rules)
add_shaper(codes.shaped, codes.brought)
shape.add(musts.PART, queries.active_record_rules)
guards.add(musts.guard)
shape.add(rights.PART, field_rights.load)
add_shaper(rights.shaped, rights.whose)
