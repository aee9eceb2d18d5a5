"""Saved views: named lists, one's own or shared with everybody."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from kehu.core import audit, clock, context, text
from kehu.core.db import tenant_id
from kehu.core.errors import Forbidden, InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id, parse_id
from kehu.core.records.types import get as get_type
from kehu.core.records.types import registered
from kehu.members.models import Member
from kehu.views.models import SavedView

LONGEST_NAME = 80
LONGEST_QUERY = 4000
MOST = 200

_views: Any = SavedView.__table__
_SEEN = (
    select(
        _views.c.id,
        _views.c.object,
        _views.c.name,
        _views.c.query,
        _views.c.columns,
        _views.c.sharing,
        _views.c.member_id,
    )
    .where(
        _views.c.tenant_id == bindparam("tenant"),
        _views.c.deleted_at.is_(None),
        or_(_views.c.sharing == "all", _views.c.member_id == bindparam("member")),
    )
    .order_by(_views.c.position, _views.c.name, _views.c.id)
    .limit(MOST)
)


class ViewService:
    """Keep the saved views of a member.

    :param session: the unit of work.
    :param actor: whose views; the context's actor by default.
    """

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()

    def all(self) -> Sequence[Any]:
        """Return the views that the member sees, over all types, as plain rows: each list and the side bar ask."""
        values = {"tenant": tenant_id(), "member": self.actor.member_id}
        return self.session.execute(_SEEN, values).all()

    def get(self, view_id: object) -> SavedView:
        """Return one view that the member sees.

        :raises NotFound: when there is none.
        """
        found_id = parse_id(view_id)
        found = self.session.execute(select(SavedView).where(SavedView.id == found_id)).scalar_one_or_none()
        seen = found is not None and found.deleted_at is None
        if found is None or not seen or (found.sharing != "all" and found.member_id != self.actor.member_id):
            raise NotFound(_("This view does not exist any more."))
        return found

    def may_change(self, view: SavedView) -> bool:
        """Tell whether the member may change a view: one's own, or a shared one with the right to share."""
        if view.sharing == "all":
            return self.actor.may("views:share")
        return view.member_id == self.actor.member_id

    def create(
        self, type_name: str, name: str, query: str, columns: Sequence[str], *, shared: bool = False
    ) -> SavedView:
        """Keep a view under a name.

        :raises InvalidInput: for a name that is empty, too long or taken.
        :raises Forbidden: when it is to be shared without the right to.
        """
        if type_name not in registered():
            raise NotFound(_("There is no such list."))
        self.actor.require(f"{type_name}:read")
        self._check_sharing(shared)
        view = SavedView(
            id=new_id(),
            object=type_name,
            name=self._name(type_name, name, None),
            query=query[:LONGEST_QUERY],
            columns=self._columns(type_name, columns),
            sharing="all" if shared else "personal",
            member_id=self.actor.member_id,
        )
        self.session.add(view)
        self._trail(view, "created")
        return view

    def keep(self, view_id: object, query: str, columns: Sequence[str]) -> SavedView:
        """Write changed filters and columns into a view."""
        view = self._own(view_id)
        view.query, view.columns = query[:LONGEST_QUERY], self._columns(view.object, columns)
        return self._changed(view)

    def rename(self, view_id: object, name: str, *, shared: bool | None = None) -> SavedView:
        """Give a view another name, or share it or not."""
        view = self._own(view_id)
        view.name = self._name(view.object, name, view.id)
        if shared is not None and shared != (view.sharing == "all"):
            self._check_sharing(True)
            view.sharing = "all" if shared else "personal"
            if not shared:
                view.member_id = self.actor.member_id
        return self._changed(view)

    def delete(self, view_id: object) -> SavedView:
        """Take a view away."""
        view = self._own(view_id)
        view.deleted_at, view.deleted_by = clock.now(), self.actor.member_id
        self._trail(view, "trashed")
        return view

    def restore(self, view_id: uuid.UUID) -> SavedView:
        """Bring a view back that was taken away."""
        view = self.session.execute(select(SavedView).where(SavedView.id == view_id)).scalar_one_or_none()
        if view is None or not self.may_change(view):
            raise NotFound(_("This view does not exist any more."))
        view.deleted_at, view.deleted_by = None, None
        self._trail(view, "restored")
        return view

    def remember(self, prefs: dict[str, Any]) -> None:
        """Write the member's own settings of lists."""
        self.session.execute(
            update(Member).where(Member.id == self.actor.member_id).values(prefs=prefs),
            execution_options={"synchronize_session": False},
        )

    def _own(self, view_id: object) -> SavedView:
        view = self.get(view_id)
        if not self.may_change(view):
            raise Forbidden(_("This view is shared with everybody; save yours under another name."))
        return view

    def _check_sharing(self, shared: bool) -> None:
        if shared:
            self.actor.require("views:share")

    def _name(self, type_name: str, name: str, but: uuid.UUID | None) -> str:
        wanted = text.clean(name)
        problem = ""
        if not wanted:
            problem = _("Give the view a name.")
        elif len(wanted) > LONGEST_NAME:
            problem = _("The name may have %(may)s characters.", may=LONGEST_NAME)
        elif any(
            one.object == type_name and one.id != but and text.fold(one.name) == text.fold(wanted)
            for one in self.all()
        ):
            problem = _("There is a view “%(name)s” already; choose another name.", name=wanted)
        if problem:
            raise InvalidInput(problem, fields={"name": [problem]})
        return wanted

    @staticmethod
    def _columns(type_name: str, columns: Sequence[str]) -> list[str]:
        known = get_type(type_name).by_key
        return [key for key in dict.fromkeys(columns) if key in known]

    def _changed(self, view: SavedView) -> SavedView:
        view.updated_at, view.updated_by = clock.now(), self.actor.member_id
        self._trail(view, "updated")
        return view

    def _trail(self, view: SavedView, action: str) -> None:
        audit.write(
            self.session,
            object="views",
            record_id=view.id,
            action=action,
            title=view.name,
            version=view.version or 1,
        )
