"""Which doubles are so certain that nobody need look: pure, no database.

Beyond 99 %, two independent strong signs must agree. What a household shares (a phone, an address) is one sign
together, and alone with the name none: father and son often have all of it in common. Twins, other given names,
another date of birth and branches of one company are left to people.
"""

from __future__ import annotations

from kehu.merging.rule import CERTAIN, Match

AGAINST = frozenset({"given", "born", "company", "customer"})
"""Who differs in one of these is another one, or somebody has to look."""

BRANCH = frozenset({"city", "postcode", "street"})


def strong(match: Match) -> frozenset[str]:
    """Return the independent signs by which two records are the same: birth, mail, home, company, website, phone."""
    agree = frozenset(match.agree)
    if not match.first.person:
        return agree & {"company", "phone", "email", "website"}
    found = set()
    if "born" in agree and match.first.born == match.second.born:
        found.add("birth")
    if "email" in agree:
        found.add("mail")
    if agree & {"phone", "street"}:
        found.add("home")
    return frozenset(found)


def certain(match: Match) -> bool:
    """Tell whether two records may be merged without anybody looking."""
    differ = frozenset(match.differ)
    if match.probability < CERTAIN or differ & AGAINST:
        return False
    signs = strong(match)
    if match.first.person:
        return {"given", "surname"} <= set(match.agree) and len(signs) >= 2
    return "company" in signs and len(signs) >= 2 and not differ & BRANCH
