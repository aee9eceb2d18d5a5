"""Definitions of own fields as a record type: versioned, audited and undoable like all others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import LOCALES, _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.own_tables import CustomField
from kehu.core.records.types import RecordType, register, registered
from kehu.fields.kinds import KINDS

MOST = 200
"""Own fields that a type of record may have."""


NAMES = tuple(f"label_{code.lower()}" for code in LOCALES)
"""Keys of a field's names by language."""


def _service(session: Session) -> Any:
    from kehu.fields.services import FieldService

    return FieldService(session)


def objects() -> Sequence[Option]:
    """Return the types of records to which the present tenant may add fields."""
    return [Option(value=name, label=one.plural) for name, one in registered().items() if one.own_fields]


def targets() -> Sequence[Option]:
    """Return the types of records that a field may point at."""
    return [
        Option(value=name, label=one.plural)
        for name, one in registered().items()
        if (one.searchable and "name" in one.by_key) or one.own_fields
    ]


CUSTOM_FIELDS = register(
    RecordType(
        name="custom_fields",
        singular="custom_field",
        label=_l("field"),
        plural=_l("Own fields"),
        icon="adjustments-horizontal",
        model=CustomField,
        service=_service,
        owner="",
        title="label",
        default_sort="id",
        path="/settings/fields/{id}",
        searchable=False,
        importable=False,
        fields=(
            Field(key="object", label=_l("Belongs to"), kind="choice", options=objects, required=True),
            Field(key="label", label=_l("Name"), required=True, max_length=80, example="Blood group"),
            *(
                Field(key=key, label=LOCALES[code], max_length=80)
                for key, code in zip(NAMES, LOCALES, strict=True)
            ),
            Field(key="kind", label=_l("Holds"), kind="choice", options=KINDS, required=True),
            Field(key="key", label=_l("Name in the API"), readonly=True),
            Field(key="slot", label=_l("Place of the values"), readonly=True),
            Field(
                key="help",
                label=_l("Help"),
                max_length=300,
                help=_l("Stands below the field where it is filled in."),
            ),
            Field(
                key="section",
                label=_l("Section"),
                max_length=60,
                help=_l("Fields of the same section stand together. Empty: under “Further fields”."),
            ),
            Field(key="required", label=_l("Must be filled in"), kind="bool"),
            Field(key="only_one", label=_l("Each value may stand once"), kind="bool"),
            Field(key="in_list", label=_l("Show in lists"), kind="bool"),
            Field(key="at_create", label=_l("Ask for it when a record is made"), kind="bool"),
            Field(key="searchable", label=_l("Find records by it"), kind="bool"),
            Field(key="options", label=_l("Options"), kind="options"),
            Field(key="target", label=_l("Points at"), kind="choice", options=targets),
            Field(key="currency", label=_l("Currency"), max_length=3),
            Field(key="minimum", label=_l("Least"), kind="number"),
            Field(key="maximum", label=_l("Most"), kind="number"),
            Field(
                key="initial",
                label=_l("Value of new records"),
                max_length=200,
                help=_l("What a new record has when nobody says otherwise."),
            ),
            Field(key="formula", label=_l("Formula"), kind="long_text"),
            Field(
                key="state",
                label=_l("State"),
                kind="choice",
                options=(
                    Option(value="active", label=_l("in use"), tone="ok"),
                    Option(value="retired", label=_l("retired")),
                ),
                default="active",
            ),
            Field(key="position", label=_l("Place"), kind="number"),
        ),
    )
)
