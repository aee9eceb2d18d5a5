"""The kinds of values: one table from kind to reading, writing, showing and filtering."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from kehu.core import text
from kehu.core.business_hours import BadHours, parse_hours, write_hours
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.money import from_minor, to_minor
from kehu.core.records.fields import Field, FieldError, LoadContext, need_id, need_text

MAX_LIST = 50
MOST_PLACES = 9
MOST_OPTIONS = 500
EQUAL = ("eq", "ne", "in", "empty")
RANGE = ("eq", "gte", "lte", "empty")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How values of a kind are read, written, shown and filtered."""

    load: Callable[[Any, Field, LoadContext], Any]
    dump: Callable[[Any], Any] = lambda value: value
    show: Callable[[Any], str] = lambda value: "" if value is None else str(value)
    filters: tuple[str, ...] = ()
    json_type: str = "string"
    json_format: str = ""


def _text(raw: Any, field: Field, _ctx: LoadContext) -> str | None:
    value = text.clean(need_text(raw))
    if field.tidy is not None:
        value = field.tidy(value)
    if len(value) > field.max_length:
        raise FieldError(
            _(
                "This has %(have)s characters; %(may)s are possible. Shorten it.",
                have=f"{len(value):,}",
                may=field.max_length,
            )
        )
    return value or None if field.tidy is not None else value


def _long_text(raw: Any, field: Field, _ctx: LoadContext) -> str:
    value = text.clean(need_text(raw), lines=True)
    bound = max(field.max_length, 20_000)
    if len(value) > bound:
        raise FieldError(
            _(
                "This has %(have)s characters; %(may)s are possible. Shorten it.",
                have=f"{len(value):,}",
                may=bound,
            )
        )
    return value


def _decimal(raw: Any) -> Decimal:
    written = re.sub(r"[\s'\u00a0\u202f]", "", need_text(raw))
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", written):
        written = written.replace(",", "")
    elif re.fullmatch(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+", written):
        written = written.replace(".", "").replace(",", ".")
    try:
        value = Decimal(written)
    except InvalidOperation as error:
        raise FieldError(_("“%(value)s” is no number.", value=str(raw)[:60])) from error
    if not value.is_finite() or abs(value) > Decimal(10) ** 15:
        raise FieldError(_("This number is too large."))
    return value


def _bounded(value: Decimal | int, field: Field) -> None:
    if field.minimum is not None and value < field.minimum:
        raise FieldError(_("This must be %(least)s or more.", least=field.minimum))
    if field.maximum is not None and value > field.maximum:
        raise FieldError(_("This must be %(most)s or less.", most=field.maximum))


def _number(raw: Any, field: Field, _ctx: LoadContext) -> int:
    value = _decimal(raw)
    if value != value.to_integral_value():
        raise FieldError(_("Write a whole number."))
    _bounded(value, field)
    return int(value)


def _fraction(raw: Any, field: Field, _ctx: LoadContext) -> Decimal:
    written = re.sub(r"\s*[%％]$", "", raw.strip()) if isinstance(raw, str) else raw
    value = _decimal(written).normalize()
    _bounded(value, field)
    if -value.as_tuple().exponent > MOST_PLACES:  # type: ignore[operator]
        raise FieldError(_("Up to %(num)s places after the point are kept.", num=MOST_PLACES))
    return value


def plain_number(value: Decimal) -> str:
    """Return a decimal number as it is kept, without an exponent: 1E+3 is `1000`."""
    return format(value, "f")


def _money(raw: Any, field: Field, ctx: LoadContext) -> int:
    if isinstance(raw, dict) and set(raw) >= {"minor"}:
        if isinstance(raw["minor"], bool) or not isinstance(raw["minor"], int):
            raise FieldError(_("Write minor units as a whole number."))
        value = raw["minor"]
        if abs(value) > 10**17:
            raise FieldError(_("This number is too large."))
    else:
        written = (
            re.sub(r"[^\d.,+\-eE']", "", need_text(raw).replace("\u2212", "-"))
            if not isinstance(raw, int)
            else raw
        )
        value = to_minor(_decimal(written), ctx.currency)
    _bounded(value, field)
    return value


_DATE_FORMS = (
    r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?",
    r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<y>\d{4})",
)


