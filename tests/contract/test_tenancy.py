"""Tenants can't meet: metadata against the catalogue, and every table tried as the web role."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError

from kehu import schema
from kehu.core import context, db, doctor, migration
from kehu.core.ids import new_id
from kehu.testkit.fixtures import make_shop
from kehu.testkit.sql_watch import unfiltered

schema.load_everything()
TABLES = doctor.tenant_tables()


def _owner(app):
    return migration.owner_engine(app.extensions["kehu.settings"].database_url)


def test_the_audit_finds_nothing(app):
    with _owner(app).connect() as connection:
        assert doctor.audit(connection) == []


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        ("ALTER TABLE deals DISABLE ROW LEVEL SECURITY", "no row security"),
        ("ALTER TABLE deals FORCE ROW LEVEL SECURITY", "forces row security"),
        ("DROP POLICY deals_tenant ON deals", "another policy"),
        ("DROP INDEX deals_amount_idx", "lacks the index"),
        ("ALTER TABLE deals ADD COLUMN stray text", "unexpected column"),
        ("ALTER TABLE deals ALTER COLUMN name DROP NOT NULL", "allows empty values"),
        ("ALTER TABLE deals ALTER COLUMN amount TYPE numeric", "expected bigint"),
        ("CREATE INDEX stray ON deals (name)", "does not lead with tenant_id"),
        ("ALTER TABLE deals DROP COLUMN source", "lacks the column source"),
    ],
)
def test_the_audit_names_each_fault(app, spoil, word):
    with _owner(app).connect() as connection:
        connection.execute(text(spoil))
        findings = doctor.audit(connection)
        connection.rollback()
    assert any(finding.table == "deals" and word in finding.problem for finding in findings), findings


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_shape_of_a_tenant_table(table):
    assert next(iter(table.primary_key.columns)).name == "tenant_id"
    for index in table.indexes:
        assert next(iter(index.columns)).name == "tenant_id", index.name
    for key in table.foreign_keys:
        target = key.column.table
        if target.info["scope"] == "tenant":
            assert key.constraint.elements[0].parent.name == "tenant_id", key.constraint.name
        else:
            assert target.info["scope"] == "reference", key.constraint.name
        assert key.ondelete in (None, "RESTRICT", "CASCADE")
    for constraint in table.constraints:
        assert len(str(constraint.name)) <= 50


def test_no_other_table_points_at_a_tenant_table():
    for table in doctor.core_tables():
        assert table.info["scope"] in ("tenant", "reference", "local"), table.name
        if table.info["scope"] != "tenant":
            assert all(key.column.table.info["scope"] == "reference" for key in table.foreign_keys), (
                table.name
            )


def _sample(column, tenant_id):
    if column.name == "tenant_id":
        return tenant_id
    kind = column.type
    if isinstance(kind, sa.Uuid):
        return None if column.nullable else new_id()
    if isinstance(kind, JSONB):
        return [] if "[]" in str(getattr(column.server_default, "arg", "")) else {}
    if isinstance(kind, ARRAY):
        return []
    if isinstance(kind, sa.Boolean):
        return False
    if isinstance(kind, sa.BigInteger):
        return 1
    if isinstance(kind, sa.DateTime):
        return None if column.nullable else dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    if isinstance(kind, sa.Date):
        return None if column.nullable else dt.date(2026, 1, 1)
    return None if column.nullable else _allowed(column)


def _allowed(column):
    for check in column.table.constraints:
        if isinstance(check, sa.CheckConstraint) and f"{column.name} IN" in str(check.sqltext):
            return str(check.sqltext).split("'")[1]
    return f"x{new_id().hex}"


def _pairs(table):
    """Return the pairs of columns of which a check wants exactly one filled."""
    checks = [str(one.sqltext) for one in table.constraints if isinstance(one, sa.CheckConstraint)]
    found = [re.fullmatch(r"\((\w+) IS NULL\) <> \((\w+) IS NULL\)", text) for text in checks]
    return [match.groups() for match in found if match]


def _fill(connection, table, tenant_id, made):
    """Insert a row and, first, whatever it points at; return its values."""
    if table.name in made:
        return made[table.name]
    values = {column.name: _sample(column, tenant_id) for column in table.columns}
    for key in table.foreign_key_constraints:
        target = key.referred_table
        for element in key.elements:
            name = element.parent.name
            if name == "tenant_id" or (table.c[name].nullable and target is table):
                continue
            if target.info["scope"] == "tenant" and (
                not table.c[name].nullable or name in dict(_pairs(table))
            ):
                values[name] = _fill(connection, target, tenant_id, made)[element.column.name]
    connection.execute(sa.insert(table), [values])
    made[table.name] = values
    return values


@pytest.fixture(scope="module")
def filled(app):
    """Two tenants, with a row of the first in every tenant table."""
    mine, theirs = make_shop(app), make_shop(app)
    rows = {}
    with _owner(app).connect() as connection:
        for table in TABLES:
            _fill(connection, table, theirs.tenant.id, rows)
        connection.commit()
    return mine, theirs, rows


def _as_web(tenant_id):
    connection = db.engine("app").connect()
    connection.begin()
    raw = connection.connection.driver_connection
    raw.execute(db.transaction_settings(tenant_id), prepare=False)
    return connection


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("who", ["other tenant", "empty", "unset"])
def test_no_row_of_another_tenant(filled, table, who, request):
    request.node.user_properties.append(("raw", True))
    mine, theirs, rows = filled
    if who == "unset":
        connection = db.engine("app").connect()
        connection.begin()
    else:
        connection = _as_web(mine.tenant.id if who == "other tenant" else None)
    key = [column.name for column in table.primary_key.columns]
    where = sa.and_(*(table.c[name] == rows[table.name][name] for name in key))
    try:
        assert connection.execute(sa.select(table).where(where)).first() is None
        savepoint = connection.begin_nested()
        try:
            some = (
                next(c for c in table.columns if not c.primary_key)
                if len(table.columns) > len(key)
                else table.c.term
            )
            changed = connection.execute(
                sa.update(table).where(where).values({some.name: rows[table.name][some.name]})
            )
            assert changed.rowcount == 0
            assert connection.execute(sa.delete(table).where(where)).rowcount == 0
        except DBAPIError as error:
            assert "permission denied" in str(error)
        if savepoint.is_active:
            savepoint.rollback()
        with pytest.raises(DBAPIError, match=r"row-level security|permission denied"):
            stolen = {**rows[table.name], "tenant_id": theirs.tenant.id}
            if "id" in stolen:
                stolen["id"] = new_id()
            with connection.begin_nested():
                connection.execute(sa.insert(table), [stolen])
    finally:
        connection.rollback()
        connection.close()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_row_moves_to_another_tenant(filled, table):
    _mine, theirs, rows = filled
    connection = _as_web(theirs.tenant.id)
    key = [column.name for column in table.primary_key.columns]
    where = sa.and_(*(table.c[name] == rows[table.name][name] for name in key))
    try:
        with pytest.raises(DBAPIError, match=r"row-level security|permission denied"):
            connection.execute(sa.update(table).where(where).values(tenant_id=uuid.UUID(int=7)))
    finally:
        connection.rollback()
        connection.close()


LINKS = [
    (table, key)
    for table in TABLES
    # In one order: parallel test processes have to collect the same list.
    for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name))
    if key.referred_table.info["scope"] == "tenant"
]


@pytest.mark.parametrize(("table", "key"), LINKS, ids=lambda value: getattr(value, "name", ""))
def test_no_reference_into_another_tenant(filled, app, table, key):
    mine, _theirs, rows = filled
    made = {}
    column = next(element for element in key.elements if element.parent.name != "tenant_id")
    with _owner(app).connect() as connection:
        values = dict(_fill(connection, table, mine.tenant.id, made))
        foreign = rows[key.referred_table.name][column.column.name]
        primary = sa.and_(*(c == values[c.name] for c in table.primary_key.columns))
        with pytest.raises(DBAPIError, match="foreign key"):
            name = column.parent.name
            other = {pair[0]: None for pair in _pairs(table) if pair[1] == name}
            connection.execute(sa.update(table).where(primary).values({**other, name: foreign}))
        connection.rollback()


def test_a_reused_connection_forgets_its_tenant(shop):
    with shop.work() as session:
        assert (
            session.execute(
                text("SELECT count(*) FROM members WHERE tenant_id = :t"), {"t": shop.tenant.id}
            ).scalar()
            == 1
        )
    with db.engine("app").connect() as connection:
        raw = connection.connection.driver_connection
        assert raw.execute("SELECT count(*) FROM members").fetchone() == (0,)


def test_a_savepoint_keeps_the_tenant(shop):
    from kehu.members.models import Member

    with shop.work() as session:
        with pytest.raises(RuntimeError, match="wanted"), session.begin_nested():
            session.execute(sa.select(Member))
            raise RuntimeError("wanted")
        assert session.execute(sa.select(sa.func.count(Member.id))).scalar() == 1


def test_a_row_can_not_be_written_for_another_tenant(shop, other_shop):
    from kehu.members.models import Team

    with pytest.raises(RuntimeError, match="another tenant"), shop.work() as session:
        session.add(Team(tenant_id=other_shop.tenant.id, name="Theirs"))
        session.flush()


def test_cross_tenant_work_is_kept(shop):
    with (
        shop.app.app_context(),
        context.use(actor=context.SYSTEM),
        db.cross_tenant("a test of the record") as session,
    ):
        assert session.execute(text("SELECT count(DISTINCT tenant_id) FROM members")).scalar() >= 1
    with shop.work() as session:
        uses = session.execute(
            text("SELECT count(*) FROM cross_tenant_uses WHERE reason = 'a test of the record'")
        )
        assert uses.scalar() == 1


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("SELECT name FROM deals WHERE id = %(id)s", ("deals",)),
        ("SELECT name FROM deals WHERE tenant_id = %(t)s::UUID AND id = %(id)s", ()),
        (
            "SELECT d.name FROM deals d JOIN members m ON m.id = d.owner_id WHERE d.tenant_id = %(t)s",
            ("members",),
        ),
        (
            (
                "SELECT d.name FROM deals d JOIN members m ON m.tenant_id = d.tenant_id AND m.id = d.owner_id "
                "WHERE d.tenant_id = %(t)s"
            ),
            (),
        ),
        ("UPDATE deals SET name = 'x' WHERE id = 'y'", ("deals",)),
        ("DELETE FROM deals WHERE tenant_id = %(t)s", ()),
        (
            "SELECT name FROM deals WHERE tenant_id = %(t)s AND id IN (SELECT record_id FROM search_terms)",
            ("search_terms",),
        ),
        ("SELECT 1", ()),
    ],
)
def test_the_watcher_sees_what_lacks_the_tenant(statement, missing):
    assert unfiltered(statement) == missing
