"""
How VK reads a text: there is no markup but mentions, and those can't be switched off.

`[id1|name]` and `[club1|name]` are shown as a link called `name`; `@id1` and `*id1` become one.
"""

from __future__ import annotations

import re
from typing import Any

LINKED = re.compile(r"\[(id|club|public)(\d+)\|([^\]\n]+)\]")
BARE = re.compile(r"(?<![\w@*])[@*](id|club|public)(\d+)\b")
LINK = re.compile(r"https?://[^\s<>\"]+")
CALLED = re.compile(r"(?<![\w@*|])@([A-Za-z][\w.]+)")


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def as_shown(text: str) -> str:
    """What a person sees of a text."""
    return LINKED.sub(lambda match: match[3], text)


def links(text: str) -> list[dict[str, Any]]:
    """Where there are addresses in a text, which the clients make links of; in UTF-16 units."""
    return [
        {"type": "url", "offset": utf16_length(text[: match.start()]), "length": utf16_length(match[0])}
        for match in LINK.finditer(text)
    ]


def mentioned(text: str) -> list[int]:
    """Whom a text mentions, in order: ids of people, and of communities below zero."""
    found = sorted((*LINKED.finditer(text), *BARE.finditer(text)), key=lambda match: match.start())
    return [int(match[2]) * (1 if match[1] == "id" else -1) for match in found]


def written(text: str, screen_names: dict[str, int]) -> str:
    """A person's text as it is sent: `@name` of a community known by that name becomes a mention of it."""

    def linked(match: re.Match[str]) -> str:
        group = screen_names.get(match[1].lower())
        return match[0] if group is None else f"[club{group}|{match[0]}]"

    return CALLED.sub(linked, text)
