"""The record type of the switch for automatic merges: audited and undone like any other change."""

from __future__ import annotations

from sqlalchemy import select

from kehu.core.i18n import _, _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.service import RecordService
from kehu.core.records.types import RecordType, register
from kehu.merging.models import MergeRule

PAGE = "/settings/merges"


class MergeRuleService(RecordService[MergeRule]):
    """Switch automatic merges of a kind on or off; there is one row a kind at most."""

    type_name = "merge_rules"

    def row(self, object_name: str) -> MergeRule | None:
        """Return the row of a kind, or None while nobody decided."""
        statement = select(MergeRule).where(MergeRule.object == object_name, MergeRule.deleted_at.is_(None))
        return self.session.execute(statement).scalar_one_or_none()

    def switch(self, object_name: str, active: bool, *, version: int | None = None) -> MergeRule:
        """Switch automatic merges of a kind on or off."""
        row = self.row(object_name)
        if row is None:
            return self.create({"object": object_name, "active": active})
        return self.update(row.id, {"active": active}, version=version)

    def title_of(self, record: MergeRule) -> str:
        """Return what the trail calls it."""
        return _("Automatic merges")


register(
    RecordType(
        name="merge_rules",
        singular="merge_rule",
        label=_l("rule for merges"),
        plural=_l("Automatic merges"),
        icon="git-merge",
        model=MergeRule,
        service=MergeRuleService,
        owner="",
        title="object",
        default_sort="id",
        path=PAGE,
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="object",
                label=_l("Of what"),
                kind="choice",
                required=True,
                options=(
                    Option(value="customers", label=_l("Customers")),
                    Option(value="contacts", label=_l("Contacts")),
                ),
            ),
            Field(
                key="active",
                label=_l("Merge what is certain each night"),
                kind="bool",
                default=False,
            ),
        ),
    )
)
