"""The actions of a workflow as they are kept: what each is called and which values it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kehu.core import text
from kehu.core.i18n import _, _l
from kehu.core.ids import parse_id
from kehu.core.records.fields import Field, FieldError, LoadContext
from kehu.core.records.kinds import Kind

MOST = 20
"""Actions that a workflow may have."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """A kind of action.

    :param values: the names of what it holds, those that must be given first.
    :param needed: how many of them must be given.
    """

    key: str
    label: Any
    icon: str
    values: tuple[str, ...]
    needed: int = 0


ACTS: Mapping[str, Act] = {
    one.key: one
    for one in (
        Act(key="set", label=_l("Set a field"), icon="edit", values=("field", "value"), needed=1),
        Act(key="task", label=_l("Add a task"), icon="square-check", values=("text", "days", "member"), needed=1),
        Act(key="assign", label=_l("Hand over to a member"), icon="user", values=("member",), needed=1),
        Act(key="mail", label=_l("Mail to the owner or a member"), icon="mail", values=("subject", "text", "member"),
            needed=2),
        Act(key="webhook", label=_l("Call a webhook"), icon="api", values=("webhook",), needed=1),
        Act(
            key="approve",
            label=_l("Ask for approval"),
            icon="shield-check",
            values=("member", "text"),
            needed=2,
        ),
        Act(key="wait", label=_l("Wait"), icon="clock", values=("days",), needed=1),
    )
}  # fmt: skip
LABELS: Mapping[str, Any] = {
    "field": _l("Field"),
    "value": _l("Value"),
    "subject": _l("Subject"),
    "text": _l("Text"),
    "days": _l("Days"),
    "member": _l("Member"),
    "webhook": _l("Webhook"),
}
LONGEST = {"field": 80, "value": 2000, "subject": 150, "text": 2000}
MOST_DAYS = {"task": 3650, "wait": 365}


def load(raw: Any, _field: Field, _ctx: LoadContext) -> list[dict[str, Any]]:
    """Read a list of actions; what they name is looked at by the service, which knows the record type."""
    if not isinstance(raw, list | tuple):
        raise FieldError(_("Write a list here."))
    if len(raw) > MOST:
        raise FieldError(_("%(have)s entries are too many; %(may)s are possible.", have=len(raw), may=MOST))
    return [_one(part) for part in raw]


def _one(part: Any) -> dict[str, Any]:
    act = ACTS.get(str(part.get("do"))) if isinstance(part, Mapping) else None
    if act is None:
        known = ", ".join(ACTS)
        raise FieldError(_("Each action needs “do”: one of %(known)s.", known=known))
    found: dict[str, Any] = {"do": act.key}
    for at, name in enumerate(act.values):
        value = _value(act, name, part.get(name))
        if value in ("", None) and at < act.needed:
            raise FieldError(_("%(label)s is needed.", label=LABELS[name]))
        if value not in ("", None):
            found[name] = value
    return found


def _value(act: Act, name: str, raw: Any) -> Any:
    if raw is None:
        return None
    if name in ("member", "webhook"):
        found = parse_id(str(raw).strip())
        if found is None and str(raw).strip():
            raise FieldError(_("Choose one from the list."))
        return str(found) if found else None
    if name == "days":
        given = str(raw).strip()
        most = MOST_DAYS[act.key]
        least = 1 if act.key == "wait" else 0
        if given and not (given.isascii() and given.isdigit() and least <= int(given[:9]) <= most):
            raise FieldError(_("Days: a whole number from %(least)s to %(most)s.", least=least, most=most))
        return int(given) if given else None
    found_text = text.clean(str(raw), lines=name in ("text", "value")).strip()
    if len(found_text) > LONGEST[name]:
        raise FieldError(_("%(label)s: at most %(most)s characters.", label=LABELS[name], most=LONGEST[name]))
    return found_text


def shown(value: Any) -> str:
    """Return actions as the trail shows them."""
    return ", ".join(str(ACTS[one["do"]].label) for one in value or () if one.get("do") in ACTS)


KIND = Kind(load=load, show=shown, json_type="array")
