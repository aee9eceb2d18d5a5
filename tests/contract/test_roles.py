"""Every endpoint, every role, ids of the own and of a foreign firm: answered or refused, never broken or leaking."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from kehu.addons.services import PluginService
from kehu.core import context
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.core.records.types import registered
from kehu.deals.models import Pipeline, Stage
from kehu.members.models import Role, Team
from kehu.testkit.browser import Browser, text_of
from kehu.testkit.fixtures import Shop, make_shop
from kehu.tickets.models import Queue
from kehu.web.access import PUBLIC, SIGNED_IN, USER
from plugins.blueprint import VISITOR, access_of

ROLES = ("owner", "admin", "manager", "member", "viewer")
SECRET = "Zanzibar Quarry"
"""Stands in the name of everything that the foreign firm has."""

FINE = {200, 202, 204, 303, 304, 400, 401, 403, 404, 405, 409, 413, 415, 422, 428, 429}
WORDS = {
    "type_name": "customers",
    "kind": "customers",
    "object_name": "customers",
    "key": "name",
    "code": "en",
}
"""What stands in an address where no id does."""

ENDS_SESSION = {"accounts.logout", "accounts.revoke_session", "accounts.revoke_others"}


def fill(shop: Shop, name: str) -> dict[str, uuid.UUID]:
    """Give a firm one record of each type; returns their ids by kind."""
    ids: dict[str, uuid.UUID] = {}
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": name, "kind": "company"})
        ids["customers"] = customer.id
        for kind, values in {
            "contacts": {"name": name, "customer_id": str(customer.id)},
            "products": {"name": name},
            "tickets": {"title": name, "subject": name, "customer_id": str(customer.id)},
            "activities": {"subject": name, "kind": "task", "customer_id": str(customer.id)},
            "deals": {"name": name, "title": name, "customer_id": str(customer.id)},
        }.items():
            record_type = registered()[kind]
            known = {key: value for key, value in values.items() if key in record_type.by_key}
            ids[kind] = service_for(kind, session).create(known).id
        team = Team(id=new_id(), name=name)
        session.add(team)
        ids["team"], ids["role"] = (
            team.id,
            session.execute(select(Role.id).where(Role.code == "viewer")).scalar_one(),
        )
        for kind, model in {"stage": Stage, "pipeline": Pipeline, "queue": Queue}.items():
            ids[kind] = session.execute(select(model.id).limit(1)).scalar_one()
        PluginService(session).enable("automotive")
    ids["member"] = shop.member("member", name=name).member_id or new_id()
    return ids


class World:
    """Two firms: one whose members ask, and one that they must never hear of."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.own = make_shop(app)
        self.foreign = make_shop(app, name=SECRET)
        self.own_ids = fill(self.own, "Our own record")
        self.foreign_ids = fill(self.foreign, SECRET)
        self.actors = {role: self.own.owner if role == "owner" else self.own.member(role) for role in ROLES}

    def rules(self) -> Iterator[Rule]:
        """Return the pages and API calls of the product."""
        for rule in self.app.url_map.iter_rules():
            if rule.endpoint.startswith("static") or rule.endpoint in ENDS_SESSION:
                continue
            yield rule

    def address(self, rule: Rule, ids: Mapping[str, uuid.UUID]) -> str:
        """Return a rule's address with ids of one firm."""

        def value(match: re.Match[str]) -> str:
            converter, name = (match[1] or "").rstrip(":"), match[2]
            if converter == "int":
                return "1"
            if converter == "uuid" or name.endswith("_id"):
                return str(self._id(rule, name, ids))
            return WORDS.get(name, "x")

        return re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>", value, rule.rule.replace(":<", "<:"))

    def _id(self, rule: Rule, name: str, ids: Mapping[str, uuid.UUID]) -> uuid.UUID:
        stem = name.removesuffix("_id")
        for kind in (stem, f"{stem}s", *(part for part in rule.rule.split("/") if part in ids)):
            if kind in ids:
                return ids[kind]
        return ids["customers"]


@pytest.fixture(scope="module")
def world(app: Flask) -> World:
    """The two firms."""
    return World(app)


