from pathlib import Path

import pytest

from plugins.api_version import ApiVersion, misfit, parse_api
from plugins.manifest import ManifestError, parse_manifest, read_manifest

WHOLE = """
slug = "automotive"
name = "Car dealer"
version = "1.2.0"
summary = "Vehicles, test drives and warranty"
api = "0.1"
keywords = ["cars"]
requires = { marketing = ">=1,<2" }
conflicts = { old_cars = "" }
capabilities = ["db", "http:api.example.com", "send:sms"]
reads = ["customers:read"]
writes = ["deals:write"]
locales = ["en", "ru"]
data_version = 3
status = "stable"

[personal_data]
categories = ["vehicle", "licence"]
basis = "Contract"
retention_days = 365

[pricing]
kind = "addon"
key = "automotive_monthly"
trial_days = 14
"""
SHORT = 'slug = "abc"\nname = "A"\nversion = "1"\nsummary = "S"\napi = "0.1"\n'


def test_every_part_is_read() -> None:
    manifest = parse_manifest(WHOLE)
    assert manifest.slug == "automotive"
    assert manifest.api == ApiVersion(0, 1)
    assert manifest.requires["marketing"].contains("1.5")
    assert not manifest.requires["marketing"].contains("2.0")
    assert manifest.conflicts["old_cars"].contains("0.1")
    assert manifest.capabilities == ("db", "http:api.example.com", "send:sms")
    assert manifest.personal_data.categories == ("vehicle", "licence")
    assert manifest.personal_data.retention_days == 365
    assert (manifest.pricing.kind, manifest.pricing.key, manifest.pricing.trial_days) == (
        "addon",
        "automotive_monthly",
        14,
    )


def test_defaults_are_modest() -> None:
    manifest = parse_manifest(SHORT)
    assert (manifest.level, manifest.kind, manifest.status) == ("tenant", "python", "experimental")
    assert manifest.capabilities == ()
    assert manifest.pricing.kind == "free"


def test_pricing_may_be_one_word() -> None:
    pricing = parse_manifest(SHORT + 'pricing = "plan:cars"\n').pricing
    assert (pricing.kind, pricing.key) == ("plan", "cars")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ('slug = "Auto"', "slug: Use 3 to 31 small letters"),
        ('slug = "auto\\n"', "slug: Use 3 to 31"),
        ("slug = 3", "slug: Write it as text in double quotes."),
        ('name = ""', "name: "),
        ('version = "one"', "version: 'one' is not a version."),
        ('api = "1"', "api: '1' is not an API version."),
        ('api = "0.1.2"', "not an API version"),
        ('requires = ["a"]', "requires: Write it as a table"),
        ('pictures = { "../secret.png" = "A list" }', 'Name a file as "pictures/list.png"'),
        ('pictures = { "pictures/list.png" = "" }', "pictures.pictures/list.png"),
        ('requires = { Bad = "1" }', "requires: 'Bad' is not a plugin's slug."),
        ('requires = { other = "newest" }', "is not a version range for other"),
        ('capabilities = ["root"]', "capabilities.0: Use db, files"),
        ('reads = ["customers"]', "reads.0: Write it as"),
        ('keywords = "one"', "keywords: Write it as a list"),
        ('level = "planet"', "level: Use one of: tenant, operator."),
        ("data_version = 0", "data_version: "),
        ('data_version = "1"', "data_version: "),
        ("default_enabled = true", "default_enabled: There is no such field"),
        ('colour = "red"', "colour: There is no such field."),
        ('pricing = "plan"', "pricing.key: Name the plan's feature"),
        ('pricing = { kind = "rent" }', "pricing.kind: Use one of"),
        ('personal_data = { categories = ["a"] }', "personal_data.basis: Say by which right"),
        ("personal_data = { retention = 1 }", "personal_data.retention: There is no such field."),
    ],
)
def test_a_wrong_field_is_named_with_its_remedy(change: str, expected: str) -> None:
    key = change.partition(" = ")[0]
    kept = "\n".join(line for line in SHORT.splitlines() if not line.startswith(f"{key} ="))
    with pytest.raises(ManifestError) as caught:
        parse_manifest(f"{kept}\n{change}\n")
    assert expected in str(caught.value)


