"""The people of the demo firm, in teams and roles."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.accounts.services import new_user
from kehu.core.ids import new_id
from kehu.dev.demo_words import PEOPLE
from kehu.members.models import Member, Role, Team
from tenants.provision import make_member


def add_members(
    session: Session, owner: Member, password_hash: str, emails: Mapping[str, str], suffix: str = ""
) -> list[Member]:
    """Add everybody but the owner, and put all into teams; those without a given address can't sign in.

    :param emails: addresses by name of those who can.
    :param suffix: makes the other addresses unique when there is more than one demo firm.
    """
    roles = {role.code: role.id for role in session.execute(select(Role)).scalars()}
    teams = {name: Team(id=new_id(), name=name) for name in dict.fromkeys(person[2] for person in PEOPLE)}
    session.add_all(teams.values())
    session.flush()  # Members point at teams.
    found = [owner]
    for at, (name, role, _team, _title) in enumerate(PEOPLE[1:], 2):
        email = emails.get(name) or f"member{at}{suffix}@demo.example"
        hashed = password_hash if name in emails else None
        user = new_user(session, name=name, email=email, password_hash=hashed, locale="en", confirmed=True)
        session.flush()  # The member points at the user.
        found.append(make_member(roles[role], name, email, user_id=user.id))
    for member, (_name, _role, team, title) in zip(found, PEOPLE, strict=True):
        member.team_id, member.title = teams[team].id, title
    session.add_all(found)
    session.flush()  # Records point at their owners.
    return found
