"""Small pieces of HTML that lists draw by the hundred, so they are functions and not macros."""

import hashlib
import json
import unicodedata
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from babel.dates import format_timedelta
from babel.numbers import format_compact_currency
from flask_babel import (
    format_date,
    format_datetime,
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


def known_icon(name: str) -> str:
    """Return a plugin's icon, or the one of plugins where the sprite has none of that name."""
    return name if name in icon_names() else "puzzle"


@lru_cache(maxsize=512)
def icon(name: str, size: int = 18, label: str = "") -> Markup:
    """Draw an icon of the sprite; without a label it is hidden from screen readers.

    :raises LookupError: for a name that is not in ``icons.txt``.
    """
    if name not in icon_names():
        raise LookupError(f"No icon {name}: add it to platform/kehu/web/icons.txt.")
    spoken = Markup('role="img" aria-label="%s"') % label if label else Markup('aria-hidden="true"')
    parts = (size, size, spoken, asset_url("icons.svg"), name)
    return Markup('<svg class="k-icon" width="%s" height="%s" %s><use href="%s#%s"/></svg>') % parts


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
    return Markup('<span class="%s" aria-hidden="true">%s</span>') % (classes, initials(name))


def badge(text: object, tone: str = "", hue: int | None = None, dot: bool = True) -> Markup:
    """Draw a state: a dot and a word.

    :param tone: ``ok``, ``warn``, ``bad``, ``info`` or nothing for grey.
    :param hue: 1 to 8 instead of a tone, for stages a tenant names.
    """
    return _badge(text if isinstance(text, Markup) else str(text), tone, hue, dot)


@lru_cache(maxsize=2048)
def _badge(text: str, tone: str, hue: int | None, dot: bool) -> Markup:
    kind = f" k-hue-{hue}" if hue else (f" k-tone-{tone}" if tone else "")
    return Markup('<span class="k-badge%s%s">%s</span>') % (kind, "" if dot else " k-badge-plain", text)


def tag(text: object, hue: int | None = None) -> Markup:
    """Draw a tag in its colour, or in the one its name always gets."""
    return _tag(str(text), hue)


@lru_cache(maxsize=4096)
def _tag(text: str, hue: int | None) -> Markup:
    return Markup('<span class="k-tag k-hue-%s">%s</span>') % (hue or hue_of(text), text)


def money(amount: int | None, currency: str, short: bool = False) -> Markup | str:
    """Write an amount of minor units as money in the reader's locale, or a dash for none.

    :param short: as few letters as a board column or an axis has room for: £27.5k.
    """
    if amount is None:
        return Markup('<span class="k-none">–</span>')
    return _money(amount, currency, str(get_locale() or "en"), short)


@lru_cache(maxsize=8192)
def _money(amount: int, currency: str, locale: str, short: bool) -> str:
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
        text = _relative(_coarse(away.total_seconds()), str(get_locale() or "en"))
    else:
        text = format_date(_local(moment), "medium", rebase=False)
    # The exact time in the reader's zone is written into the tip by the browser when it is pointed at.
    return Markup('<time datetime="%s">%s</time>') % (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        text,
    )


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _coarse(seconds: float) -> int:
    """Round a distance to what its words tell apart, so that equal words are made once."""
    size = abs(seconds)
    step = 60 if size < 3600 else 3600 if size < 86400 else 86400
    return round(seconds / step) * step


@lru_cache(maxsize=1024)
def _relative(seconds: int, locale: str) -> str:
    # From a day on, days: "12 days ago" says more than "2 weeks ago".
    if abs(seconds) >= 86400:
        away = timedelta(seconds=seconds)
        return format_timedelta(away, granularity="day", threshold=1000, add_direction=True, locale=locale)
    return format_timedelta(timedelta(seconds=seconds), threshold=1, add_direction=True, locale=locale)


def exact(moment: datetime | None) -> Markup:
    """Write a moment with day and time, for histories and papers."""
    if moment is None:
        return Markup('<span class="k-none">–</span>')
    text = format_datetime(_local(moment), "medium", rebase=False)
    return Markup('<time datetime="%s">%s</time>') % (
        _local(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        text,
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
    """Write HTML attributes; ``True`` has no value, ``None`` and ``False`` are left out, a mapping becomes JSON."""
    parts = []
    for name, value in values.items():
        if value is None or value is False:
            continue
        written = json.dumps(value) if isinstance(value, dict) else value
        parts.append(
            Markup(" {}").format(name) if value is True else Markup(' {}="{}"').format(name, written)
        )
    return Markup("").join(parts)


def plain(value: object) -> Markup:
    """Escape a value, or draw a dash where there is none."""
    return escape(value) if value not in (None, "") else Markup('<span class="k-none">–</span>')


_select_label: dict[str, str] = {}


def pick_cell(record_id: object, name: object) -> Markup:
    """Draw the cell with a row's box."""
    locale = str(get_locale() or "en")
    if locale not in _select_label:
        _select_label[locale] = gettext("Select %(name)s", name="\x00")
    label = _select_label[locale].replace("\x00", str(name))
    return Markup('<td class="k-pick"><input type="checkbox" data-pick="%s" aria-label="%s"></td>') % (
        record_id,
        label,
    )


def lead_cell(
    name: object, url: str, note: object = "", lang: str = "", picture: bool = True, square: bool = False
) -> Markup:
    """Draw a row's first cell: picture, name as the row's link, a second line."""
    image = avatar(str(name), "", square) if picture else Markup("")
    small = Markup("<small>%s</small>") % note if note else Markup("")
    tongue = Markup(' lang="%s"') % lang if lang else Markup("")
    return Markup(
        '<td class="k-lead"><span class="k-person">%s<span class="k-clip">'
        '<a href="%s" data-row-link%s>%s</a>%s</span></span></td>'
    ) % (image, url, tongue, name, small)
