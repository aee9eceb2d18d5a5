"""The registry of permissions: `resource:action`, a sentence each.

Features register theirs in `permissions.py`; plugins through `kehu_register_permissions`.
Roles (data, in `kehu.members`) map codes to a scope: own, team or all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kehu.core.context import Actor, Scope
from kehu.core.i18n import _l


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One right that a role may grant.

    :param scoped: whether own, team and all make a difference; otherwise it is granted or not.
    """

    code: str
    sentence: Any
    scoped: bool = False
    plugin: str = ""


_registry: dict[str, Permission] = {}


def register(*permissions: Permission) -> None:
    """Add permissions; a second registration of the same code must be equal."""
    for permission in permissions:
        known = _registry.get(permission.code)
        if known is not None and (known.scoped, known.plugin) != (permission.scoped, permission.plugin):
            raise ValueError(f"The permission {permission.code} is registered twice with different meanings.")
        _registry[permission.code] = permission


def register_record(resource: str, plural: Any, plugin: str = "") -> None:
    """Register the five permissions of a record type, of the platform or of a plugin."""
    for action, sentence, scoped in (
        ("read", _l("See %(things)s", things=plural), True),
        ("write", _l("Add and change %(things)s", things=plural), True),
        ("delete", _l("Put %(things)s into the trash", things=plural), True),
        ("export", _l("Export %(things)s", things=plural), True),
        ("import", _l("Import %(things)s", things=plural), False),
    ):
        register(Permission(code=f"{resource}:{action}", sentence=sentence, scoped=scoped, plugin=plugin))


def registered() -> dict[str, Permission]:
    """Return all permissions by code."""
    return dict(_registry)


def offered() -> dict[str, Permission]:
    """Return the permissions that the present tenant can give: the platform's, and those of plugins it has on."""
    from kehu.core import hooks  # The registry itself is there before the plugins are.

    enabled = hooks.enabled()
    return {code: one for code, one in _registry.items() if not one.plugin or one.plugin in enabled}


def name_of(code: str) -> str:
    """Return what a permission allows in the words of the roles' page, else its code."""
    found = _registry.get(code)
    return str(found.sentence) if found is not None else code


def everything() -> dict[str, Scope]:
    """Return a grant of every permission in its widest scope."""
    return dict.fromkeys(_registry, "all")


def require(actor: Actor, code: str) -> Scope:
    """Return the scope in which an actor holds a permission.

    :raises KeyError: for a code that nobody registered (a fault of ours).
    :raises Forbidden: when it is not granted.
    """
    if code not in _registry:
        raise KeyError(f"{code} is no registered permission.")
    return actor.require(code)
