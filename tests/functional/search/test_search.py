"""Palette and search page: all alphabets, numbers, rights, few statements."""

import re

import pytest

from kehu.core.records.service import service_for
from kehu.testkit.fixtures import count_queries

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#palette-results"}


@pytest.fixture
def found(shop):
    """Return what the palette finds, as texts."""
    with shop.work() as session:
        customers = service_for("customers", session)
        northwind = customers.create(
            {"name": "Northwind Joinery", "phones": "+44 20 7946 4410", "tags": "VIP"}
        ).id
        for name in ("上海明德贸易", "Самара Логистик", "Élan Studio"):
            customers.create({"name": name})
        link = {"customer_id": str(northwind)}
        service_for("contacts", session).create(
            {"name": "Anna Lindqvist", "emails": "anna.l@northwind.example", **link}
        )
        service_for("deals", session).create({"name": "Northern lights", "amount": "5", **link})
        for number in range(12):
            service_for("tickets", session).create({"subject": f"Scratch {number}", **link})
        service_for("activities", session).create({"kind": "task", "subject": "Ring Anna", **link})
    client = shop.client()

    def ask(query, path="/palette"):
        with count_queries() as statements:
            answer = client.get(path, query_string={"q": query}, headers=HTMX if path == "/palette" else {})
        assert answer.status_code == 200
        assert len(statements) <= 5, "\n".join(statements.texts)
        return re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))

    return ask


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("northw", "Northwind Joinery"),
        ("joi nor", "Northwind Joinery"),
        ("elan", "Élan Studio"),
        ("ÉLAN", "Élan Studio"),
        ("明德", "上海明德贸易"),
        ("shanghai", "上海明德贸易"),
        ("mingde", "上海明德贸易"),
        ("самара", "Самара Логистик"),
        ("samara log", "Самара Логистик"),
        ("4410", "Northwind Joinery"),
        ("020 7946", "Northwind Joinery"),
        ("+44 20 7946", "Northwind Joinery"),
        ("#vip", "Northwind Joinery"),
        ("anna.l@north", "Anna Lindqvist"),
        ("#12", "#12 Scratch 11"),
    ],
)
def test_what_people_type_finds_what_they_mean(found, query, name):
    assert name in found(query)
    assert name in found(query, "/search")


def test_hits_stand_by_kind_at_most_six_each(found):
    text = found("north")
    assert text.index("Customers") < text.index("Deals")
    assert found("scratch").count("Scratch") == 6
    assert found("scratch", "/search").count("Scratch") >= 6


def test_nothing_found_offers_to_create_it(found):
    text = found("Zebra & Co")
    assert "Create customer “Zebra &amp; Co”" in text
    assert "Nothing found" in text


def test_empty_shows_places_and_what_was_opened(shop, found):
    client = shop.client()
    with shop.work() as session:
        made = service_for("customers", session).create({"name": "Opened last"}).id
    assert "Opened last" not in client.get("/palette").get_data(as_text=True)
    assert client.get(f"/customers/{made}").status_code == 200
    text = client.get("/palette").get_data(as_text=True)
    assert "Opened last" in text
    assert "Go to" in text
    with shop.work() as session:
        service_for("customers", session).trash(made)
    assert "Opened last" not in client.get("/palette").get_data(as_text=True)


def test_other_tenants_and_roles_find_nothing(shop, other_shop, found):
    foreign = other_shop.client().get("/palette?q=northwind").get_data(as_text=True)
    assert "Northwind" not in foreign.replace("“northwind”", "")
    from sqlalchemy import select

    from kehu.members.models import Role

    with shop.work() as session:
        role = session.execute(select(Role).where(Role.code == "viewer")).scalar_one()
        role.permissions = {**role.permissions, "customers:read": "own"}
    viewer = shop.client(shop.member("viewer"))
    text = viewer.get("/palette?q=north").get_data(as_text=True)
    assert "Northern lights" in text
    assert "/customers/" not in text


@pytest.mark.parametrize(
    "query", ["%", "'; drop table", "\x00", "\U0010ffff", "a" * 5000, "    ", "🚲", "#", "@", "##12"]
)
def test_strange_queries_are_answered(found, query):
    found(query)
    found(query, "/search")


def test_forged_recents_are_ignored(shop):
    client = shop.client()
    client.set_cookie("kehu_recent", "x|customers-zzz.roles-AAAA", domain=f"{shop.tenant.address}.localhost")
    assert client.get("/palette").status_code == 200


def test_a_deal_is_found_by_its_customer_and_its_number(found, shop):
    assert "Northern lights" in found("joinery")
    assert "Northern lights" in found("#1")
    assert "Scratch" in found("4410")


def test_hits_of_the_words_themselves_come_before_those_of_the_customer(shop, found):
    with shop.work() as session:
        service_for("deals", session).create({"name": "Joinery roof"})
    text = found("joinery")
    assert text.index("Joinery roof") < text.index("Northern lights")


def test_customers_out_of_sight_lead_to_no_deal(shop, found):
    from sqlalchemy import select

    from kehu.members.models import Role

    with shop.work() as session:
        role = session.execute(select(Role).where(Role.code == "viewer")).scalar_one()
        role.permissions = {**role.permissions, "customers:read": "own"}
    viewer = shop.client(shop.member("viewer"))
    assert "Northern lights" not in viewer.get("/palette?q=joinery").get_data(as_text=True)


def test_a_number_means_that_number_alone(found):
    text = found("#1")
    assert "#1 Scratch 0" in text
    assert "#12" not in text


def test_pages_stand_before_what_could_be_created(found):
    text = found("import")
    assert text.index("Go to") < text.index("Create customer")
    for query, page in (
        ("members", "Members"),
        ("tras", "Trash"),
        ("pipel", "Pipelines"),
        ("my acc", "My account"),
    ):
        assert page in found(query)