def ask(client: Browser, method: str, path: str, **more: Any) -> Any:
    """Send a request and say which one it was when it breaks."""
    try:
        return client.open(path, method=method, **more)
    except Exception as error:
        raise AssertionError(f"{method} {path} broke: {type(error).__name__}: {error}") from error


def may(actor: context.Actor, access: str | None) -> bool:
    return access in (PUBLIC, SIGNED_IN, USER, VISITOR) or actor.may(access or "")


@pytest.mark.parametrize("role", ROLES)
def test_pages_answer_or_refuse(world: World, role: str) -> None:
    actor = world.actors[role]
    client = world.own.client(actor)
    for rule in world.rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith("/api/"):
            continue
        access = access_of(world.app.view_functions[rule.endpoint])
        # What a firm can't see does not depend on the role, so the widest and the narrowest try foreign ids.
        for ids in (world.own_ids, world.foreign_ids) if role in ("owner", "viewer") else (world.own_ids,):
            path = world.address(rule, ids)
            response = ask(client, "GET", path)
            assert response.status_code in FINE, f"{role} GET {path}: {response.status_code}"
            if not may(actor, access):
                assert response.status_code in (403, 404), (
                    f"{role} GET {path}: {response.status_code}, needs {access}"
                )
            assert SECRET not in text_of(response), f"{role} GET {path} tells of another firm"


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_writes_to_foreign_records_find_nothing(world: World, role: str) -> None:
    actor = world.actors[role]
    client = world.own.client(actor)
    for rule in world.rules():
        methods = {"POST", "PUT", "PATCH", "DELETE"} & (rule.methods or set())
        if rule.rule.startswith("/api/") or access_of(world.app.view_functions[rule.endpoint]) == PUBLIC:
            continue
        for method in methods:
            path = world.address(rule, world.foreign_ids)
            response = ask(client, method, path, data={"name": "Taken", "version": "1", "ids": str(new_id())})
            assert response.status_code in FINE, f"{role} {method} {path}: {response.status_code}"
            assert SECRET not in text_of(response), f"{role} {method} {path} tells of another firm"
            if not may(actor, access_of(world.app.view_functions[rule.endpoint])):
                assert response.status_code in (403, 404), f"{role} {method} {path}: {response.status_code}"
    assert names_of(world.foreign) == {SECRET}


@pytest.mark.parametrize("role", ["owner", "viewer"])
def test_the_api_answers_or_refuses(world: World, role: str) -> None:
    actor = world.actors[role]
    client = world.own.client(actor)
    client.delete_cookie("kehu_session")
    headers = {"Authorization": f"Bearer {world.own.token(actor=actor)}"}
    for rule in world.rules():
        if not rule.rule.startswith("/api/"):
            continue
        for method in {"GET", "POST", "PATCH", "PUT", "DELETE"} & (rule.methods or set()):
            path = world.address(rule, world.foreign_ids)
            body = None if method in ("GET", "DELETE") else {"name": "Taken"}
            response = ask(client, method, path, headers=headers, json=body)
            assert response.status_code in FINE | {201}, f"{role} {method} {path}: {response.status_code}"
            assert SECRET not in text_of(response), f"{role} {method} {path} tells of another firm"
    assert names_of(world.foreign) == {SECRET}


def names_of(shop: Shop) -> set[str]:
    """Return the names that a firm's records have now."""
    found: set[str] = set()
    with shop.work() as session:
        for kind in ("customers", "contacts", "deals"):
            record_type = registered()[kind]
            model: Any = record_type.model
            rows = session.execute(
                select(getattr(model, record_type.title)).where(model.deleted_at.is_(None))
            )
            found |= set(rows.scalars())
    return found


def test_without_a_session_every_page_asks_to_sign_in(world: World) -> None:
    client = world.own.client()
    client.delete_cookie("kehu_session", domain=client.host)
    for rule in world.rules():
        access = access_of(world.app.view_functions[rule.endpoint])
        if access in (PUBLIC, VISITOR) or rule.rule.startswith("/api/"):
            continue
        path = world.address(rule, world.own_ids)
        for method in {"GET", "POST", "PUT", "DELETE"} & (rule.methods or set()):
            response = ask(client, method, path)
            assert response.status_code in (303, 401, 404), f"{method} {path}: {response.status_code}"
            if response.status_code == 303:
                assert response.location.startswith("/login"), f"{method} {path} leads to {response.location}"
