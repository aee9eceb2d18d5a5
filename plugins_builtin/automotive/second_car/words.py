"""Signals, questions, facts and outcomes of the second-car model in words."""

from __future__ import annotations

from kehu.api import Option, _l

REASONS = {
    "drivers_2": _l("Two or more drivers"),
    "drivers_3": _l("Three or more drivers"),
    "workers_2": _l("Two or more go to work"),
    "people": _l("Many people in the household"),
    "child": _l("No children in the household"),
    "income_50": _l("Income of at least 50,000"),
    "income_125": _l("Income of at least 125,000"),
    "owner": _l("Owns the home"),
    "rural": _l("Lives in the country"),
}
"""Signal -> what it says for a second car."""

QUESTIONS = {
    "drivers": _l("How many have a driving licence?"),
    "workers": _l("How many go to work?"),
    "people": _l("How many people live there?"),
    "child": _l("Are there children?"),
    "income": _l("What is the yearly income?"),
    "owner": _l("Do they own their home?"),
    "rural": _l("Do they live in the country?"),
}
"""Fact of the model -> what to ask."""

INCOMES = (
    Option(value="low", label=_l("Under 50,000")),
    Option(value="middle", label=_l("50,000 to 125,000")),
    Option(value="high", label=_l("Over 125,000")),
)
INCOME_OF = {"low": 0, "middle": 50, "high": 125}
"""Choice of an income -> thousands that it reaches."""

YES_NO = (Option(value="yes", label=_l("Yes")), Option(value="no", label=_l("No")))

OUTCOMES = (
    Option(value="open", label=_l("Not asked yet")),
    Option(value="called", label=_l("Called"), tone="info"),
    Option(value="later", label=_l("Not now"), tone="warn"),
    Option(value="interested", label=_l("Interested"), tone="ok"),
    Option(value="refused", label=_l("Not interested"), tone="bad"),
    Option(value="has_one", label=_l("Has a second car"), tone="hue-180"),
    Option(value="split", label=_l("Not one household"), tone="neutral"),
)
COMES_BACK = ("called", "later")
"""Outcomes after which a household is shown again, on the day that was said."""

HITS, MISSES = ("interested", "has_one"), ("refused",)
"""Outcomes that a fit counts as a second car wanted or there, and as none."""
