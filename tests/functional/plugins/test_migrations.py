"""The schema of a plugin goes up, down and up, and never takes that of the core with it."""

from __future__ import annotations

from sqlalchemy import inspect, text

from kehu import schema
from kehu.addons import migrations
from kehu.core import doctor, migration
from kehu.dev.roles import DatabaseUrls
from plugins.loader import find_plugins


def test_up_down_up(empty_database_urls: DatabaseUrls) -> None:
    url = empty_database_urls.owner
    schema.load_everything()
    migration.upgrade(url)
    (record,) = [one for one in find_plugins(system=("tenants", "billing")) if one.slug == "automotive"]
    folder = migrations.folder_of(record)
    assert folder is not None
    head = migrations.head_of(folder)
    (done,) = [one for one in migrations.upgrade_all(url) if one.slug == "automotive"]
    assert (done.before, done.after, done.error) == (None, head, "")
    (again,) = [one for one in migrations.upgrade_all(url) if one.slug == "automotive"]
    assert (again.before, again.after) == (head, head)
    engine = migration.owner_engine(url)
    with engine.connect() as connection:
        names = inspect(connection).get_table_names(schema="p_automotive")
        assert {"alembic_version", "vehicles"} <= set(names)
        assert doctor.audit(connection) == []
        connection.rollback()
        down = migrations._upgrade(connection, "automotive", folder, "base")
        assert (down.before, down.after, down.error) == (head, None, "")
        assert inspect(connection).get_table_names(schema="p_automotive") == ["alembic_version"]
        assert doctor.audit(connection) == []
        connection.rollback()
        up = migrations._upgrade(connection, "automotive", folder)
        assert (up.before, up.after, up.error) == (None, head, "")
        assert doctor.audit(connection) == []
        # As when a migration is edited that has run: its revision is right, its tables are not.
        connection.execute(text("ALTER TABLE p_automotive.vehicles DROP COLUMN plate"))
        connection.commit()
    engine.dispose()
    (told,) = migrations.differences(url, "automotive")
    assert told.startswith("vehicles: model and table differ in plate.")
    migrations.drop(url, "automotive")
    made = migrations.upgrade_one(url, record)
    assert (made.before, made.after, migrations.differences(url, "automotive")) == (None, head, [])


def test_a_failing_migration_leaves_the_others_and_the_core(empty_database_urls: DatabaseUrls) -> None:
    url = empty_database_urls.owner
    engine = migration.owner_engine(url)
    (record,) = [one for one in find_plugins(system=("tenants", "billing")) if one.slug == "automotive"]
    folder = migrations.folder_of(record)
    assert folder is not None
    # Without the core's tables there are no customers to refer to.
    schema.load_everything()
    with engine.connect() as connection:
        done = migrations._upgrade(connection, "automotive", folder)
        assert done.after is None
        assert done.error
        assert inspect(connection).get_table_names(schema="p_automotive") in ([], ["alembic_version"])
    migration.upgrade(url)
    with engine.connect() as connection:
        assert migrations._upgrade(connection, "automotive", folder).error == ""
    engine.dispose()
