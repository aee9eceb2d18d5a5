"""The kinds that a firm can give its own fields, in the words of the form that makes one."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.records.fields import Option

KINDS = (
    Option(value="text", label=_l("Text, one line")),
    Option(value="long_text", label=_l("Long text")),
    Option(value="choice", label=_l("One of a list")),
    Option(value="choices", label=_l("Several of a list")),
    Option(value="bool", label=_l("Yes or no")),
    Option(value="number", label=_l("Whole number")),
    Option(value="decimal", label=_l("Number with decimals")),
    Option(value="percent", label=_l("Percent")),
    Option(value="money", label=_l("Amount of money")),
    Option(value="date", label=_l("Date")),
    Option(value="datetime", label=_l("Date and time")),
    Option(value="email", label=_l("E-mail address")),
    Option(value="phone", label=_l("Phone number")),
    Option(value="link", label=_l("Web address")),
    Option(value="member", label=_l("Member of the firm")),
    Option(value="ref", label=_l("Another record")),
)

LISTED = frozenset({"choice", "choices"})
"""Kinds whose values come from options."""
BOUNDED = frozenset({"number", "decimal", "percent"})
UNIQUE = frozenset({"text", "number", "email", "phone", "link"})
"""Kinds of which each value may be asked to stand once."""
NO_DEFAULT = frozenset({"choices", "member", "ref"})
TONES = ("neutral", "ok", "warn", "bad", "info", "hue-180", "hue-60", "hue-262", "hue-15", "hue-310")
"""Colours that options take in turn."""
