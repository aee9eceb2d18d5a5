"""Fields of `plugin.toml` that are checked alike: a wrong one is named with its remedy."""

from typing import Any, Final

from marshmallow import RAISE, Schema, fields, validate

MISSING: Final = "It is missing. Add it to the file."


def text_field(*, needed: bool = False, longest: int = 200, **options: Any) -> fields.String:
    """Return a field for a short text."""
    return fields.String(
        required=needed,
        validate=[validate.Length(1 if needed else 0, longest), *options.pop("also", ())],
        error_messages={"required": MISSING, "invalid": "Write it as text in double quotes."},
        **options,
    )


def words(*also: Any) -> fields.List[Any]:
    """Return a field for a list of short texts."""
    return fields.List(
        text_field(also=also), error_messages={"invalid": 'Write it as a list: ["one", "two"].'}
    )


def one_of(*names: str) -> fields.String:
    """Return a field that takes one of some words."""
    return text_field(also=[validate.OneOf(names, error=f"Use one of: {', '.join(names)}.")])


def matches(pattern: str, remedy: str) -> validate.Regexp:
    """Return the rule that a text has a form."""
    return validate.Regexp(rf"(?:{pattern})\Z", error=remedy)


class Strict(Schema):
    """A table in which only known fields stand."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "There is no such field. Check the spelling or take the line out."}
