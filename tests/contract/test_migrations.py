"""Migrations obey DATABASE.md 4, go up, down and up, and end at what the models say."""

import pytest
from sqlalchemy import text

from kehu import schema
from kehu.core import doctor, migration
from kehu.testkit.migration_lint import faults, offline_sql


def test_the_linter_finds_nothing():
    assert faults(offline_sql()) == []


@pytest.mark.parametrize(
    "bad",
    [
        "ALTER TABLE deals FORCE ROW LEVEL SECURITY",
        "CREATE TRIGGER t BEFORE INSERT ON deals EXECUTE FUNCTION f()",
        "SELECT set_config('kehu.tenant_id', 'x', true)",
        "MERGE INTO deals USING x ON true WHEN MATCHED THEN DELETE",
        "ALTER TABLE deals ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES b (a) ON DELETE SET NULL",
        "ALTER TABLE deals ADD COLUMN x uuid REFERENCES y (id)",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO kehu_app",
        "CREATE POLICY p ON deals USING (tenant_id = (SELECT id FROM tenants))",
        f"CREATE INDEX {'x' * 51} ON deals (tenant_id)",
    ],
)
def test_the_linter_finds(bad):
    assert faults(bad)


def test_up_down_up(empty_database_urls):
    schema.load_everything()
    url = empty_database_urls.owner
    assert migration.upgrade(url) == (None, migration.heads())
    assert migration.downgrade(url, "base") == (migration.heads(), None)
    engine = migration.owner_engine(url)
    with engine.connect() as connection:
        left = connection.execute(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        ).scalars()
        assert set(left) <= {"alembic_version", "alembic_version_pkc"}
    assert migration.upgrade(url)[1] == migration.heads()
    with engine.connect() as connection:
        assert doctor.audit(connection) == []
