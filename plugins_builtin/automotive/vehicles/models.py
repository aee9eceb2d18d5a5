"""Models of cars, the cars themselves, who has them and what their clocks showed, in the module's own schema."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, Text, text
from sqlalchemy.dialects.postgresql import UUID, ExcludeConstraint

from kehu.api import Mapped, RecordRow, mapped_column, plugin_args, tenant_fk
from plugins_builtin.automotive.base import LIVE, SLUG, Base

ROLES = ("owner", "driver", "payer")
READING_STATES = ("valid", "suspect", "replaced", "corrected")
STATUSES = ("in_use", "stock", "demo", "sold", "scrapped")
SERVICE_KINDS = ("sale", "demo", "loaner", "company", "rental", "invoice")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(one) for one in values)})"


class VehicleModel(RecordRow, Base):  # type: ignore[misc, valid-type]
    """A model of a make: what many cars have in common. `name` is derived, "VW Golf"."""

    __tablename__ = "vehicle_models"
    __table_args__ = plugin_args(
        SLUG,
        "vehicle_models",
        Index("vehicle_models_name_idx", "tenant_id", "name_norm", "id", postgresql_where=LIVE),
        Index(
            "vehicle_models_name_key",
            "tenant_id",
            "name_norm",
            text("coalesce(year_from, 0)"),
            unique=True,
            postgresql_where=LIVE,
        ),
        Index("vehicle_models_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        CheckConstraint("year_to >= year_from", name="years"),
    )

    make: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[str] = mapped_column(Text(collation="C"))
    year_from: Mapped[int | None] = mapped_column(BigInteger)
    year_to: Mapped[int | None] = mapped_column(BigInteger)
    segment: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(Text)
    power: Mapped[str | None] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text(collation="C"))


class Vehicle(RecordRow, Base):  # type: ignore[misc, valid-type]
    """A car (AUT-02). `vin` and `plate` are kept in capital letters.

    `customer_id` is its owner of today, `odometer` what it has run in km by its newest reading: both are kept in step
    with `VehicleParty` and `OdometerReading`, so that lists need no more than this table. `vin_reason` says why a
    number stands although its check digit is wrong. `owned_item_id` is the platform's record of it; that one and the
    member who looks after the car may be removed by themselves, so no key holds them.
    """

    __tablename__ = "vehicles"
    __table_args__ = plugin_args(
        SLUG,
        "vehicles",
        tenant_fk("vehicles", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("vehicles", "model_id", "p_automotive.vehicle_models"),
        Index("vehicles_customer_idx", "tenant_id", "customer_id", "id"),
        Index("vehicles_plate_idx", "tenant_id", "plate"),
        Index("vehicles_vin_key", "tenant_id", "vin", unique=True, postgresql_where=LIVE),
        Index("vehicles_name_idx", "tenant_id", "name_norm", "id", postgresql_where=LIVE),
        Index("vehicles_model_idx", "tenant_id", "model_id", "id"),
        Index("vehicles_owner_idx", "tenant_id", "owner_id", "name_norm", "id", postgresql_where=LIVE),
        Index("vehicles_status_idx", "tenant_id", "status", "name_norm", "id", postgresql_where=LIVE),
        Index("vehicles_service_idx", "tenant_id", "in_service_on", "id", postgresql_where=LIVE),
        Index("vehicles_item_idx", "tenant_id", "owned_item_id"),
        Index("vehicles_external_idx", "tenant_id", "external_id"),
        Index("vehicles_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        CheckConstraint(_one_of("in_service_kind", SERVICE_KINDS), name="in_service_kind"),
        CheckConstraint(_one_of("sold_by", ("us", "elsewhere")), name="sold_by"),
        CheckConstraint(_one_of("status", STATUSES), name="status"),
    )

    customer_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    vin: Mapped[str | None] = mapped_column(Text(collation="C"))
    plate: Mapped[str | None] = mapped_column(Text(collation="C"))
    make: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    year: Mapped[int | None] = mapped_column(BigInteger)
    odometer: Mapped[int | None] = mapped_column(BigInteger)
    odometer_on: Mapped[dt.date | None] = mapped_column(Date)
    vin_reason: Mapped[str | None] = mapped_column(Text)
    chassis: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text, server_default="")
    name_norm: Mapped[str] = mapped_column(Text(collation="C"), server_default="")
    model_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    owned_item_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    first_registration_on: Mapped[dt.date | None] = mapped_column(Date)
    in_service_on: Mapped[dt.date | None] = mapped_column(Date)
    in_service_kind: Mapped[str | None] = mapped_column(Text)
    sold_by: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, default="in_use", server_default="in_use")
    colour: Mapped[str | None] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text(collation="C"))
    description: Mapped[str | None] = mapped_column(Text)


class VehicleParty(RecordRow, Base):  # type: ignore[misc, valid-type]
    """Who owns, drives or pays for a car, and when.

    `to_on` is the first day on which it is no longer so, None while it lasts; `from_on` is None when nobody knows. Two
    owners at a time are refused by the database.
    Contacts may be removed by themselves, so no key holds them.
    `owner_id` is the vehicle's: own and team reach hold here, too.
    """

    __tablename__ = "vehicle_parties"
    __table_args__ = plugin_args(
        SLUG,
        "vehicle_parties",
        tenant_fk("vehicle_parties", "vehicle_id", "p_automotive.vehicles", ondelete="CASCADE"),
        tenant_fk("vehicle_parties", "customer_id", "customers", ondelete="CASCADE"),
        Index("vehicle_parties_vehicle_idx", "tenant_id", "vehicle_id", "role", "from_on"),
        Index("vehicle_parties_customer_idx", "tenant_id", "customer_id", "vehicle_id"),
        Index("vehicle_parties_contact_idx", "tenant_id", "contact_id"),
        Index("vehicle_parties_from_idx", "tenant_id", "from_on", "id", postgresql_where=LIVE),
        Index("vehicle_parties_owner_idx", "tenant_id", "owner_id", "from_on", "id", postgresql_where=LIVE),
        Index("vehicle_parties_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        CheckConstraint(_one_of("role", ROLES), name="role"),
        CheckConstraint("to_on >= from_on", name="dates"),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("vehicle_id", "="),
            (text("daterange(from_on, to_on)"), "&&"),
            name="vehicle_parties_one_owner",
            using="gist",
            where=text("role = 'owner' AND deleted_at IS NULL"),
        ),
    )

    vehicle_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    customer_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    contact_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    role: Mapped[str] = mapped_column(Text)
    from_on: Mapped[dt.date | None] = mapped_column(Date)
    to_on: Mapped[dt.date | None] = mapped_column(Date)
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))


class OdometerReading(RecordRow, Base):  # type: ignore[misc, valid-type]
    """What the clock of a car showed on a day.

    `shown` in `unit` is what it showed, `km` what the car had run by then in all: more, after its clock was replaced
    (`status` replaced marks the first reading of a new clock). `corrected` readings count like valid ones, the trail
    keeps what they were; `suspect` ones count nowhere. `owner_id` is the vehicle's.
    """

    __tablename__ = "odometer_readings"
    __table_args__ = plugin_args(
        SLUG,
        "odometer_readings",
        tenant_fk("odometer_readings", "vehicle_id", "p_automotive.vehicles", ondelete="CASCADE"),
        Index("odometer_readings_vehicle_idx", "tenant_id", "vehicle_id", "read_on", "km", "id"),
        Index("odometer_readings_read_idx", "tenant_id", "read_on", "id", postgresql_where=LIVE),
        Index("odometer_readings_owner_idx", "tenant_id", "owner_id", "read_on", "id", postgresql_where=LIVE),
        Index("odometer_readings_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        CheckConstraint(_one_of("status", READING_STATES), name="status"),
        CheckConstraint(_one_of("unit", ("km", "mi")), name="unit"),
        CheckConstraint("km >= 0 AND shown >= 0", name="positive"),
    )

    vehicle_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    read_on: Mapped[dt.date] = mapped_column(Date)
    km: Mapped[int] = mapped_column(BigInteger)
    shown: Mapped[int] = mapped_column(BigInteger)
    unit: Mapped[str] = mapped_column(Text, default="km", server_default="km")
    source: Mapped[str] = mapped_column(Text, default="said", server_default="said")
    status: Mapped[str] = mapped_column(Text, default="valid", server_default="valid")
    note: Mapped[str | None] = mapped_column(Text)
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
