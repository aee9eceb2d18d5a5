"""What a plugin gives a firm to start with: a pipeline, roles, data to try it with."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from plugins.contracts import Label

OUTCOMES: Final = ("open", "won", "lost")
LIKE: Final = ("manager", "member", "viewer")
"""The built-in roles that a role of a plugin may begin as."""

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise ValueError(f"The key {key!r} is not usable. Use small letters, digits and underscores.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Starter:
    """Something that is made once for each firm that switches the plugin on; from then on it is the firm's.

    :param key: by which the plugin finds it again (`kehu.api.starter_id`); never made twice under one key.
    :param name: what it is called; made in the firm's language.
    :param description: a sentence for the admin who decides about the plugin.
    """

    key: str
    name: Label
    description: Label = ""

    def __post_init__(self) -> None:
        _check_key(self.key)


@dataclass(frozen=True, kw_only=True, slots=True)
class StageStarter:
    """A stage of a pipeline; `usual_days` is how long a deal usually stands in it.

    :param outcome: open, won or lost.
    """

    key: str
    name: Label
    probability: int = 0
    outcome: str = "open"
    usual_days: int | None = None

    def __post_init__(self) -> None:
        _check_key(self.key)
        if self.outcome not in OUTCOMES or not 0 <= self.probability <= 100:
            raise ValueError(f"The stage {self.key!r} needs an outcome of {OUTCOMES} and 0 to 100 percent.")


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineStarter(Starter):
    """A pipeline with its stages in their order; one must be won and one lost."""

    stages: tuple[StageStarter, ...]

    def __post_init__(self) -> None:
        _check_key(self.key)
        kinds = {stage.outcome for stage in self.stages}
        if kinds != set(OUTCOMES) or len({stage.key for stage in self.stages}) < len(self.stages):
            raise ValueError(
                f"The pipeline {self.key!r} needs an open, a won and a lost stage, each with a key of its own."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleStarter(Starter):
    """A role: what the built-in role `like` may do in the firm, changed by `rights`.

    :param rights: code -> own, team or all, or None to take it away. The plugin's own rights, and those over
        the platform's records; what only admins may do can't be given.
    """

    like: str = "member"
    rights: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_key(self.key)
        if self.like not in LIKE:
            raise ValueError(f"The role {self.key!r} begins as {self.like!r}. Use one of {', '.join(LIKE)}.")
        for code, scope in self.rights.items():
            if scope not in ("own", "team", "all", None):
                raise ValueError(f"The right {code!r} reaches {scope!r}. Use own, team, all or None.")


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleStarter(Starter):
    """Records to try the plugin with, made when an admin asks for them and removed together. One for each plugin.

    :param fill: gets `ctx` and makes them through services, as the admin who asks; all of it is one transaction.
    """

    fill: Callable[[Any], None]
