"""Pages of roles: what each may do, as sentences with a reach."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, redirect, request

from kehu.core import context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _, _l
from kehu.core.ids import parse_id
from kehu.core.permissions import Permission, registered
from kehu.members import queries
from kehu.members.models import Role
from kehu.members.role_services import RoleService
from kehu.members.services import OWNER, outranks
from kehu.members.views import blueprint
from kehu.web.access import needs
from kehu.web.render import render_page
from kehu.web.toasts import toast

REACHES = (("", _l("No")), ("own", _l("Own")), ("team", _l("Team")), ("all", _l("All")))


def _groups() -> list[tuple[str, list[Permission]]]:
    """Return the permissions by what they are about, plugins last."""
    found: dict[str, list[Permission]] = {}
    for code, permission in registered().items():
        found.setdefault(
            f"{permission.plugin}{':' if permission.plugin else ''}{code.split(':')[0]}", []
        ).append(permission)
    return sorted(found.items(), key=lambda pair: (":" in pair[0], len(pair[1]) == 1, pair[0]))


def _plain() -> tuple[list[Permission], list[tuple[str, list[Permission]]]]:
    """Return single rights apart from the groups of records."""
    groups = _groups()
    single = [rights[0] for _key, rights in groups if not any(right.scoped for right in rights)]
    more = [right for _key, rights in groups if not any(one.scoped for one in rights) for right in rights[1:]]
    return single + more, [(key, rights) for key, rights in groups if any(right.scoped for right in rights)]


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
    single, groups = _plain()
    return render_page(
        "members/role.html",
        status=status,
        role=role,
        name=request.form.get("name", role.name),
        grants=_grants() if errors else role.permissions,
        single=single,
        groups=groups,
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
