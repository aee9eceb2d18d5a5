"""Members as programs see them: to be read, so that owners have names. They are managed on the settings pages."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.i18n import _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.service import RecordService
from kehu.core.records.types import RecordType
from kehu.members.models import Member

STATES = (
    Option(value="active", label=_l("Active")),
    Option(value="invited", label=_l("Invited")),
    Option(value="placeholder", label=_l("Named by an import")),
    Option(value="parked", label=_l("Parked")),
)


class MemberReader(RecordService[Member]):
    """Read members; the type is no record that people list, import or undo, so it is not registered."""

    type_name = "members"

    def __init__(self, session: Session) -> None:
        self.session = session
        self.actor = context.actor()
        self.tenant = context.tenant()
        self.type = MEMBERS


def _reader(session: Session) -> Any:
    return MemberReader(session)


MEMBERS = RecordType(
    name="members",
    singular="member",
    label=_l("member"),
    plural=_l("Members"),
    icon="users",
    model=Member,
    service=_reader,
    owner="",
    searchable=False,
    importable=False,
    fields=(
        Field(
            key="name", label=_l("Name"), readonly=True, sortable=True, filterable=True, example="Mira Sol"
        ),
        Field(
            key="email",
            label=_l("E-mail"),
            kind="email",
            readonly=True,
            filterable=True,
            example="mira@example.com",
        ),
        Field(key="title", label=_l("Job title"), readonly=True, example="Sales"),
        Field(
            key="state",
            label=_l("State"),
            kind="choice",
            options=STATES,
            readonly=True,
            filterable=True,
            example="active",
        ),
        Field(key="created_at", label=_l("Created"), kind="datetime", readonly=True),
        Field(key="updated_at", label=_l("Changed"), kind="datetime", readonly=True),
    ),
)
