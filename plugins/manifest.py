"""`plugin.toml`: what a plugin says of itself, readable without running its code."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from plugins.api_version import ApiVersion, parse_api
from plugins.manifest_fields import MISSING, Strict, matches, one_of, text_field, words
from plugins.pricing import Pricing, PricingSchema, pricing_of

FILE_NAME: Final = "plugin.toml"
SLUG: Final = re.compile(r"[a-z][a-z0-9_]{2,30}")


class ManifestError(ValueError):
    """Raised when `plugin.toml` can't be used. The message names the field and the remedy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonalData:
    """What the plugin stores of people, and by which right."""

    categories: tuple[str, ...] = ()
    basis: str = ""
    retention_days: int | None = None


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


class _PersonalDataSchema(Strict):
    categories = words()
    basis = text_field(longest=500)
    retention_days = fields.Integer(strict=True, validate=validate.Range(1, 36_500), allow_none=True)

    @validates_schema
    def _basis_given(self, data: dict[str, Any], **_options: Any) -> None:
        if data.get("categories") and not data.get("basis"):
            raise ValidationError("Say by which right the personal data is kept.", "basis")


_SLUG_RULE = matches(SLUG.pattern, "Use 3 to 31 small letters, digits and underscores, a letter first.")
_SCOPE = matches(r"[a-z_]+:(read|write)", 'Write it as "customers:read" or "deals:write".')
_PICTURE = matches(r"pictures/[a-z0-9_-]+\.(png|jpg|webp)", 'Name a file as "pictures/list.png".')
MOST_PICTURES: Final = 6
_CAPABILITY = matches(
    r"db|files|guard|public_routes|meter|http:[a-z0-9.*-]+|send:[a-z]+",
    "Use db, files, guard, public_routes, meter, http:<host> or send:<channel>.",
)


class _ManifestSchema(Strict):
    slug = text_field(needed=True, also=[_SLUG_RULE])
    name = text_field(needed=True, longest=60)
    version = _Version(required=True, error_messages={"required": MISSING})
    summary = text_field(needed=True)
    api = _Api(required=True, error_messages={"required": MISSING})
    icon, category, licence = text_field(), text_field(), text_field()
    keywords, locales = words(), words()
    author, contact, security_contact, docs_url = text_field(), text_field(), text_field(), text_field()
    requires_core_revision, replaced_by, end_date = text_field(), text_field(), text_field()
    requires, optional, conflicts = _Ranges(), _Ranges(), _Ranges()
    auto_enable_with = words(_SLUG_RULE)
    level = one_of("tenant", "operator")
    kind = one_of("python", "remote")
    capabilities, reads, writes = words(_CAPABILITY), words(_SCOPE), words(_SCOPE)
    personal_data = fields.Nested(_PersonalDataSchema)
    data_version = fields.Integer(strict=True, validate=validate.Range(1, 1_000_000))
    pricing = fields.Nested(PricingSchema)
    status = one_of("experimental", "stable", "deprecated")
    quality = one_of("bronze", "silver", "gold")
    pictures = fields.Dict(
        keys=fields.String(validate=_PICTURE),
        values=text_field(needed=True),
        validate=validate.Length(0, MOST_PICTURES, error="Show at most {max} pictures."),
    )

    @validates_schema
    def _may_count(self, data: dict[str, Any], **_options: Any) -> None:
        if data.get("pricing", {}).get("meters") and "meter" not in data.get("capabilities", ()):
            raise ValidationError('Meters need the capability "meter". Add it to the list.', "capabilities")


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
    if "personal_data" in values:
        values["personal_data"] = PersonalData(
            **{name: _frozen(value) for name, value in values["personal_data"].items()}
        )
    if "pricing" in values:
        values["pricing"] = pricing_of(values["pricing"])
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
