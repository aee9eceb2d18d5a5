"""The card on a customer, the page of a household, the list of who may be one; rights and statements."""

import pytest

from kehu.core.records.service import service_for
from kehu.relations.services import HouseholdMemberService, RelationService
from kehu.testkit.fixtures import count_queries

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
HOME = [{"street": "12 Mill Street 4", "postcode": "LS1 4AB", "city": "Leeds"}]


@pytest.fixture
def family(shop):
    """Two people in a household with a relation, and a third at the address."""
    with shop.work() as session:
        made = [
            service_for("customers", session).create({"name": name, "kind": "person", "addresses": HOME}).id
            for name in ("Anna Lind", "Bo Lind", "Eve Lind")
        ]
        home = service_for("households", session).create({"name": "The Linds"}).id
        members = [
            HouseholdMemberService(session).create({"household_id": str(home), "customer_id": str(one)}).id
            for one in made[:2]
        ]
        given = {"customer_id": str(made[0]), "other_id": str(made[2]), "kind": "parent"}
        RelationService(session).create(given)
        service_for("tickets", session).create({"subject": "It hums", "customer_id": str(made[1])})
        return made, home, members


def text_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_card_and_page_in_few_statements(shop, family):
    client, (made, home, members) = shop.client(), family
    card = f"/relations/of/{made[0]}"
    assert card in text_of(client, f"/customers/{made[0]}")
    with count_queries() as statements:
        text = text_of(client, card)
    assert len(statements) <= 6, "\n".join(statements.texts)
    for part in ("The Linds", "Bo Lind", "Child", "Eve Lind"):
        assert part in text
    with count_queries() as statements:
        text = text_of(client, f"/households/{home}")
    assert len(statements) <= 9, "\n".join(statements.texts)
    assert "It hums" in text
    assert client.post(f"/household_members/{members[1]}/leave", headers=HTMX).status_code == 204
    assert "left on" in text_of(client, card)
    with count_queries() as statements:
        assert "The Linds" in text_of(client, "/households")
    assert len(statements) <= 8, "\n".join(statements.texts)


def test_suggestions(shop, family):
    client, (made, _home, _members) = shop.client(), family
    with count_queries() as statements:
        text = text_of(client, "/households/suggestions")
    assert len(statements) <= 7, "\n".join(statements.texts)
    assert text.count("Not one household") == 2
    pair = {"first": str(made[0]), "second": str(made[2])}
    assert client.post("/households/suggestions/reject", data=pair).status_code == 303
    assert text_of(client, "/households/suggestions").count("Not one household") == 1
    pair["first"] = str(made[1])
    assert client.post("/households/suggestions/accept", data=pair).status_code == 303
    assert "Nobody to look at" in text_of(client, "/households/suggestions")
    assert client.post("/households/suggestions/accept", data={"first": "x"}).status_code == 404


def test_rights_and_foreign_firms(shop, other_shop, family):
    made, home, members = family
    viewer = shop.client(shop.member("viewer"))
    assert "Add a relation" not in text_of(viewer, f"/relations/of/{made[0]}")
    pair = {"first": str(made[0]), "second": str(made[2])}
    for path in (
        f"/household_members/{members[0]}/leave",
        "/households/suggestions/accept",
        "/households/suggestions/reject",
    ):
        assert viewer.post(path, data=pair).status_code == 403
    stranger = other_shop.client()
    for path in (f"/relations/of/{made[0]}", f"/households/{home}"):
        assert stranger.get(path).status_code == 404
    assert stranger.post("/households/suggestions/accept", data=pair).status_code == 404
