"""The tables of a plugin as the database has them, against its models."""

from __future__ import annotations

from sqlalchemy import Connection, inspect

from kehu.addons import audits
from kehu.core.tables import metadata


def problems(connection: Connection, slug: str) -> list[str]:
    """Return what is wrong with a plugin's tables, each with the remedy."""
    return audits.problems(connection, slug) + against_models(connection, slug)


def against_models(connection: Connection, slug: str) -> list[str]:
    """Compare the columns of the models with those of the database, also after a migration was edited that had run."""
    schema, seen = audits.schema_of(slug), inspect(connection)
    real = {
        name: {column["name"]: column["nullable"] for column in seen.get_columns(name, schema=schema)}
        for name in seen.get_table_names(schema=schema)
        if name != audits.VERSIONS
    }
    found: list[str] = []
    models = {table.name: table for table in metadata.tables.values() if table.schema == schema}
    if not models:
        return found  # Whoever writes SQL of his own has nothing to compare.
    for name in sorted(models.keys() | real.keys()):
        if name not in real:
            found.append(f"{name}: the model has no table. Write a migration.")
            continue
        if name not in models:
            found.append(f"{name}: the table has no model. Declare one, or drop the table in a migration.")
            continue
        wanted = {column.name: bool(column.nullable) for column in models[name].columns}
        found += [
            f"{name}: model and table differ in {column}. Write a migration or mend the model."
            for column in sorted(wanted.keys() | real[name].keys())
            if wanted.get(column) != real[name].get(column)
        ]
    return found
