"""How the bot is brought to make the calls of a start: each with a bot of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

from tests.faults.scenes import Cell
from tests.faults.table import Outcome
from tests.faults.verdict import Verdict, settled, verdict
from tests.world import PATIENCE
from trio_s3_bot.errors import CheckFailed


@dataclass(frozen=True)
class Start:
    """A call in one situation of a start; `scene` starts the bot and says what came of it."""

    call: str
    scene: Callable[[Cell], Awaitable[Verdict]]


async def nothing_left(cell: Cell) -> Verdict:
    """Whether the bot starts when there is nothing that it could have left undone."""
    cell.strike()
    outcome = Outcome.FINE
    try:
        with trio.fail_after(PATIENCE):
            async with cell.ground.bot(f"first-{cell.call}"):
                pass
    except* CheckFailed:
        outcome = Outcome.QUITS
    return Verdict(outcome, () if cell.strikes[0].count == 1 else ("the fault didn't strike",))


async def work_left(cell: Cell) -> Verdict:
    """Whether it starts when a document waits that the last run was given."""
    download = cell.ground.files.hold("file")
    async with cell.ground.bot("again"):
        cell.send()
        await cell.chat.wait_for("[document]")
        await download.reached.wait()
    download.release()
    cell.strike()
    found: list[Verdict] = []
    try:
        with trio.fail_after(PATIENCE):
            async with cell.ground.bot("again"):
                await settled(cell)
                found.append(verdict(cell))
    except* CheckFailed:
        found.append(Verdict(Outcome.QUITS))
    return found[0]