def _date(raw: Any, _field: Field, ctx: LoadContext) -> dt.date:
    if isinstance(raw, dt.datetime):
        return raw.date()
    if isinstance(raw, dt.date):
        return raw
    written = need_text(raw).strip()
    written = re.sub(r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$", "", written)
    for form in _DATE_FORMS:
        match = re.fullmatch(form, written)
        if not match:
            continue
        part = match.groupdict()
        if "a" in part:
            first, second = int(part["a"]), int(part["b"])
            day, month = (first, second) if ctx.day_first else (second, first)
        else:
            day, month = int(part["d"]), int(part["m"])
        try:
            return dt.date(int(part["y"]), month, day)
        except ValueError as error:
            raise FieldError(_("There is no day “%(value)s” in the calendar.", value=written)) from error
    raise FieldError(_("“%(value)s” is no date; write it as 2026-11-22.", value=written[:40]))


def _datetime(raw: Any, field: Field, ctx: LoadContext) -> dt.datetime:
    if isinstance(raw, dt.datetime):
        value = raw
    else:
        written = need_text(raw).strip().replace("Z", "+00:00")
        try:
            value = dt.datetime.fromisoformat(written)
        except ValueError:
            value = dt.datetime.combine(_date(raw, field, ctx), dt.time(9))
    if value.tzinfo is None:
        value = value.replace(tzinfo=ctx.zone)
    try:
        return value.astimezone(dt.UTC)
    except OverflowError as error:
        raise FieldError(_("This date is out of range.")) from error


def _bool(raw: Any, _field: Field, _ctx: LoadContext) -> bool:
    if isinstance(raw, bool):
        return raw
    written = need_text(raw).strip().casefold()
    if written in ("1", "true", "yes", "y", "on", "是", "да", "x"):
        return True
    if written in ("0", "false", "no", "n", "off", "否", "нет", ""):
        return False
    raise FieldError(_("Write yes or no."))


def _choice(raw: Any, field: Field, _ctx: LoadContext) -> str:
    written = need_text(raw).strip()
    folded = text.fold(written)
    for option in field.choices():
        if written == option.value or folded in (text.fold(option.value), text.fold(str(option.label))):
            return option.value
    known = ", ".join(str(option.label) for option in field.choices()[:12])
    raise FieldError(_("“%(value)s” is none of the choices: %(known)s.", value=written[:60], known=known))


def _choices(raw: Any, field: Field, ctx: LoadContext) -> list[str]:
    if isinstance(raw, str):
        raw = [raw] if field.option(raw.strip()) else re.split(r"[,;\n，；]", raw)
    order = {one.value: at for at, one in enumerate(field.choices())}
    found = _listed(
        list(raw) if isinstance(raw, set | frozenset) else raw,
        lambda part: _choice(part, field, ctx) if need_text(part).strip() else "",
    )
    return sorted(dict.fromkeys(found), key=lambda value: order[value])


def _options(raw: Any, _field: Field, _ctx: LoadContext) -> list[dict[str, str]]:
    if isinstance(raw, str):
        raw = [line for line in raw.splitlines() if line.strip()]
    if not isinstance(raw, list | tuple):
        raise FieldError(_("Write a list here."))
    if len(raw) > MOST_OPTIONS:
        raise FieldError(
            _("%(have)s entries are too many; %(may)s are possible.", have=len(raw), may=MOST_OPTIONS)
        )
    found: list[dict[str, str]] = []
    for part in raw:
        given = part if isinstance(part, dict) else {"label": part}
        label = text.clean(need_text(given.get("label") or ""))
        if not label:
            continue
        if len(label) > 80:
            raise FieldError(_("“%(label)s …” is longer than 80 characters.", label=label[:40]))
        if any(text.fold(one["label"]) == text.fold(label) for one in found):
            raise FieldError(_("“%(label)s” stands twice.", label=label))
        found.append(
            {
                "value": need_text(given.get("value") or "").strip()[:80],
                "label": label,
                "tone": need_text(given.get("tone") or "").strip()[:20],
            }
        )
    return found


def _email(raw: Any, _field: Field, _ctx: LoadContext) -> str:
    try:
        return text.check_email(need_text(raw))
    except InvalidInput as error:
        raise FieldError(error.message) from error


def _phone(raw: Any, _field: Field, ctx: LoadContext) -> str:
    try:
        return text.normal_phone(need_text(raw), ctx.country)
    except InvalidInput as error:
        raise FieldError(error.message) from error


def _link(raw: Any, _field: Field, _ctx: LoadContext) -> str:
    written = text.clean(need_text(raw))
    if "://" not in written:
        written = f"https://{written}"
    try:
        parts = urlsplit(written)
        host = parts.hostname or ""
    except ValueError as error:
        raise FieldError(_("“%(value)s” is no web address.", value=written[:80])) from error
    if parts.scheme not in ("http", "https") or "." not in host or " " in written or len(written) > 2000:
        raise FieldError(
            _("“%(value)s” is no web address; write it as https://example.com.", value=written[:80])
        )
    return written


def _hours(raw: Any, _field: Field, _ctx: LoadContext) -> str | None:
    try:
        return write_hours(parse_hours(need_text(raw))) or None
    except BadHours as error:
        raise FieldError(str(error)) from error


def _listed(raw: Any, one: Callable[[Any], Any]) -> list[Any]:
    if isinstance(raw, str):
        raw = [part for part in re.split(r"[;\n]", raw) if part.strip()]
    if isinstance(raw, dict):
        raw = [raw]
    if not isinstance(raw, list | tuple):
        raise FieldError(_("Write a list here."))
    if len(raw) > MAX_LIST:
        raise FieldError(
            _("%(have)s entries are too many; %(may)s are possible.", have=len(raw), may=MAX_LIST)
        )
    return [item for item in (one(part) for part in raw) if item]


def _labelled(
    key: str, check: Callable[[Any, Field, LoadContext], str]
) -> Callable[[Any, Field, LoadContext], Any]:
    def load(raw: Any, field: Field, ctx: LoadContext) -> list[dict[str, str]]:
        def one(part: Any) -> dict[str, str] | None:
            label = ""
            if isinstance(part, dict):
                label, part = text.clean(need_text(part.get("label") or ""))[:40], part.get(key) or ""
            if not need_text(part).strip():
                return None
            return {"label": label, key: check(part, field, ctx)}

        return _listed(raw, one)

    return load


ADDRESS_PARTS = ("label", "street", "postcode", "city", "region", "country")


def _addresses(raw: Any, _field: Field, _ctx: LoadContext) -> list[dict[str, str]]:
    if isinstance(raw, str):
        raw = [{"street": raw}] if raw.strip() else []

    def one(part: Any) -> dict[str, str] | None:
        if not isinstance(part, dict):
            raise FieldError(_("Write an address by its parts: street, postcode, city, region, country."))
        value = {name: text.clean(need_text(part.get(name) or ""))[:200] for name in ADDRESS_PARTS}
        return value if any(value[name] for name in ADDRESS_PARTS[1:]) else None

    return _listed(raw, one)


def _tags(raw: Any, _field: Field, _ctx: LoadContext) -> list[str]:
    if isinstance(raw, str):
        raw = re.split(r"[,;\n，；]", raw)
    found: dict[str, str] = {}
    for tag in _listed(
        list(raw) if isinstance(raw, set | frozenset) else raw, lambda part: text.clean(need_text(part))
    ):
        if len(tag) > 40:
            raise FieldError(_("The tag “%(tag)s …” is longer than 40 characters.", tag=tag[:30]))
        found.setdefault(text.fold(tag), tag)
    return list(found.values())


def _id(raw: Any, _field: Field, _ctx: LoadContext) -> uuid.UUID:
    return need_id(raw)


def _iso(value: Any) -> Any:
    return value.isoformat() if value is not None else None


def _utc(value: dt.datetime | None) -> str | None:
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if value is not None else None


def _str(value: Any) -> str | None:
    return str(value) if value is not None else None


def show_address(value: dict[str, str]) -> str:
    """Return an address on one line."""
    town = " ".join(part for part in (value.get("postcode"), value.get("city")) if part)
    return ", ".join(
        part for part in (value.get("street"), town, value.get("region"), value.get("country")) if part
    )


def _first(key: str) -> Callable[[Any], str]:
    return lambda value: "; ".join(item[key] for item in value or ())


KINDS: dict[str, Kind] = {
    "text": Kind(load=_text, filters=("eq", "starts", "empty")),
    "long_text": Kind(load=_long_text),
    "number": Kind(load=_number, filters=RANGE, json_type="integer"),
    "decimal": Kind(
        load=_fraction,
        dump=lambda value: None if value is None else plain_number(value),
        show=lambda value: "" if value is None else plain_number(value),
        filters=RANGE,
        json_format="decimal",
    ),
    "percent": Kind(
        load=_fraction,
        dump=lambda value: None if value is None else plain_number(value),
        show=lambda value: "" if value is None else f"{plain_number(value)} %",
        filters=RANGE,
        json_format="decimal",
    ),
    "money": Kind(load=_money, filters=RANGE, json_type="integer"),
    "date": Kind(load=_date, dump=_iso, filters=RANGE, json_format="date"),
    "datetime": Kind(load=_datetime, dump=_utc, filters=RANGE, json_format="date-time"),
    "bool": Kind(load=_bool, filters=("eq",), json_type="boolean"),
    "choice": Kind(load=_choice, filters=EQUAL),
    "choices": Kind(
        load=_choices,
        show=lambda value: ", ".join(value or ()),
        filters=("eq", "in", "empty"),
        json_type="array",
    ),
    "email": Kind(load=_email, filters=("eq", "empty"), json_format="email"),
    "phone": Kind(
        load=_phone, show=lambda value: text.show_phone(value) if value else "", filters=("eq", "empty")
    ),
    "link": Kind(load=_link, json_format="uri"),
    "hours": Kind(load=_hours),
    "emails": Kind(load=_labelled("address", _email), show=_first("address"), json_type="array"),
    "phones": Kind(load=_labelled("number", _phone), show=_first("number"), json_type="array"),
    "addresses": Kind(
        load=_addresses,
        show=lambda value: "; ".join(show_address(item) for item in value or ()),
        json_type="array",
    ),
    "tags": Kind(load=_tags, show=lambda value: ", ".join(value or ()), filters=("eq",), json_type="array"),
    "options": Kind(
        load=_options,
        show=lambda value: ", ".join(one["label"] for one in value or ()),
        json_type="array",
    ),
    "member": Kind(load=_id, dump=_str, filters=EQUAL, json_format="uuid"),
    "ref": Kind(load=_id, dump=_str, filters=EQUAL, json_format="uuid"),
}
"""Kind name -> how its values are handled."""


def load_value(field: Field, raw: Any, ctx: LoadContext) -> Any:
    """Read one value; empty input becomes None (an empty list for lists).

    :raises FieldError: says the remedy.
    """
    kind = KINDS[field.kind]
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return [] if kind.json_type == "array" else None
    return kind.load(raw, field, ctx)


def dump_value(field: Field, value: Any) -> Any:
    """Return a value as JSON."""
    return KINDS[field.kind].dump(value)


def money_text(minor: int, currency: str) -> str:
    """Return an amount for files and trails: `1234.50`."""
    return str(from_minor(minor, currency))
