"""
How people write the values of settings: sizes, durations, numbers, URLs, paths, lists of users.

A parser takes the text of a setting, trimmed, and gives its value or raises `Malformed`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from . import names
from .model import Secret

Parser = Callable[[str], object]

# The shapes of a Telegram token, and of VK's tokens: those of today, and the older ones of 85 hexadecimal digits.
TOKEN = re.compile(r"[0-9]+:[\w-]{20,}|vk1\.[\w.-]{20,}|(?<![0-9a-f])[0-9a-f]{85}(?![0-9a-f])", re.ASCII)

_SIZES = {"": 1, "b": 1}
_SIZES |= {f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)}
_SIZES |= {f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)}
_DURATIONS = {"": Fraction(1), "ms": Fraction(1, 1000), "s": Fraction(1), "min": Fraction(60), "h": Fraction(3600)}

# Telegram: a username has 4 to 32 letters, digits and underscores. VK tells a bot its users' numbers only.
_USERS = {"telegram": r"[1-9][0-9]{0,18}|@[a-z][a-z0-9_]{3,31}", "vk": r"[1-9][0-9]{0,18}"}


class Malformed(ValueError):
    """
    A value isn't what `allowed` says.

    `piece` is the wrong part of it, None for all of it. `hide`: it may hold a secret, so nothing of it is to be shown.
    """

    def __init__(self, allowed: str, *, piece: str | None = None, hide: bool = False) -> None:
        self.allowed, self.piece, self.hide = allowed, piece, hide
        super().__init__(f"not {allowed}")


def parse_size(text: str) -> int:
    """
    Bytes, rounded down, from `8 MiB`, `8MB`, `1.5 GiB` or a bare number of bytes; ValueError for anything else.

    KiB, MiB, GiB and TiB are powers of 1024 (IEC 80000-13), kB, MB, GB and TB powers of 1000. Case doesn't matter.
    """
    return int(_quantity(text, _SIZES))


def parse_duration(text: str) -> float:
    """Seconds from `500 ms`, `300 s`, `2 min`, `1 h` or a bare number of seconds; ValueError for anything else."""
    return float(_quantity(text, _DURATIONS))


def _quantity(text: str, units: Mapping[str, int | Fraction]) -> Fraction:
    match = re.fullmatch(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)[ \t]*([a-z]*)", text.lower())
    if match is None or match[2] not in units:
        raise ValueError("not a number with one of the units")
    return Fraction(match[1]) * units[match[2]]


def _number(text: str) -> float:
    return float(_quantity(text, {"": 1}))


def _whole_number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ValueError("not a whole number")
    return int(text)


def _within(read: Callable[[str], float], what: str, least: str, most: str | None = None) -> Parser:
    """A parser for what `read` reads, between two bounds (included) that are written as the value itself is."""
    allowed = f"{what} from {least} to {most}" if most else f"{what} of at least {least}"
    low, high = read(least), read(most) if most else math.inf

    def parse(text: str) -> float:
        try:
            value = read(text)
        except ValueError:
            raise Malformed(allowed) from None
        if not low <= value <= high:
            raise Malformed(allowed)
        return value

    return parse


# Each takes the least and the most that is allowed, and gives a parser.
count = partial(_within, _whole_number, "a whole number")
rate = partial(_within, _number, "a number")
size = partial(_within, parse_size, "a size (such as 8 MiB, 8 MB or a bare number of bytes)")
duration = partial(_within, parse_duration, "a duration (such as 500 ms, 300 s, 2 min or 1 h)")


def or_blank(parse: Parser) -> Parser:
    """A parser that gives None for a blank text and leaves all others to `parse`."""
    return lambda text: parse(text) if text else None


def matching(pattern: str, allowed: str) -> Parser:
    """A parser for text that `pattern` matches as a whole."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise Malformed(allowed)
        return text

    return parse


def secret(pattern: str, allowed: str) -> Parser:
    """A parser for a secret that `pattern` matches as a whole."""

    def parse(text: str) -> Secret:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise Malformed(allowed, hide=True)
        return Secret(text)

    return parse


def one_of(*words: str) -> Parser:
    """A parser for one of the words, in any case; it gives the word as it is written here."""
    known = {word.lower(): word for word in words}

    def parse(text: str) -> str:
        if text.lower() not in known:
            raise Malformed(f"one of {', '.join(words)}")
        return known[text.lower()]

    return parse


def key_template(text: str) -> str:
    """A template of keys, as `names.checked` takes it."""
    try:
        return names.checked(text)
    except ValueError as error:
        raise Malformed(f"a template of keys: {error}") from None


def url(text: str) -> str:
    """An http(s) URL, without a slash at its end. What could be a secret isn't allowed in it."""
    try:
        origin, path = _split_url(text)
        if "@" in origin or TOKEN.search(path):
            raise ValueError("holds a secret")
    except ValueError:
        allowed = "an http:// or https:// URL with a host and without token, user name, password, query and fragment"
        raise Malformed(allowed, hide="@" in text or "?" in text) from None
    return origin + path


def proxy_url(text: str) -> Secret:
    """The URL of an HTTP proxy, which may carry a user name and a password."""
    try:
        origin, path = _split_url(text)
        if path:
            raise ValueError("a proxy has no path")
    except ValueError:
        allowed = "an http:// or https:// URL with a host and without path, such as http://user:password@host:3128"
        raise Malformed(allowed, hide=True) from None
    return Secret(origin)


def _split_url(text: str) -> tuple[str, str]:
    """Scheme, host and port of a URL as one string, and its path; ValueError if no client could use it."""
    # urlsplit drops line ends and tabs without a word.
    if not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("an odd character")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("no scheme, host or port to connect to")
    if parts.query or parts.fragment:
        raise ValueError("requests couldn't be appended to it")
    return f"{parts.scheme}://{parts.netloc.removesuffix(':')}", parts.path.rstrip("/")


def path(text: str) -> Path:
    """A path on this machine, as it is written."""
    if not text or not text.isprintable() or text.startswith("~"):
        raise Malformed("a path, absolute or relative to the folder of the config file (~ is not expanded)")
    return Path(text)


def users(text: str) -> frozenset[str]:
    """`*` alone, or `telegram:123456`, `telegram:@name` and the like in lower case; commas or line ends part them."""
    entries = [entry.strip() for entry in re.split(r"[,\n]", text) if entry.strip()]
    for entry in entries:
        messenger, _, user = entry.lower().partition(":")
        if entries != ["*"] and not re.fullmatch(_USERS.get(messenger, "(?!)"), user):
            allowed = "* alone, or a list of telegram:<number>, telegram:@<name>, vk:<number> with commas between"
            raise Malformed(allowed, piece=entry)
    return frozenset(entry.lower() for entry in entries)
