"""Wake those who wait for something new, without losing a ring between looking and waiting."""

from __future__ import annotations

from trio_util import AsyncValue


class Bell:
    """
    A counter that can be waited on.

    Remember `rings`, look, and if there was nothing `await after(rings)`: a ring in between is not missed.
    """

    def __init__(self) -> None:
        self._rings: AsyncValue[int] = AsyncValue(0)

    @property
    def rings(self) -> int:
        return int(self._rings.value)

    def ring(self) -> None:
        self._rings.value += 1

    async def after(self, rings: int) -> None:
        """Return once the bell has rung since it had rung `rings` times."""
        await self._rings.wait_value(lambda value: value != rings)
