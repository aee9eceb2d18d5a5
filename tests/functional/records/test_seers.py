"""Who can see a record and why: the panel says what lists and services do, over roles, scopes and kinds."""

import itertools

import pytest
from sqlalchemy import select

from kehu.core.errors import KehuError
from kehu.core.ids import new_id
from kehu.core.records import listing
from kehu.core.records.listing import ListQuery
from kehu.core.records.service import service_for
from kehu.core.records.types import get
from kehu.members.models import Member, Role, Team
from kehu.testkit.fixtures import count_queries
from kehu.web.records.seers import Audience, actor_of, members

KINDS = ("customers", "contacts", "deals", "owned_items", "activities")


@pytest.fixture
def crowd(shop):
    """Members of two teams and of none with each pair of scopes, and records of each kind that some of them own."""
    people = [shop.member("member", f"Person {number}") for number in range(8)]
    with shop.work() as session:
        teams = [Team(id=new_id(), name=name) for name in ("North", "South")]
        session.add_all(teams)
        session.flush()
        pairs = itertools.product(("own", "team", "all", None), (teams[0].id, None))
        for number, ((reach, team_id), person) in enumerate(zip(pairs, people, strict=True)):
            rights = {f"{kind}:{action}": "all" for kind in KINDS for action in ("read", "write", "delete")}
            if reach is None:
                rights = {f"{kind}:read": "all" for kind in KINDS if kind != "customers"}
            else:
                rights |= {"customers:read": reach, "contacts:read": reach, "deals:read": reach}
                rights |= {"customers:write": "own", "deals:write": "team", "contacts:delete": "own"}
            role = Role(
                id=new_id(), code=f"r{number}", name=f"Role {number}", permissions=rights, builtin=False
            )
            session.add(role)
            session.flush()
            member = session.execute(select(Member).where(Member.id == person.member_id)).scalar_one()
            member.role_id, member.team_id = role.id, team_id
        session.flush()
        found = {kind: [] for kind in KINDS}
        for owner in (people[0].member_id, people[3].member_id, people[4].member_id, None):
            customer = service_for("customers", session).create({"name": "Firm", "owner_id": owner})
            found["customers"].append(customer.id)
            common = {"customer_id": customer.id}
            for kind, values in (
                ("contacts", {"name": "Anna", "owner_id": people[1].member_id}),
                ("deals", {"name": "Deal", "owner_id": owner}),
                ("owned_items", {"name": "Boiler"}),
                ("activities", {"kind": "note", "subject": "Note"}),
            ):
                service = service_for(kind, session)
                given = {
                    key: value for key, value in {**common, **values}.items() if key in service.type.editable
                }
                found[kind].append(service.create(given).id)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_panel_says_what_lists_and_services_do(shop, crowd, kind):
    record_type = get(kind)
    told, done = {}, {}
    with shop.work() as session:
        actors = [actor_of(row) for row in members(session)]
        for record_id in crowd[kind]:
            audience = Audience(session, record_type, service_for(kind, session).get(record_id))
            for actor in actors:
                reach = audience.reach(actor)
                told[record_id, actor.name] = tuple(reach.may(one) for one in ("read", "write", "delete"))
    for actor in actors:
        with shop.work(actor) as session:
            seen = set()
            if actor.may(f"{kind}:read"):
                page = listing.page(session, record_type, ListQuery(limit=200), actor)
                seen = {row["id"] for row in page.rows}
            for record_id in crowd[kind]:
                may = [record_id in seen]
                for action in ("write", "delete"):
                    try:
                        service_for(kind, session).get(record_id, action=action)
                    except KehuError:
                        may.append(False)
                    else:
                        may.append(True)
                done[record_id, actor.name] = tuple(may)
    assert told == done
    if kind in ("customers", "contacts", "deals"):
        assert {one[0] for one in told.values()} == {True, False}


def test_panel_shows_members_tokens_and_reasons(browser, browser_of, shop, crowd, other_shop):
    shop.token(["customers:read"])
    url = f"/customers/{crowd['customers'][0]}/seers"
    assert url in browser.get(url.removesuffix("/seers")).text
    with count_queries() as statements:
        text = browser.get(url, target="dialog#dialog").text
    assert len(statements) < 40
    for part in (
        "Person 0",
        "It is the member&#39;s own.",
        "It belongs to somebody else.",
        "It belongs to somebody of the same team.",
        "The role lacks the right.",
        "The role reaches all Customers.",
        "API token of Mira Sol",
    ):
        assert part in text, part
    assert browser_of("viewer").get(url).status_code == 200
    hidden = browser.get(f"/customers/{new_id()}/seers")
    assert hidden.status_code == 404
    assert type(browser)(other_shop.client()).get(url).status_code == 404
