"""Fixtures for tests of Kehu and of plugins: an application, two shops, members, clients.

Each functional test gets shops of its own: isolation by tenant makes cleaning unnecessary.
"""

from __future__ import annotations

import gc
import itertools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from kehu.accounts.models import LoginSession, User
from kehu.core import context, db
from kehu.core.ids import new_id
from kehu.core.text import normal_email
from kehu.dev.roles import DatabaseUrls
from kehu.testkit.browser import Browser, browser

_numbers = itertools.count(1)
PASSWORD = "correct horse battery staple"


@dataclass
class Shop:
    """A tenant with an owner, for tests."""

    app: Flask
    tenant: context.TenantInfo
    owner: context.Actor
    members: dict[str, context.Actor] = field(default_factory=dict)

    @contextmanager
    def work(self, actor: context.Actor | None = None) -> Iterator[Session]:
        """Open a unit of work as the owner or another actor; commits at the end."""
        with (
            self.app.app_context(),
            db.unit_of_work(tenant=self.tenant, actor=actor or self.owner, source="web") as session,
        ):
            yield session

    def member(self, role: str = "member", name: str = "", team_id: uuid.UUID | None = None) -> context.Actor:
        """Add a member with a role, who can sign in, and return him as an actor."""
        from kehu.members.loading import actor_of_member
        from kehu.members.models import Role
        from tenants.provision import make_member

        with self.work() as session:
            user = make_user(session, name or f"{role.title()} {next(_numbers)}")
            role_id = session.execute(select(Role.id).where(Role.code == role)).scalar_one()
            member = make_member(role_id, user.name, user.email, user_id=user.id)
            member.team_id = team_id
            session.add(member)
            session.flush()
            actor = actor_of_member(session, member.id)
        assert actor is not None
        self.members[role] = actor
        return actor

    def client(self, actor: context.Actor | None = None) -> Browser:
        """Return a browser on the firm's sub-domain, signed in as the owner or another member."""
        who = actor or self.owner
        client = browser(self.app, f"{self.tenant.address}.localhost")
        with self.work() as session:
            user = session.get(User, who.user_id)
            assert user is not None
            login = LoginSession(id=new_id(), user_id=user.id, address="127.0.0.1", agent="test")
            session.add(login)
            key, login_id = user.fs_uniquifier, login.id
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["kehu_sid"] = key, str(login_id)
            cookie["_fresh"], cookie["tenant_id"] = True, str(self.tenant.id)
        return client

    def token(self, scopes: list[str] | None = None, actor: context.Actor | None = None) -> str:
        """Return a bearer token of a member, with all scopes by default."""
        from kehu.members.models import ApiToken
        from kehu.rest.auth import make_secret, token_text

        secret, hashed = make_secret()
        with self.work() as session:
            token = ApiToken(
                id=new_id(),
                member_id=(actor or self.owner).member_id,
                name="test",
                secret_hash=hashed,
                scopes=scopes or ["*"],
            )
            session.add(token)
            return token_text(self.tenant.id, token.id, secret)


def make_user(session: Session, name: str) -> User:
    """Return a new user with a confirmed address, added to the session."""
    from kehu.core import clock

    number = next(_numbers)
    email = f"{'.'.join(name.lower().split())}.{number}.{new_id().hex[-6:]}@example.com"
    user = User(
        id=new_id(),
        email=email,
        email_norm=normal_email(email),
        name=name,
        locale="en",
        active=True,
        operator=False,
        fs_uniquifier=new_id().hex,
        confirmed_at=clock.now(),
        prefs={},
    )
    session.add(user)
    session.flush()
    return user


def make_shop(app: Flask, name: str = "Harbour & Co", **changes: Any) -> Shop:
    """Found a tenant."""
    from kehu.members.loading import actor_of_member
    from tenants.provision import NewTenant, provision

    wanted = {
        "name": name,
        "address": f"t{new_id().hex[-12:]}",
        "country": "GB",
        "currency": "GBP",
        "zone": "Europe/London",
        "locale": "en",
        **changes,
    }
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM, source="web") as session:
        user = make_user(session, "Mira Sol")
        tenant, member = provision(session, NewTenant(**wanted), user)
        session.flush()
        owner = actor_of_member(session, member.id)
    assert owner is not None
    return Shop(app=app, tenant=tenant, owner=owner, members={"owner": owner})


def operator_client(app: Flask, name: str = "Olga Operator", *, second_factor: bool = True) -> Browser:
    """Return a browser of somebody who runs the installation, on its own host.

    :param second_factor: whether the operator has one, as the console asks for.
    """
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM) as session:
        user = make_user(session, name)
        user.operator, user.tf_primary_method = True, "authenticator" if second_factor else None
        login = LoginSession(id=new_id(), user_id=user.id, address="127.0.0.1", agent="test")
        session.add(login)
        key, login_id = user.fs_uniquifier, login.id
    client = browser(app)
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["kehu_sid"], cookie["_fresh"] = key, str(login_id), True
    return client


@pytest.fixture(scope="session")
def app(database_urls: DatabaseUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on the test database."""
    from kehu.app import create_app
    from kehu.config import Settings

    settings = Settings(
        environment="test",
        secret_key="x" * 40,
        database_url=database_urls.owner,
        app_database_url=database_urls.app,
        cross_database_url=database_urls.cross,
        https=False,
        var=Path(tmp_path_factory.mktemp("var")),
        log_level="WARNING",
        api_rate="100000 per minute",
        signup_rate="100000 per hour",
    )
    made = create_app(settings)
    # What the application is made of lasts as long as the run: the collector need not look through it each time.
    gc.freeze()
    yield made
    db.dispose_engines()


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A fresh tenant with an owner."""
    return make_shop(app)


@pytest.fixture
def other_shop(app: Flask) -> Shop:
    """A second tenant, whose rows nobody of the first may ever see."""
    return make_shop(app, name="Tidewater Marine")


@pytest.fixture
def session(shop: Shop) -> Iterator[Session]:
    """A unit of work as the owner of `shop`, rolled back at the end."""
    with shop.app.app_context(), context.use(tenant=shop.tenant, actor=shop.owner, source="web"):
        opened = db.open_session()
        yield opened
        opened.rollback()
        db.close_session()


@dataclass
class Statements:
    """The statements that ran, for counting."""

    texts: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)


@contextmanager
def count_queries() -> Iterator[Statements]:
    """Count the statements of the web role within the block (the opening SET LOCAL is not one of them)."""
    found = Statements()

    def note(_conn: Any, _cursor: Any, statement: str, _params: Any, _ctx: Any, _many: bool) -> None:
        found.texts.append(statement)

    engine = db.engine("app")
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(autouse=True)
def tenant_in_every_statement(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test whose statements touch a tenant's table without the tenant, wherever an application is in use."""
    if "app" not in request.fixturenames:
        yield
        return
    from kehu.testkit.sql_watch import watch_statements

    request.getfixturevalue("app")
    with watch_statements() as found:
        yield
    assert not found, "Statements without tenant filter:\n" + "\n".join(found[:5])
