"""What a plugin costs, as its manifest says it: nothing, with a plan, or a price of its own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import ValidationError, fields, pre_load, validate, validates_schema

from plugins.manifest_fields import Strict, matches, one_of, text_field, words

INTERVALS: Final[Mapping[str, int]] = {"month": 1, "year": 12}
"""How an add-on can be paid -> months of a period."""

MOST_METERS: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Meter:
    """Something that is counted, and what costs when there is more of it than the price brings.

    :param label: what people call it, as `Messages sent`.
    :param included: how many a period are in the add-on's price.
    :param amounts: what each further one costs, by currency.
    """

    name: str
    label: str
    included: int = 0
    amounts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pricing:
    """How a tenant pays: free, with a plan's feature, or as an add-on.

    `amounts` is what the author asks a month, by currency, for the whole firm or for each seat; `yearly` what he asks
    a year, twelve months when left out.

    :param version: raised with each change of an amount, since firms keep the price that they chose.
    :param included: keys of the plans that bring the add-on without a price.
    """

    kind: str = "free"
    key: str = ""
    version: int = 1
    trial_days: int = 0
    per: str = "firm"
    amounts: Mapping[str, str] = field(default_factory=dict)
    yearly: Mapping[str, str] = field(default_factory=dict)
    included: tuple[str, ...] = ()
    meters: tuple[Meter, ...] = ()

    @property
    def paid(self) -> bool:
        """Whether it is an add-on with a price of its own."""
        return self.kind == "addon"

    def amount(self, interval: str, currency: str) -> tuple[str, int] | None:
        """Return an amount as the author wrote it and how often it is taken for a period; None without one."""
        if interval == "year" and self.yearly:
            return (self.yearly[currency], 1) if currency in self.yearly else None
        return (self.amounts[currency], INTERVALS[interval]) if currency in self.amounts else None


class Amounts(fields.Field[dict[str, str]]):
    """Amounts by currency, as decimal numbers in quotes."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not value:
            raise ValidationError('Write it as a table: { EUR = "4.50", GBP = "4" }.')
        for currency, amount in value.items():
            if not re.fullmatch(r"[A-Z]{3}", currency):
                raise ValidationError(f"{currency!r} is no currency. Use the three letters of ISO 4217.")
            if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", str(amount)) or isinstance(amount, float):
                raise ValidationError(f'{amount!r} is no amount. Write it in quotes: "4.50".')
            if not float(amount):
                raise ValidationError(f'{currency} costs nothing. Take it out, or write kind = "free".')
        return {currency: str(amount) for currency, amount in value.items()}


_NAME = matches(r"[a-z][a-z0-9_]{1,30}", "Use 2 to 31 small letters, digits and underscores, a letter first.")
_PLAN = matches(r"[a-z][a-z0-9_]*", 'Name the key of a plan, as "business".')


class MeterSchema(Strict):
    """One meter of `[[pricing.meters]]`."""

    name = text_field(needed=True, also=[_NAME])
    label = text_field(needed=True, longest=60)
    included = fields.Integer(strict=True, validate=validate.Range(0, 1_000_000_000))
    amounts = Amounts(required=True, error_messages={"required": "Say what each further one costs."})


class PricingSchema(Strict):
    """The table `[pricing]`."""

    kind = one_of("free", "plan", "addon")
    key = text_field()
    version = fields.Integer(strict=True, validate=validate.Range(1, 10_000))
    trial_days = fields.Integer(strict=True, validate=validate.Range(0, 90))
    per = one_of("firm", "seat")
    amounts, yearly = Amounts(), Amounts()
    included = words(_PLAN)
    meters = fields.List(
        fields.Nested(MeterSchema),
        validate=validate.Length(0, MOST_METERS, error="Count at most {max} things."),
    )

    @pre_load
    def _split(self, data: Any, **_options: Any) -> Any:
        """Accept the short form `kind:key`, within the table or in its place, and the older word for a seat."""
        if isinstance(data, str):
            data = {"kind": data}
        kind, _colon, key = str(data.get("kind", "free")).partition(":")
        made = {**data, "kind": kind, **({"key": key} if key else {})}
        return {**made, "per": "seat"} if made.get("per") == "member" else made

    @validates_schema
    def _fits(self, data: dict[str, Any], **_options: Any) -> None:
        kind = data.get("kind", "free")
        if kind != "free" and not data.get("key"):
            raise ValidationError("Name the plan's feature or the add-on's price.", "key")
        own = [one for one in ("amounts", "yearly", "per", "included", "meters") if data.get(one)]
        if kind != "addon" and own:
            raise ValidationError('Only an add-on has a price of its own: kind = "addon:<key>".', own[0])
        currencies = set(data.get("amounts", ()))
        if data.get("yearly") and set(data["yearly"]) != currencies:
            raise ValidationError("Name the same currencies as in amounts.", "yearly")
        for meter in data.get("meters", ()):
            if set(meter["amounts"]) != currencies:
                text = f"Name the same currencies for {meter['name']} as in amounts."
                raise ValidationError(text, "meters")
        names = [meter["name"] for meter in data.get("meters", ())]
        if len(set(names)) != len(names):
            raise ValidationError("Two meters have the same name.", "meters")


def pricing_of(parts: Mapping[str, Any]) -> Pricing:
    """Return the pricing that a checked table says."""
    meters = tuple(Meter(**one) for one in parts.get("meters", ()))
    return Pricing(**{**parts, "included": tuple(parts.get("included", ())), "meters": meters})
