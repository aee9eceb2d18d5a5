"""How files of other programs call the fields of a vehicle, in the languages of the product and in German."""

from __future__ import annotations

from typing import Final

ALSO: Final[dict[str, tuple[str, ...]]] = {
    "vin": (
        "vin number", "vin code", "vehicle identification number", "chassis", "chassis number", "fin",
        "fahrgestellnummer", "车架号", "車架號碼", "车辆识别码", "вин", "vin номер",
    ),
    "plate": (
        "plate number", "number plate", "license plate", "licence plate", "registration", "registration number",
        "reg", "vrm", "kennzeichen", "车牌", "车牌号", "車牌", "車牌號碼", "госномер", "гос номер", "номерной знак",
    ),
    "make": (
        "brand", "manufacturer", "marque", "marke", "hersteller", "品牌", "厂牌", "廠牌", "марка", "производитель",
    ),
    "model": ("model name", "vehicle model", "modell", "车型", "車型", "型号", "модель"),
    "year": (
        "year", "my", "build year", "year of manufacture", "baujahr", "modelljahr", "年份", "年款",
        "год", "год выпуска",
    ),
    "colour": ("color", "exterior colour", "exterior color", "farbe", "颜色", "顏色", "цвет"),
    "customer_id": (
        "owner", "owner name", "vehicle owner", "keeper", "registered keeper", "customer", "customer name", "buyer",
        "client", "owner email", "customer email", "halter", "kunde", "车主", "車主", "客户", "客戶",
        "владелец", "собственник", "клиент",
    ),
    "owner_id": ("sales agent", "salesperson", "adviser", "service adviser", "account manager", "responsible"),
    "odometer": (
        "mileage", "mileage km", "odometer", "odometer reading", "odometer km", "kilometres", "kilometers", "km",
        "kilometerstand", "km stand", "laufleistung", "里程", "里程数", "里程數", "пробег", "пробег км",
    ),
    "odometer_on": ("mileage date", "odometer date", "reading date", "date of reading", "дата пробега"),
    "first_registration_on": (
        "first registration", "first registered", "first registration date", "registration date", "erstzulassung",
        "注册日期", "上牌日期", "領牌日期", "дата регистрации", "первая регистрация",
    ),
    "in_service_on": (
        "in service", "in service date", "warranty start", "warranty start date", "delivery date", "delivered on",
        "date of delivery", "sale date", "purchase date", "auslieferung", "投入使用日期", "交车日期", "交車日期",
        "дата выдачи", "дата продажи", "начало гарантии",
    ),
}  # fmt: skip
