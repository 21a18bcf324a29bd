"""How sizes, times, names and lists are written in a sentence."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

from babel.dates import format_timedelta
from babel.units import format_unit

from trio_s3_bot.texts.words import AND_MORE, FILES

LIMIT = 3500  # UTF-16 units; messengers take 4096, and long messages hit flood limits sooner
BAR, SHORT_BAR = 12, 6  # characters of a progress bar, and of one of several
MARKERS = ("[greeting]", "[document is required]", "[document has been saved]", "[document]")
_RIGHT_TO_LEFT = ("R", "AL", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI")


def language_of(tag: str | None) -> str:
    """Russian for Russian clients, English for all others; `tag` is an IETF language tag such as `ru-RU`."""
    return "ru" if tag and tag.lower().replace("_", "-").split("-")[0] == "ru" else "en"


def size(count: float, language: str) -> str:
    """
    Bytes as people read them: `8.6 MB`, `8,6 МБ`.

    In powers of 1024 and with the units that messengers write beside the file itself; CLDR's own would be `kB`.
    """
    units = iter(("byte", "kilobyte", "megabyte", "gigabyte", "terabyte"))
    unit = next(units)
    while count >= 1023.95 and unit != "terabyte":
        count, unit = count / 1024, next(units)
    rounded = round(count, 1) if count < 100 else round(count)
    length: Literal["long", "short"] = "long" if unit == "byte" else "short"
    written = format_unit(rounded, f"digital-{unit}", length=length, locale=language).replace("\xa0", " ")
    return written.replace("kB", "KB").replace("кБ", "КБ")


def shown(name: str, limit: int = 300) -> str:
    """A name in a sentence: on one line, of bounded length, not reordering the text, not speaking for the bot."""
    flat = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in name)
    if len(flat) > limit:
        flat = flat[: limit * 2 // 3] + "…" + flat[-limit // 3 :]
    if any(marker in flat.casefold() for marker in MARKERS):
        flat = flat.replace("[", "⟦").replace("]", "⟧")
    reorders = any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in flat)
    return f"\u2068{flat}\u2069" if reorders else flat


def listed(head: str, items: Sequence[str], language: str) -> str:
    """As many items as fit under the limit, and how many more there are."""
    rows, length = [head], units(head)
    for index, item in enumerate(items):
        row = f"• {item}"
        length += units(row) + 1
        if length > LIMIT:
            rows.append(AND_MORE.of(language, files=FILES.of(language, len(items) - index)))
            break
        rows.append(row)
    return "\n".join(rows)


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def bar(share: float, cells: int = BAR) -> str:
    full = int(share * cells)
    return "▰" * full + "▱" * (cells - full)


def duration(seconds: float, language: str, threshold: float = 1.5) -> str:
    """`2 min`; from so many of a unit on in that unit."""
    rounded = max(1, round(seconds))
    return format_timedelta(rounded, threshold=threshold, format="short", locale=language).replace("\xa0", " ")


def ago(seconds: float, language: str) -> str:
    """`5 minutes ago`, `5 минут назад`; in the future `in 5 minutes`."""
    return format_timedelta(-round(seconds) or -1, threshold=1.5, add_direction=True, locale=language).replace(
        "\xa0", " "
    )
