"""Members as a record type: read by look-ups, lists and programs, written only by `kehu.members.services`."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.service import RecordService
from kehu.core.records.types import RecordType, register
from kehu.members.models import Member

STATES = (
    Option(value="active", label=_l("Active"), tone="ok"),
    Option(value="invited", label=_l("Invited"), tone="info"),
    Option(value="placeholder", label=_l("Placeholder"), tone="warn"),
    Option(value="parked", label=_l("Parked"), tone="neutral"),
)


class MemberReader(RecordService[Member]):
    """Reads members. Nobody is granted `members:write`: people are invited and changed by `MemberService`."""

    type_name = "members"


register(
    RecordType(
        name="members",
        singular="member",
        label=_l("Member"),
        plural=_l("Members"),
        icon="users",
        model=Member,
        owner="",
        path="/settings/members/{id}",
        searchable=False,
        importable=False,
        service=MemberReader,
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                readonly=True,
                sortable=True,
                filterable=True,
                column=True,
                max_length=100,
                example="Anna Lind",
            ),
            Field(
                key="email",
                label=_l("E-mail"),
                kind="email",
                readonly=True,
                column=True,
                example="anna@example.com",
            ),
            Field(key="title", label=_l("Position"), readonly=True, column=True, example="Sales"),
            Field(
                key="state",
                label=_l("State"),
                kind="choice",
                options=STATES,
                readonly=True,
                filterable=True,
                column=True,
                example="active",
            ),
        ),
    )
)
