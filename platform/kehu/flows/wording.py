"""A workflow in words: when it starts, for which records, what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kehu.core.i18n import _, _n
from kehu.core.records.types import RecordType
from kehu.flows.models import Flow


def starts_when(flow: Flow, kind: RecordType) -> str:
    """Return when a workflow starts."""
    spec = kind.by_key.get(flow.field or "")
    label = spec.label if spec is not None else flow.field or "…"
    if flow.trigger == "created":
        return _("A record is created: %(thing)s", thing=kind.label)
    if flow.trigger == "changed":
        if flow.field:
            return _("“%(field)s” of a record is changed: %(thing)s", field=label, thing=kind.label)
        return _("A record is changed: %(thing)s", thing=kind.label)
    if flow.trigger == "quiet":
        return _n("Nothing happens for %(num)s day", "Nothing happens for %(num)s days", flow.days)
    if not flow.days:
        return _("On the day of “%(field)s”", field=label)
    if flow.side == "before":
        return _n("%(num)s day before “%(field)s”", "%(num)s days before “%(field)s”", flow.days, field=label)
    return _n("%(num)s day after “%(field)s”", "%(num)s days after “%(field)s”", flow.days, field=label)


def does(step: Mapping[str, Any], kind: RecordType, names: Mapping[str, str]) -> str:
    """Return what an action does."""
    return _WORDS[step["do"]](step, kind, names)


def _whom(step: Mapping[str, Any], names: Mapping[str, str]) -> str:
    member = step.get("member")
    return names.get(member, _("Former member")) if member else _("the owner")


def _set(step: Mapping[str, Any], kind: RecordType, names: Mapping[str, str]) -> str:
    spec = kind.by_key.get(step["field"])
    if spec is None:
        return _("Set “%(field)s”, which is not there any more", field=step["field"])
    value = step.get("value", "")
    if not value:
        return _("Empty “%(field)s”", field=spec.label)
    option = spec.option(value) if spec.kind == "choice" else None
    shown = str(option.label) if option else names.get(value, value)
    return _("Set “%(field)s” to %(value)s", field=spec.label, value=shown)


def _task(step: Mapping[str, Any], _kind: RecordType, names: Mapping[str, str]) -> str:
    return _n(
        "Add the task “%(text)s” for %(name)s, due after %(num)s day",
        "Add the task “%(text)s” for %(name)s, due after %(num)s days",
        step.get("days", 0),
        text=step["text"],
        name=_whom(step, names),
    )


def _assign(step: Mapping[str, Any], _kind: RecordType, names: Mapping[str, str]) -> str:
    return _("Hand over to %(name)s", name=_whom(step, names))


def _mail(step: Mapping[str, Any], _kind: RecordType, names: Mapping[str, str]) -> str:
    return _("Mail “%(subject)s” to %(name)s", subject=step["subject"], name=_whom(step, names))


def _webhook(step: Mapping[str, Any], _kind: RecordType, names: Mapping[str, str]) -> str:
    return _("Call the webhook “%(name)s”", name=names.get(step["webhook"], "…"))


def _approve(step: Mapping[str, Any], _kind: RecordType, names: Mapping[str, str]) -> str:
    return _(
        "Ask %(name)s: “%(question)s”; go on if he agrees", name=_whom(step, names), question=step["text"]
    )


def _wait(step: Mapping[str, Any], _kind: RecordType, _names: Mapping[str, str]) -> str:
    return _n("Wait %(num)s day", "Wait %(num)s days", step["days"])


_WORDS = {
    "set": _set,
    "task": _task,
    "assign": _assign,
    "mail": _mail,
    "webhook": _webhook,
    "approve": _approve,
    "wait": _wait,
}
