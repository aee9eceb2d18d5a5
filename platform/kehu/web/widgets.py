"""Small pieces of HTML that lists draw by the hundred, so they are functions and not macros."""

import hashlib
import unicodedata
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

from babel.numbers import format_compact_currency
from flask_babel import (
    format_date,
    format_datetime,
    format_timedelta,
    get_locale,
    get_timezone,
    gettext,
)
from markupsafe import Markup, escape

from kehu.core import clock
from kehu.core.money import from_minor, show
from kehu.web.static import asset_url

HUES = 8
RELATIVE_DAYS = 30
_SHORT_FROM = 10_000


@lru_cache(maxsize=1)
def icon_names() -> frozenset[str]:
    """Return the names of the icons in the sprite."""
    lines = (Path(__file__).with_name("icons.txt")).read_text().splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@lru_cache(maxsize=512)
def icon(name: str, size: int = 18, label: str = "") -> Markup:
    """Draw an icon of the sprite; without a label it is hidden from screen readers.

    :raises LookupError: for a name that is not in ``icons.txt``.
    """
    if name not in icon_names():
        raise LookupError(f"No icon {name}: add it to platform/kehu/web/icons.txt.")
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="k-icon" width="{0}" height="{0}" {1}><use href="{2}#{3}"/></svg>').format(
        size, spoken, asset_url("icons.svg"), name
    )


@lru_cache(maxsize=4096)
def hue_of(name: str) -> int:
    """Return the hue, 1 to 8, that a name always gets."""
    return hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=2).digest()[0] % HUES + 1


def _is_han(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK UNIFIED")


@lru_cache(maxsize=4096)
def initials(name: str) -> str:
    """Return one or two letters for an avatar; of a Chinese name its last two characters."""
    words = [word for word in name.split() if word[0].isalnum()]
    if not words:
        return (name.strip() or "?")[0].upper()
    if _is_han(words[0][0]):
        return "".join(words)[-2:]
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()


@lru_cache(maxsize=4096)
def avatar(name: str, size: str = "", square: bool = False) -> Markup:
    """Draw a person or a firm as coloured initials.

    :param size: ``s``, ``l`` or ``xl``; the name itself must stand beside it.
    """
    classes = f"k-avatar k-hue-{hue_of(name)}"
    classes += f" k-avatar-{size}" if size else ""
    classes += " k-avatar-square" if square else ""
    return Markup('<span class="{}" aria-hidden="true">{}</span>').format(classes, initials(name))


def badge(text: object, tone: str = "", hue: int | None = None, dot: bool = True) -> Markup:
    """Draw a state: a dot and a word.

    :param tone: ``ok``, ``warn``, ``bad``, ``info`` or nothing for grey.
    :param hue: 1 to 8 instead of a tone, for stages a tenant names.
    """
    kind = f" k-hue-{hue}" if hue else (f" k-tone-{tone}" if tone else "")
    return Markup('<span class="k-badge{}{}">{}</span>').format(kind, "" if dot else " k-badge-plain", text)


def tag(text: object, hue: int | None = None) -> Markup:
    """Draw a tag in its colour, or in the one its name always gets."""
    return Markup('<span class="k-tag k-hue-{}">{}</span>').format(hue or hue_of(str(text)), text)


def money(amount: int | None, currency: str, short: bool = False) -> Markup | str:
    """Write an amount of minor units as money in the reader's locale, or a dash for none.

    :param short: as few letters as a board column or an axis has room for: £27.5k.
    """
    if amount is None:
        return Markup('<span class="k-none">–</span>')
    locale = str(get_locale() or "en")
    if short and abs(value := from_minor(amount, currency)) >= _SHORT_FROM:
        return str(format_compact_currency(value, currency, locale=locale, fraction_digits=1))
    return show(amount, currency, locale, whole=True)


def _local(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(get_timezone())


def reltime(moment: datetime | None, now: datetime | None = None) -> Markup:
    """Write a moment as people say it, up to 30 days away; the exact time is in the tip."""
    if moment is None:
        return Markup('<span class="k-none">–</span>')
    now = now or clock.now()
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    away = moment - now
    if abs(away.total_seconds()) < 45:
        text = gettext("just now")
    elif abs(away.days) < RELATIVE_DAYS:
        text = format_timedelta(away, add_direction=True, threshold=1.1)
    else:
        text = format_date(_local(moment), "medium", rebase=False)
    exact = format_datetime(_local(moment), "medium", rebase=False)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), exact, text
    )


def day(value: date | None, style: str = "medium") -> Markup:
    """Write a day in the reader's locale, with ``today`` and its neighbours as words."""
    if value is None:
        return Markup('<span class="k-none">–</span>')
    today = clock.today(get_timezone())
    words = {0: gettext("Today"), 1: gettext("Tomorrow"), -1: gettext("Yesterday")}
    text = words.get((value - today).days) or format_date(value, style)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(), format_date(value, "full"), text
    )


def attributes(values: dict[str, object]) -> Markup:
    """Write HTML attributes; ``True`` has no value, ``None`` and ``False`` are left out."""
    parts = []
    for name, value in values.items():
        if value is None or value is False:
            continue
        parts.append(Markup(" {}").format(name) if value is True else Markup(' {}="{}"').format(name, value))
    return Markup("").join(parts)


def plain(value: object) -> Markup:
    """Escape a value, or draw a dash where there is none."""
    return escape(value) if value not in (None, "") else Markup('<span class="k-none">–</span>')
