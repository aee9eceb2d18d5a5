"""`plugin.toml`: what a plugin says of itself, readable without running its code."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate, validates_schema
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from plugins.api_version import ApiVersion, parse_api

FILE_NAME: Final = "plugin.toml"
SLUG: Final = re.compile(r"[a-z][a-z0-9_]{2,30}")
_MISSING: Final = "It is missing. Add it to the file."


class ManifestError(ValueError):
    """Raised when `plugin.toml` can't be used. The message names the field and the remedy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonalData:
    """What the plugin stores of people, and by which right."""

    categories: tuple[str, ...] = ()
    basis: str = ""
    retention_days: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pricing:
    """How a tenant pays: free, with a plan's feature, or as an add-on.

    `amounts` is what the author asks a month, by currency, for the whole firm or for each member.
    """

    kind: str = "free"
    key: str = ""
    trial_days: int = 0
    per: str = "firm"
    amounts: Mapping[str, str] = field(default_factory=dict)

    @property
    def paid(self) -> bool:
        """Whether it is an add-on with a price of its own."""
        return self.kind == "addon"


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """A checked manifest. Fields as in `docs/plugins`."""

    slug: str
    name: str
    version: str
    summary: str
    api: ApiVersion
    icon: str = "puzzle"
    category: str = "other"
    keywords: tuple[str, ...] = ()
    author: str = ""
    contact: str = ""
    security_contact: str = ""
    licence: str = ""
    docs_url: str = ""
    requires_core_revision: str = ""
    requires: Mapping[str, SpecifierSet] = field(default_factory=dict)
    optional: Mapping[str, SpecifierSet] = field(default_factory=dict)
    conflicts: Mapping[str, SpecifierSet] = field(default_factory=dict)
    auto_enable_with: tuple[str, ...] = ()
    level: str = "tenant"
    kind: str = "python"
    capabilities: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    personal_data: PersonalData = field(default_factory=PersonalData)
    data_version: int = 1
    locales: tuple[str, ...] = ("en",)
    pricing: Pricing = field(default_factory=Pricing)
    status: str = "experimental"
    replaced_by: str = ""
    end_date: str = ""
    quality: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)


def _text(*, needed: bool = False, longest: int = 200, **options: Any) -> fields.String:
    return fields.String(
        required=needed,
        validate=[validate.Length(1 if needed else 0, longest), *options.pop("also", ())],
        error_messages={"required": _MISSING, "invalid": "Write it as text in double quotes."},
        **options,
    )


def _words(*also: Any) -> fields.List[Any]:
    return fields.List(_text(also=also), error_messages={"invalid": 'Write it as a list: ["one", "two"].'})


def _one_of(*names: str) -> fields.String:
    return _text(also=[validate.OneOf(names, error=f"Use one of: {', '.join(names)}.")])


def _matches(pattern: str, remedy: str) -> validate.Regexp:
    return validate.Regexp(rf"(?:{pattern})\Z", error=remedy)


class _Version(fields.String):
    """A version number as Python packages write it."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, *args, **kwargs))
        try:
            return str(Version(text))
        except InvalidVersion:
            raise ValidationError(f'{text!r} is not a version. Write it as "1.2.0".') from None


class _Api(fields.String):
    """The lowest plugin API that will do."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return parse_api(str(super()._deserialize(value, *args, **kwargs)))
        except ValueError as error:
            raise ValidationError(str(error)) from None


class _Ranges(fields.Field[dict[str, SpecifierSet]]):
    """Other plugins with version ranges; an empty range means any version."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, SpecifierSet]:
        if not isinstance(value, dict):
            raise ValidationError('Write it as a table: { marketing = ">=1.2" }.')
        ranges = {}
        for slug, text in value.items():
            if not SLUG.fullmatch(slug):
                raise ValidationError(f"{slug!r} is not a plugin's slug.")
            try:
                ranges[slug] = SpecifierSet(str(text))
            except InvalidSpecifier:
                raise ValidationError(
                    f'{text!r} is not a version range for {slug}. Write it as ">=1.2,<2".'
                ) from None
        return ranges


class _Amounts(fields.Field[dict[str, str]]):
    """Amounts a month by currency, as decimal numbers in quotes."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not value:
            raise ValidationError('Write it as a table: { EUR = "4.50", GBP = "4" }.')
        for currency, amount in value.items():
            if not re.fullmatch(r"[A-Z]{3}", currency):
                raise ValidationError(f"{currency!r} is no currency. Use the three letters of ISO 4217.")
            if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", str(amount)) or isinstance(amount, float):
                raise ValidationError(f'{amount!r} is no amount. Write it in quotes: "4.50".')
        return {currency: str(amount) for currency, amount in value.items()}


class _Strict(Schema):
    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "There is no such field. Check the spelling or take the line out."}


