"""Words for events, kinds and states."""

from __future__ import annotations

from kehu.api import _l

EVENTS = {
    "walk_in": _l("a visit"),
    "contact": _l("a talk, a car shown or a test drive"),
    "quote": _l("an offer"),
    "order": _l("an order"),
    "decision": _l("a decision"),
}
KINDS = {"help": _l("Help"), "conflict": _l("Conflict")}
STATES = {
    "open": (_l("To be decided"), "bad"),
    "settled": (_l("Settled by the rules"), "info"),
    "decided": (_l("Decided"), "ok"),
    "appealed": (_l("Objected to"), "warn"),
}
