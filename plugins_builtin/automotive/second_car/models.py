"""Households that may want a second car, and weights fitted to a firm's own outcomes."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from kehu.api import Mapped, RecordRow, TenantRow, mapped_column, plugin_args, tenant_fk
from plugins_builtin.automotive.base import LIVE, SLUG, Base
from plugins_builtin.automotive.second_car.words import INCOMES, OUTCOMES, YES_NO


def _one_of(column: str, options: Any) -> str:
    return f"{column} IN ({', '.join(repr(one.value) for one in options)})"


class SecondCar(RecordRow, Base):  # type: ignore[misc, valid-type]
    """What was said of the household of a customer, its score and what came of asking.

    `chance` in percent and `known_cars` are reckoned each night. `doubled` says that an older row stands for the
    same household; only that one is asked. `deal_id` is the deal that it became, `owner_id` the member who asks;
    neither takes the row along, so no key holds them.
    """

    __tablename__ = "second_cars"
    __table_args__ = plugin_args(
        SLUG,
        "second_cars",
        tenant_fk("second_cars", "customer_id", "customers", ondelete="CASCADE"),
        Index("second_cars_customer_key", "tenant_id", "customer_id", unique=True, postgresql_where=LIVE),
        Index("second_cars_of_customer_idx", "tenant_id", "customer_id", "id"),
        Index("second_cars_list_idx", "tenant_id", "known_cars", "chance", "id", postgresql_where=LIVE),
        Index("second_cars_chance_idx", "tenant_id", "chance", "id", postgresql_where=LIVE),
        Index("second_cars_name_idx", "tenant_id", "name_norm", "id", postgresql_where=LIVE),
        Index("second_cars_outcome_idx", "tenant_id", "outcome", "asked_on", "id", postgresql_where=LIVE),
        Index("second_cars_owner_idx", "tenant_id", "owner_id", "chance", "id", postgresql_where=LIVE),
        Index("second_cars_updated_idx", "tenant_id", "updated_at", "id", postgresql_where=LIVE),
        CheckConstraint(_one_of("outcome", OUTCOMES), name="outcome"),
        CheckConstraint(_one_of("income", INCOMES), name="income"),
        *(CheckConstraint(_one_of(key, YES_NO), name=key) for key in ("child", "home_owner", "rural")),
    )

    customer_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True))
    owner_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))
    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[str] = mapped_column(Text(collation="C"))
    drivers: Mapped[int | None] = mapped_column(BigInteger)
    workers: Mapped[int | None] = mapped_column(BigInteger)
    people: Mapped[int | None] = mapped_column(BigInteger)
    income: Mapped[str | None] = mapped_column(Text)
    child: Mapped[str | None] = mapped_column(Text)
    home_owner: Mapped[str | None] = mapped_column(Text)
    rural: Mapped[str | None] = mapped_column(Text)
    known_cars: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    chance: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    doubled: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    outcome: Mapped[str] = mapped_column(Text, default="open", server_default="open")
    asked_on: Mapped[dt.date | None] = mapped_column(Date)
    again_on: Mapped[dt.date | None] = mapped_column(Date)
    deal_id: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True))


class SecondCarWeights(TenantRow, Base):  # type: ignore[misc, valid-type]
    """Weights of the model from one fit; the latest hold, the older ones are kept."""

    __tablename__ = "second_car_weights"
    __table_args__ = plugin_args(
        SLUG, "second_car_weights", Index("second_car_weights_made_idx", "tenant_id", "made_at")
    )

    made_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True))
    weights: Mapped[dict[str, Any]] = mapped_column(JSONB)
    outcomes: Mapped[int] = mapped_column(BigInteger)