class _PersonalDataSchema(_Strict):
    categories = _words()
    basis = _text(longest=500)
    retention_days = fields.Integer(strict=True, validate=validate.Range(1, 36_500), allow_none=True)

    @validates_schema
    def _basis_given(self, data: dict[str, Any], **_options: Any) -> None:
        if data.get("categories") and not data.get("basis"):
            raise ValidationError("Say by which right the personal data is kept.", "basis")


class _PricingSchema(_Strict):
    kind = _one_of("free", "plan", "addon")
    key = _text()
    trial_days = fields.Integer(strict=True, validate=validate.Range(0, 90))
    per = _one_of("firm", "member")
    amounts = _Amounts()

    @pre_load
    def _split(self, data: Any, **_options: Any) -> Any:
        """Accept the short form `kind:key`, within the table or in its place."""
        if isinstance(data, str):
            data = {"kind": data}
        kind, _colon, key = str(data.get("kind", "free")).partition(":")
        return {**data, "kind": kind, **({"key": key} if key else {})}

    @validates_schema
    def _key_given(self, data: dict[str, Any], **_options: Any) -> None:
        if data.get("kind", "free") != "free" and not data.get("key"):
            raise ValidationError("Name the plan's feature or the add-on's price.", "key")
        if data.get("kind", "free") != "addon" and (data.get("amounts") or data.get("per")):
            raise ValidationError('Only an add-on has a price of its own: kind = "addon:<key>".', "amounts")


_SLUG_RULE = _matches(SLUG.pattern, "Use 3 to 31 small letters, digits and underscores, a letter first.")
_SCOPE = _matches(r"[a-z_]+:(read|write)", 'Write it as "customers:read" or "deals:write".')
_PICTURE = _matches(r"pictures/[a-z0-9_-]+\.(png|jpg|webp)", 'Name a file as "pictures/list.png".')
MOST_PICTURES: Final = 6
_CAPABILITY = _matches(
    r"db|files|guard|public_routes|meter|http:[a-z0-9.*-]+|send:[a-z]+",
    "Use db, files, guard, public_routes, meter, http:<host> or send:<channel>.",
)


class _ManifestSchema(_Strict):
    slug = _text(needed=True, also=[_SLUG_RULE])
    name = _text(needed=True, longest=60)
    version = _Version(required=True, error_messages={"required": _MISSING})
    summary = _text(needed=True)
    api = _Api(required=True, error_messages={"required": _MISSING})
    icon, category, licence = _text(), _text(), _text()
    keywords, locales = _words(), _words()
    author, contact, security_contact, docs_url = _text(), _text(), _text(), _text()
    requires_core_revision, replaced_by, end_date = _text(), _text(), _text()
    requires, optional, conflicts = _Ranges(), _Ranges(), _Ranges()
    auto_enable_with = _words(_SLUG_RULE)
    level = _one_of("tenant", "operator")
    kind = _one_of("python", "remote")
    capabilities, reads, writes = _words(_CAPABILITY), _words(_SCOPE), _words(_SCOPE)
    personal_data = fields.Nested(_PersonalDataSchema)
    data_version = fields.Integer(strict=True, validate=validate.Range(1, 1_000_000))
    pricing = fields.Nested(_PricingSchema)
    status = _one_of("experimental", "stable", "deprecated")
    quality = _one_of("bronze", "silver", "gold")
    pictures = fields.Dict(
        keys=fields.String(validate=_PICTURE),
        values=_text(needed=True),
        validate=validate.Length(0, MOST_PICTURES, error="Show at most {max} pictures."),
    )


def _flat(messages: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(messages, Mapping):
        return [
            pair
            for key, value in messages.items()
            for pair in _flat(value, f"{path}.{key}" if path else str(key))
        ]
    if isinstance(messages, list):
        return [(path, str(message)) for message in messages]
    return [(path, str(messages))]


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def parse_manifest(text: str, source: str = FILE_NAME) -> Manifest:
    """Read a manifest.

    :raises ManifestError: naming each field that is wrong.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{source} is not valid TOML: {error}.") from error
    try:
        data: dict[str, Any] = _ManifestSchema().load(raw)
    except ValidationError as error:
        lines = [f"{name}: {message}" for name, message in _flat(error.messages)]
        raise ManifestError("\n".join(f"{source}: {line}" for line in lines)) from None
    values = {key: _frozen(value) for key, value in data.items()}
    for key, kind in (("personal_data", PersonalData), ("pricing", Pricing)):
        if key in values:
            parts: dict[str, Any] = {name: _frozen(value) for name, value in values[key].items()}
            values[key] = kind(**parts)
    return Manifest(**values)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest file.

    :raises ManifestError: when the file is missing, not UTF-8 or wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ManifestError(f"{path.name} is missing. Put it beside the plugin's first module.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path.name} can't be read: {error}. Save it as UTF-8.") from error
    return parse_manifest(text, path.name)
