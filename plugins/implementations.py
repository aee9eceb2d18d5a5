"""Checks what a plugin implements before pluggy sees it, because pluggy lets too much pass."""

from collections.abc import Mapping
from difflib import get_close_matches
from inspect import signature
from typing import Any, Final

from pluggy import PluginManager

from plugins.relay import location_of
from plugins.rules import PROJECT, HookRule, Mode

_PREFIX: Final = f"{PROJECT}_"
_REFUSED: Final = {
    "wrapper": "A wrapper could take away other plugins' results.",
    "hookwrapper": "A wrapper could take away other plugins' results.",
    "tryfirst": "The order of calls follows from requires and the name.",
    "trylast": "The order of calls follows from requires and the name.",
    "optionalhook": "Every hook has a specification; state the API you need in plugin.toml.",
}


def faults_of(
    plugin: Any,
    manager: PluginManager,
    rules: Mapping[str, HookRule],
    *,
    system: bool = False,
    guard: bool = True,
) -> list[str]:
    """Return what is wrong with a plugin's hook implementations, each with its remedy.

    :param guard: whether its manifest asks for the capability to hold something back.
    """
    faults: list[str] = []
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is None:
            if name in rules and callable(getattr(plugin, name)):
                faults.append(f"{name} is not marked. Put @hookimpl above it.")
            continue
        faults += _faults(name, dict(options), rules, system)
        faults += _arguments(name, getattr(plugin, name), rules.get(options.get("specname") or name))
        rule = rules.get(options.get("specname") or name)
        if rule is not None and rule.mode is Mode.GUARD and not (guard or system):
            faults.append(f'{rule.name} may hold things back. Add "guard" to capabilities in plugin.toml.')
    return faults


def _arguments(name: str, function: Any, rule: HookRule | None) -> list[str]:
    """Return the arguments that an implementation asks for and the hook does not hand over."""
    if rule is None:
        return []
    unknown = [one for one in signature(function).parameters if one not in rule.arguments]
    offers = f"It may take {', '.join(rule.arguments)}." if rule.arguments else "It takes no arguments."
    return [
        f"{name} asks for {one!r}, which the hook does not hand over. {offers} ({location_of(None, function)})"
        for one in unknown
    ]


def _faults(name: str, options: Mapping[str, Any], rules: Mapping[str, HookRule], system: bool) -> list[str]:
    hook = options.get("specname") or name
    rule = rules.get(hook)
    if rule is None:
        near = get_close_matches(hook, rules, n=1)
        hint = (
            f"Did you mean {near[0]}?" if near else f"Hooks are named {_PREFIX}… and listed in docs/plugins."
        )
        return [f"There is no hook {hook}. {hint}"]
    if system:
        return []
    if rule.mode is Mode.SYSTEM:
        return [f"{hook} belongs to the platform's own parts. Take it out."]
    return [
        f"{hook} is marked with {key}. {why} Take it out."
        for key, why in _REFUSED.items()
        if options.get(key)
    ]
