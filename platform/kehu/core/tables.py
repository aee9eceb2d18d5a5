"""Declarative base, shared column types and the mixins of tenant tables.

Each table declares `info["scope"]`: tenant, reference or local (DATABASE.md 2).
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

from sqlalchemy import BigInteger, Boolean, DateTime, ForeignKeyConstraint, Index, MetaData, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.orm.decl_api import DeclarativeAttributeIntercept

from kehu.core import clock
from kehu.core.ids import new_id

NAMING = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_1_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}

metadata = MetaData(naming_convention=NAMING)

Str = Annotated[str, mapped_column(Text)]
StrC = Annotated[str, mapped_column(Text(collation="C"))]
"""Text in byte order: normalised values that are compared, never shown."""
OptStr = Annotated[str | None, mapped_column(Text)]
OptStrC = Annotated[str | None, mapped_column(Text(collation="C"))]
Money = Annotated[int, mapped_column(BigInteger)]
"""Minor units of the currency beside it."""
OptMoney = Annotated[int | None, mapped_column(BigInteger)]
Instant = Annotated[dt.datetime, mapped_column(DateTime(timezone=True))]
OptInstant = Annotated[dt.datetime | None, mapped_column(DateTime(timezone=True))]
Json = Annotated[dict[str, Any], mapped_column(JSONB, server_default=text("'{}'::jsonb"), default=dict)]
JsonList = Annotated[list[Any], mapped_column(JSONB, server_default=text("'[]'::jsonb"), default=list)]
Flag = Annotated[bool, mapped_column(Boolean, server_default=text("false"), default=False)]
UuidCol = Annotated[uuid.UUID, mapped_column(UUID(as_uuid=True))]
OptUuid = Annotated[uuid.UUID | None, mapped_column(UUID(as_uuid=True))]


OWN = "c_"
"""How the keys of fields begin that a firm made itself; no column's name does."""


class RecordMeta(DeclarativeAttributeIntercept):
    """Lets a select name a firm's own field like a column: `Customer.c_colour`."""

    def __getattr__(cls, name: str) -> Any:  # noqa: N805 - of a class of classes
        if name.startswith(OWN):
            from kehu.core.records import own  # It knows the tables.

            return own.column(cls, own.field_of(cls, name))
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")


class Base(DeclarativeBase, metaclass=RecordMeta):
    """Base of all tables of the core."""

    metadata = metadata


class TenantOwned:
    """Mixin of a tenant-owned table: `tenant_id` leads the primary key, row-level security holds it."""

    @declared_attr.directive
    def __table_args__(cls) -> Any:
        return (tenant_owner(cls.__tablename__), {"info": {"scope": "tenant"}})  # type: ignore[attr-defined]

    @declared_attr
    def tenant_id(cls) -> Mapped[uuid.UUID]:
        """The tenant that the row belongs to; never updated."""
        return mapped_column(UUID(as_uuid=True), primary_key=True, sort_order=-100)


class TenantRow(TenantOwned):
    """Mixin of a tenant-owned table whose rows have an id of their own."""

    @declared_attr
    def id(cls) -> Mapped[uuid.UUID]:
        """Identifier, unique within the tenant."""
        return mapped_column(UUID(as_uuid=True), primary_key=True, default=new_id, sort_order=-99)


class RecordRow(TenantRow):
    """Mixin of an editable record: version, authorship, trash and custom values.

    The values of a firm's own fields are read and set like attributes: `record.c_colour`.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith(OWN):
            from kehu.core.records import own

            return own.value_of(self, own.field_of(type(self), name))
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith(OWN):
            from kehu.core.records import own

            own.set_value(self, own.field_of(type(self), name), value)
        else:
            super().__setattr__(name, value)

    @declared_attr.directive
    def __mapper_args__(cls) -> Any:
        return {"version_id_col": cls.__table__.c.version}

    @declared_attr
    def version(cls) -> Mapped[int]:
        """Counts changes; a write with an older one is refused."""
        return mapped_column(BigInteger, nullable=False, default=1, server_default=text("1"), sort_order=900)

    @declared_attr
    def created_at(cls) -> Mapped[dt.datetime]:
        """When the row was made."""
        return mapped_column(
            DateTime(timezone=True), default=clock.now, server_default=func.now(), sort_order=901
        )

    @declared_attr
    def created_by(cls) -> Mapped[uuid.UUID | None]:
        """The member who made it."""
        return mapped_column(UUID(as_uuid=True), sort_order=902)

    @declared_attr
    def updated_at(cls) -> Mapped[dt.datetime]:
        """When it was changed last."""
        return mapped_column(
            DateTime(timezone=True), default=clock.now, server_default=func.now(), sort_order=903
        )

    @declared_attr
    def updated_by(cls) -> Mapped[uuid.UUID | None]:
        """The member who changed it last."""
        return mapped_column(UUID(as_uuid=True), sort_order=904)

    @declared_attr
    def deleted_at(cls) -> Mapped[dt.datetime | None]:
        """When it was put into the trash; None while it lives."""
        return mapped_column(DateTime(timezone=True), sort_order=905)

    @declared_attr
    def deleted_by(cls) -> Mapped[uuid.UUID | None]:
        """The member who put it there."""
        return mapped_column(UUID(as_uuid=True), sort_order=906)

    @declared_attr
    def custom(cls) -> Mapped[dict[str, Any]]:
        """Values of custom fields by key."""
        return mapped_column(JSONB, default=dict, server_default=text("'{}'::jsonb"), sort_order=907)


def tenant_owner(table: str) -> ForeignKeyConstraint:
    """Return the key from a tenant table to the registry of tenants."""
    return ForeignKeyConstraint(
        ["tenant_id"], ["tenants.id"], name=f"{table}_tenant_fkey", ondelete="CASCADE"
    )


def tenant_fk(table: str, column: str, target: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """Return a composite key from one tenant table to another, within the tenant.

    :param ondelete: None (refuse), RESTRICT or CASCADE; never SET NULL (DATABASE.md 1.5).
    """
    stem = f"{table}_{column.removesuffix('_id')}_fkey"
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=stem, ondelete=ondelete
    )


def tenant_index(
    table: str, name: str, *columns: Any, unique: bool = False, where: str | None = None
) -> Index:
    """Return an index that leads with `tenant_id`.

    :param where: condition of a partial index, for example "deleted_at IS NULL".
    """
    condition = text(where) if where else None
    return Index(
        f"{table}_{name}_{'key' if unique else 'idx'}",
        "tenant_id",
        *columns,
        unique=unique,
        postgresql_where=condition,
    )


def tenant_args(table: str, *parts: Any, scope: str = "tenant") -> tuple[Any, ...]:
    """Return `__table_args__` of a tenant table: the key to the registry, then the parts."""
    return (tenant_owner(table), *parts, {"info": {"scope": scope}})
