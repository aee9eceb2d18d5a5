"""Context, permissions, settings, counters, search terms, events and jobs."""

import datetime as dt
import json
import logging
import uuid

import pytest
from sqlalchemy import text

from kehu.config import ConfigError, Settings, load_settings
from kehu.core import audit, context, counters, db, events, hooks, i18n, jobs, permissions, search_terms
from kehu.core import logging as kehu_logging
from kehu.core.errors import Forbidden, SignInNeeded
from kehu.core.ids import new_id
from kehu.core.search_terms import query_terms, terms


def test_nobody_is_signed_in_outside_of_a_request(app):
    with app.test_request_context():
        for ask in (context.actor, context.tenant):
            with pytest.raises(SignInNeeded):
                ask()
    with pytest.raises(RuntimeError, match="unit of work"):
        db.session()
    assert hooks.enabled() == frozenset()


def test_scopes(app):
    actor = context.Actor(permissions={"deals:read": "team"})
    assert actor.may("deals:read")
    assert actor.scope("deals:write") is None
    assert context.SYSTEM.scope("anything:at_all") == "all"
    assert context.narrower("team", "own") == "own"
    assert context.narrower("team", "all") == "team"
    with app.test_request_context(), pytest.raises(Forbidden, match="Add and change"):
        actor.require("deals:write")


def test_permissions_are_registered_once():
    assert "customers:read" in permissions.registered()
    with pytest.raises(ValueError, match="twice"):
        permissions.register(permissions.Permission(code="customers:read", sentence="x", scoped=False))
    with pytest.raises(KeyError):
        permissions.require(context.SYSTEM, "nothing:like_it")
    assert permissions.require(context.SYSTEM, "customers:read") == "all"
    assert set(permissions.everything().values()) == {"all"}


def test_settings_are_checked():
    good = {
        "KEHU_SECRET_KEY": "x" * 32,
        "KEHU_APP_DATABASE_URL": "postgresql://a",
        "KEHU_HTTPS": "no",
        "KEHU_PORT": "81",
    }
    settings = load_settings(good)
    assert (settings.https, settings.port, settings.development, settings.testing) == (
        False,
        81,
        False,
        False,
    )
    assert settings.base_url("acme") == "http://acme.localhost:81"
    assert load_settings({**good, "KEHU_HTTPS": "1"}).base_url() == "https://localhost"
    for name, value in (
        ("KEHU_SECRET_KEY", "short"),
        ("KEHU_APP_DATABASE_URL", ""),
        ("KEHU_PORT", "many"),
        ("KEHU_HTTPS", "perhaps"),
        ("KEHU_ENV", "moon"),
        ("KEHU_BILLING_MODE", "gold"),
    ):
        with pytest.raises(ConfigError, match=name):
            load_settings({**good, name: value})


def test_a_production_environment_is_frozen():
    settings = Settings(secret_key="x" * 32)
    with pytest.raises(AttributeError):
        settings.port = 5


def test_locales():
    assert [i18n.match_locale(code) for code in ("zh-CN", "zh_TW", "ru-RU", "en", "de", None, "zh-Hant-HK")] == [
        "zh_Hans", "zh_Hant", "ru", "en", None, None, "zh_Hant",
    ]  # fmt: skip
    assert i18n.html_lang("zh_Hans") == "zh-Hans"


def test_numbers_have_no_gaps(shop):
    with shop.work() as session:
        assert counters.take(session, "papers") == 1
        assert counters.take(session, "papers", 5) == 2
    with pytest.raises(RuntimeError), shop.work() as session:
        assert counters.take(session, "papers") == 7
        raise RuntimeError
    with shop.work() as session:
        assert counters.take(session, "papers") == 7


def test_terms_of_all_scripts():
    found = terms(
        [
            ("name", "Élan Самара 王小明 O'Neil"),
            ("phone", "+44 20 7946 4410"),
            ("phone", "12"),
            ("email", "anna.lind@example.com"),
            ("email", "no-at-sign"),
            ("code", "D-1057"),
            ("tag", "VIP"),
            ("text", ""),
        ]
    )
    assert {
        "elan",
        "самара",
        "samara",
        "王小明",
        "小明",
        "明",
        "wangxiaoming",
        "wxm",
        "oneil",
        "4410",
        "79464410",
    } <= found
    assert {
        "anna",
        "lind",
        "example",
        "example.com",
        "anna.lind@example.com",
        "d-1057",
        "1057",
        "#vip",
    } <= found
    assert query_terms("  samara o'NEIL ") == ["samara", "oneil"]
    assert query_terms("#VIP") == ["#vip"]
    assert query_terms("Anna@Ex") == ["anna@ex"]
    assert query_terms("(020) 79-46") == ["207946"]
    assert query_terms("030 12") == ["3012"]
    assert query_terms("01067") == ["01067"]
    assert query_terms("!?") == []
    assert len(terms([("name", " ".join(f"w{n}" for n in range(900)))])) == search_terms.MOST
    assert terms([("name", "mixed王en")]) >= {"mixed", "王", "en"}


