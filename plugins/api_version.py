"""The version of the plugin API and the rule by which a plugin fits it.

It is apart from the product's version. While the major number is 0, the API may change with any minor number.
"""

import re
from typing import Final, NamedTuple


class ApiVersion(NamedTuple):
    """A major and a minor number."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


API_VERSION: Final = ApiVersion(0, 1)
"""The plugin API this installation offers."""

_PATTERN: Final = re.compile(r"(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})")


def parse_api(text: str) -> ApiVersion:
    """Read an API version such as `0.1`.

    :raises ValueError: when the text is not two numbers with a full stop between them.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f'{text!r} is not an API version. Write two numbers, as "{API_VERSION}".')
    return ApiVersion(int(match[1]), int(match[2]))


def misfit(needed: ApiVersion, offered: ApiVersion = API_VERSION) -> str | None:
    """Return why a plugin that needs at least `needed` does not fit, or None when it does."""
    if needed.major != offered.major:
        return f"It is written for plugin API {needed.major}.x, this installation offers {offered}."
    if needed.minor > offered.minor:
        return f"It needs plugin API {needed} or later, this installation offers {offered}."
    return None
