"""The columns of a dealer's file find their fields by the names that other programs give them."""

from __future__ import annotations

import pytest

from kehu.core import context
from kehu.imports.columns import Column
from kehu.imports.mapping import propose
from plugins_builtin.automotive.vehicles.records import VEHICLE_TYPE

MEANT = ("vin", "plate", "make", "model", "year", "odometer", "in_service_on", "customer_id")
FILES = (
    ("VIN", "Plate", "Make", "Model", "Year", "Mileage", "In service", "Owner"),
    ("Chassis number", "Reg", "Brand", "Vehicle model", "Model year", "km", "Delivery date", "Registered keeper"),
    ("车架号", "车牌号", "品牌", "车型", "年份", "里程", "交车日期", "车主"),
    ("車架號碼", "車牌", "廠牌", "車型", "年份", "里程數", "交車日期", "車主"),
    ("VIN номер", "Госномер", "Марка", "Модель", "Год выпуска", "Пробег", "Дата продажи", "Владелец"),
    ("FIN", "Kennzeichen", "Hersteller", "Modell", "Baujahr", "Kilometerstand", "Auslieferung", "Halter"),
)  # fmt: skip


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("names", FILES, ids=["en", "old en", "zh_Hans", "zh_Hant", "ru", "de"])
def test_columns_find_their_fields(names: tuple[str, ...]) -> None:
    kinds = {"year": "integer", "odometer": "integer", "in_service_on": "date"}
    columns = [
        Column(index=at, name=name, kind=kinds.get(key, "text"), filled=5)  # type: ignore[arg-type]
        for at, (name, key) in enumerate(zip(names, MEANT, strict=True))
    ]
    plan = propose(VEHICLE_TYPE, columns, context.SYSTEM)
    assert {at: use.target for at, use in plan.columns.items()} == dict(enumerate(MEANT))