@pytest.mark.parametrize("key", ["slug", "name", "version", "summary", "api"])
def test_a_missing_field_is_named(key: str) -> None:
    text = "\n".join(line for line in SHORT.splitlines() if not line.startswith(f"{key} ="))
    with pytest.raises(ManifestError, match=f"{key}: It is missing. Add it to the file."):
        parse_manifest(text)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest('slug = "A"\n')
    assert all(name in str(caught.value) for name in ("slug:", "name:", "version:", "summary:", "api:"))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "plugin.toml"
    with pytest.raises(ManifestError, match="is missing"):
        read_manifest(path)
    path.write_text("slug = ")
    with pytest.raises(ManifestError, match="not valid TOML"):
        read_manifest(path)
    path.write_bytes(b'slug = "\xff"')
    with pytest.raises(ManifestError, match="Save it as UTF-8"):
        read_manifest(path)


@pytest.mark.parametrize(
    ("needed", "fits"),
    [("0.1", True), ("1.0", True), ("1.3", True), ("1.4", False), ("2.0", False), ("0.9", False)],
)
def test_an_api_fits_within_its_major_number(needed: str, fits: bool) -> None:
    if needed == "0.1":
        assert misfit(parse_api(needed)) is None
        return
    assert (misfit(parse_api(needed), ApiVersion(1, 3)) is None) is fits


PAID = """
capabilities = ["meter"]
[pricing]
kind = "addon:abc"
version = 2
trial_days = 14
per = "member"
amounts = { EUR = "4.50", JPY = "500" }
yearly = { EUR = "45", JPY = "5000" }
included = ["business"]
[[pricing.meters]]
name = "visits"
label = "Visits"
included = 100
amounts = { EUR = "0.02", JPY = "3" }
"""


def test_a_price_is_read_whole() -> None:
    pricing = parse_manifest(SHORT + PAID).pricing
    assert (pricing.version, pricing.per, pricing.included) == (2, "seat", ("business",))
    assert (pricing.amount("month", "JPY"), pricing.amount("year", "EUR")) == (("500", 1), ("45", 1))
    assert pricing.amount("month", "USD") is None
    (meter,) = pricing.meters
    assert (meter.name, meter.label, meter.included, meter.amounts["EUR"]) == (
        "visits",
        "Visits",
        100,
        "0.02",
    )
    by_month = parse_manifest(SHORT + PAID.replace('yearly = { EUR = "45", JPY = "5000" }', "")).pricing
    assert by_month.amount("year", "EUR") == ("4.50", 12)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('JPY = "5000"', 'GBP = "4"', "pricing.yearly: Name the same currencies as in amounts."),
        ('EUR = "0.02", ', "", "pricing.meters: Name the same currencies for visits"),
        ('EUR = "4.50"', 'EUR = "0"', "EUR costs nothing"),
        ('["meter"]', '["db"]', 'capabilities: Meters need the capability "meter"'),
        ('["business"]', '["Business!"]', "Name the key of a plan"),
        ('name = "visits"', 'name = "Visits"', "Use 2 to 31 small letters"),
        ('amounts = { EUR = "0.02", JPY = "3" }', "", "Say what each further one costs."),
        ("version = 2", "version = 0", "pricing.version"),
        ('"addon:abc"', '"plan:abc"', "Only an add-on has a price of its own"),
    ],
)
def test_a_wrong_price_is_named_with_its_remedy(old: str, new: str, said: str) -> None:
    assert old in PAID
    with pytest.raises(ManifestError) as caught:
        parse_manifest(SHORT + PAID.replace(old, new))
    assert said in str(caught.value)


def test_a_meter_has_its_own_name() -> None:
    meter = PAID[PAID.index("[[") :]
    with pytest.raises(ManifestError, match="Two meters have the same name"):
        parse_manifest(SHORT + PAID + meter)
