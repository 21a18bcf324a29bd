"""What the shapes of both messengers' APIs have in common."""

from __future__ import annotations

import msgspec


class Discreet(msgspec.Struct):
    """A shape that may hold a token, a key or a signed link: none of its values is printed."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"
