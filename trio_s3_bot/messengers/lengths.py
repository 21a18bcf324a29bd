"""Lengths as messengers count them: in UTF-16 code units."""

from __future__ import annotations


def units(text: str) -> int:
    """How long a text is."""
    return len(text.encode("utf-16-le", "replace")) // 2


def cut(text: str, limit: int) -> str:
    """The text, shortened with an ellipsis to `limit` units if it is longer; no character is cut in two."""
    encoded = text.encode("utf-16-le", "replace")
    if len(encoded) <= 2 * limit:
        return text
    return encoded[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"