def test_the_trail_belongs_to_its_batch(shop):
    with shop.work() as session:
        batch = new_id()
        audit.use_batch(session, batch)
        entry = audit.write(session, object="things", record_id=new_id(), action="made", title="x" * 300)
        assert entry.batch_id == batch == audit.batch_id(session)
        assert len(entry.title) == 200


def test_the_trail_can_not_be_changed(shop):
    with shop.work() as session:
        audit.write(session, object="things", record_id=new_id(), action="made", title="x")
    for statement in (
        "UPDATE audit_entries SET title = 'y' WHERE tenant_id = :t",
        "DELETE FROM audit_entries WHERE tenant_id = :t",
    ):
        with pytest.raises(Exception, match="permission denied"), shop.work() as session:
            session.execute(text(statement), {"t": shop.tenant.id})


def test_events_are_announced_once_and_only_to_listeners(shop):
    told = []
    events.connect(
        "test",
        lambda _tenant, name: name.startswith("deal"),
        lambda _session, tenant, batch: told.append((tenant, batch)),
    )
    try:
        with shop.work() as session:
            events.announce(session, "customer.created")
            events.announce(session, "deal.won")
            events.announce(session, "deal.lost")
            assert told == [(str(shop.tenant.id), str(audit.batch_id(session)))]
    finally:
        del events._ways["test"]


@jobs.tenant_task("tests.note")
def note_task(tenant_id, word="", moment=None):
    audit.write(db.session(), object="tests", record_id=uuid.UUID(int=1), action="ran", title=word)


@jobs.tenant_task("tests.long", one_transaction=False)
def long_task(tenant_id):
    with db.unit_of_work() as session:
        audit.write(session, object="tests", record_id=uuid.UUID(int=2), action="ran", title="long")


@jobs.platform_task("tests.platform")
def platform_task():
    return context.current().actor


def _actions(shop):
    with shop.work() as session:
        rows = session.execute(
            text("SELECT title, actor_name FROM audit_entries WHERE tenant_id = :t AND action = 'ran'"),
            {"t": shop.tenant.id},
        )
        return [tuple(row) for row in rows]


def test_a_task_runs_for_its_tenant_and_member(shop):
    note_task(str(shop.tenant.id), member_id=str(shop.owner.member_id), word="mine")
    note_task(str(shop.tenant.id), word="ours")
    long_task(str(shop.tenant.id))
    assert sorted(_actions(shop)) == [("long", "Kehu"), ("mine", shop.owner.name), ("ours", "Kehu")]
    assert note_task(str(new_id())) is None
    assert platform_task() is context.SYSTEM


def test_a_job_exists_if_and_only_if_the_change_does(shop):
    query = text(
        "SELECT args FROM procrastinate_jobs WHERE task_name = 'tests.note' AND args ->> 'tenant_id' = :t"
    )
    with pytest.raises(RuntimeError), shop.work() as session:
        jobs.enqueue(session, note_task, word="never")
        raise RuntimeError
    with shop.work() as session:
        assert session.execute(query, {"t": str(shop.tenant.id)}).all() == []
        jobs.enqueue(
            session, note_task, word="soon", queueing_lock=f"l{shop.tenant.id}", wait=dt.timedelta(hours=1)
        )
        jobs.enqueue(session, "tests.note", word="twice", queueing_lock=f"l{shop.tenant.id}")
    with shop.work() as session:
        rows = session.execute(query, {"t": str(shop.tenant.id)}).scalars().all()
    assert [row["word"] for row in rows] == ["soon"]
    assert rows[0]["member_id"] == str(shop.owner.member_id)


def test_logs_are_json_with_the_request(shop, capsys):
    import structlog

    root = logging.getLogger()
    kept = root.handlers, root.level
    try:
        kehu_logging.setup_logging("INFO")
        with context.use(request_id="r-1", tenant=shop.tenant):
            structlog.get_logger("t").info("hello", word="ж")
        entry = json.loads(capsys.readouterr().err.strip().splitlines()[-1])
        assert entry["event"] == "hello"
        assert (entry["request_id"], entry["tenant_id"], entry["word"]) == ("r-1", str(shop.tenant.id), "ж")
    finally:
        root.handlers, root.level = kept


def test_slow_queries_are_logged(shop, capsys):
    from kehu.core.migration import owner_engine

    root = logging.getLogger()
    kept = root.handlers, root.level
    engine = owner_engine(shop.app.extensions["kehu.settings"].database_url)
    try:
        kehu_logging.setup_logging("INFO")
        kehu_logging.watch_queries(engine, 0)
        kehu_logging.watch_queries(engine, 10)
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_sleep(0.03)"))
        assert "pg_sleep" in capsys.readouterr().err
    finally:
        root.handlers, root.level = kept
