"""Pages of roles: what each may do, as sentences with a reach."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, redirect, request

from kehu.core import context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _, _l
from kehu.core.ids import parse_id
from kehu.core.permissions import Permission, offered
from kehu.core.records.types import registered as record_types
from kehu.members import queries
from kehu.members.models import Role
from kehu.members.role_services import RoleService
from kehu.members.services import OWNER, outranks
from kehu.members.views import blueprint
from kehu.web.access import needs
from kehu.web.render import render_page
from kehu.web.toasts import toast

REACHES = (("", _l("No")), ("own", _l("Own")), ("team", _l("Team")), ("all", _l("All")))


ACTIONS = ("read", "write", "delete", "export", "import")


def _record_rights() -> list[tuple[Any, list[Permission | None]]]:
    """Return the rights over records with reaches: one line a record type, one column an action."""
    known, types = offered(), record_types()
    names = dict.fromkeys(code.split(":")[0] for code, right in known.items() if right.scoped)
    return [
        (types[name].plural if name in types else name, [known.get(f"{name}:{action}") for action in ACTIONS])
        for name in names
    ]


def _single_rights() -> list[Permission]:
    """Return the other rights: those of the firm by what they are about, plugins' last."""
    known = offered()
    with_reach = {code.split(":")[0] for code, right in known.items() if right.scoped}
    found = [right for code, right in known.items() if code.split(":")[0] not in with_reach]
    return sorted(found, key=lambda right: (right.plugin, right.code.split(":")[0]))


@blueprint.get("/settings/roles")
@needs("roles:manage")
def roles() -> Any:
    """List the roles."""
    session = db.session()
    return render_page(
        "members/roles.html",
        roles=queries.roles(session),
        counts=queries.members_by_role(session),
        errors={},
        typed="",
    )


@blueprint.post("/settings/roles")
@needs("roles:manage")
def roles_post() -> Any:
    """Make a role."""
    session = db.session()
    like = parse_id(request.form.get("like")) or uuid.UUID(int=0)
    try:
        role = RoleService(session).create(request.form.get("name", ""), like)
    except InvalidInput as error:
        return render_page(
            "members/roles.html",
            status=422,
            roles=queries.roles(session),
            counts=queries.members_by_role(session),
            errors=error.fields,
            typed=request.form.get("name", ""),
        )
    toast(_("The role %(role)s is there; say what it may do.", role=role.name))
    return redirect(f"/settings/roles/{role.id}", 303)


def _role_page(role: Role, errors: dict[str, Any] | None = None, status: int = 200) -> Response:
    return render_page(
        "members/role.html",
        status=status,
        role=role,
        name=request.form.get("name", role.name),
        grants=_grants() if errors else role.permissions,
        single=_single_rights(),
        records=_record_rights(),
        reaches=REACHES,
        fixed=role.code == OWNER or not outranks(context.actor(), role),
        errors=errors or {},
    )


def _grants() -> dict[str, str]:
    return {key[2:]: value for key, value in request.form.items() if key.startswith("p.") and value}


@blueprint.get("/settings/roles/<uuid:role_id>")
@needs("roles:manage")
def role(role_id: uuid.UUID) -> Any:
    """Show what a role may do."""
    return _role_page(RoleService(db.session()).get(role_id))


@blueprint.post("/settings/roles/<uuid:role_id>")
@needs("roles:manage")
def role_post(role_id: uuid.UUID) -> Any:
    """Change what a role may do."""
    service = RoleService(db.session())
    try:
        changed = service.update(role_id, request.form.get("name", ""), _grants())
    except InvalidInput as error:
        return _role_page(service.get(role_id), error.fields, 422)
    toast(_("The role %(role)s is saved. It holds from the next click of its members.", role=changed.name))
    return redirect(f"/settings/roles/{role_id}", 303)


@blueprint.post("/settings/roles/<uuid:role_id>/delete")
@needs("roles:manage")
def role_delete(role_id: uuid.UUID) -> Any:
    """Remove a role that nobody has."""
    RoleService(db.session()).delete(role_id)
    toast(_("The role is deleted."))
    return redirect("/settings/roles", 303)
