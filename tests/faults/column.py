"""One column of a table: all calls, struck by one fault before or after the work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from tests.faults.ground import ASKING, IMPATIENT, SAVED, Ground, open_ground
from tests.faults.kinds import fault_of
from tests.faults.matrix import Matrix
from tests.faults.scenes import SMALL, Cell, Scene
from tests.faults.table import Outcome, Place
from tests.faults.telegram import TELEGRAM
from tests.faults.verdict import ANSWER, Verdict, never_ended, settled, verdict
from tests.faults.vk import VK, VK_LONG_POLL
from tests.world import PATIENCE
from trio_s3_bot.patience import SHIPPED
from trio_s3_bot.sandbox.faults import When
from trio_s3_bot.sandbox.world import Content

MATRICES = (TELEGRAM, VK, VK_LONG_POLL)

CALLS = set[str]().union(*(matrix.calls for matrix in MATRICES))
"""All calls of the tables."""

WORLDS = {"timeout": 3, "429": 2}
"""
Among how many worlds the calls of a column are divided, if not one: these faults take their time. More at once would
only be in each other's way on a busy machine, and what is late there is taken for a timeout.
"""


async def run_column(matrix: Matrix, fault: str, when: When, folder: Path, verdicts: dict[Place, Verdict]) -> None:
    """Fill in the verdicts of a column. The starts have a world of their own; the others begin one after the other."""
    cells = {place: stated for place, stated in matrix.possible(fault).items() if place.when is when}
    starts = {place: stated for place, stated in cells.items() if place.row in matrix.starts}
    rows = [(place, stated) for place, stated in cells.items() if place.row in matrix.rows]
    worlds = min(WORLDS.get(fault, 1), len(rows))
    async with trio.open_nursery() as nursery:
        if starts:
            nursery.start_soon(_run_starts, matrix, starts, folder / f"{when.value}-starts", verdicts)
        for number in range(worlds):
            own = folder / f"{when.value}-{number}"
            await nursery.start(_run_rows, matrix, dict(rows[number::worlds]), own, verdicts)


async def _run_starts(
    matrix: Matrix, cells: Mapping[Place, Outcome], folder: Path, verdicts: dict[Place, Verdict]
) -> None:
    """One cell after the other, each with a bot of its own."""
    async with _open_world(matrix, cells, folder) as ground:
        for place, stated in cells.items():
            start = matrix.starts[place.row]
            verdicts[place] = await start.scene(_cell(ground, place, stated, start.call, SMALL))


async def _run_rows(
    matrix: Matrix,
    cells: Mapping[Place, Outcome],
    folder: Path,
    verdicts: dict[Place, Verdict],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """One cell after the other, with one or two bots; `task_status` is told when the first one has begun to work."""
    bots = sorted({matrix.rows[place.row].asking for place in cells})
    async with _open_world(matrix, cells, folder) as ground:
        for asking in bots:
            async with ground.bot(*(("asking", ASKING) if asking else ())):
                await _save_one(ground, asking=asking)
                if asking is bots[0]:
                    task_status.started()
                for place, stated in cells.items():
                    row = matrix.rows[place.row]
                    if row.asking is asking:
                        verdicts[place] = await _run_cell(_cell(ground, place, stated, row.call, row.size), row.scene)


@asynccontextmanager
async def _open_world(matrix: Matrix, cells: Mapping[Place, Outcome], folder: Path) -> AsyncIterator[Ground]:
    await trio.Path(folder).mkdir()
    patient = all(place.fault != "timeout" for place in cells)
    async with open_ground(matrix.messenger, folder, SHIPPED.timeouts if patient else IMPATIENT) as ground:
        yield ground
        assert ground.called() <= CALLS, "a call is made that isn't in the tables"


async def _save_one(ground: Ground, *, asking: bool) -> None:
    """From here on, the store has just saved something, and nothing is left to be said."""
    person, chat = ground.side.meet("First")
    sent = chat.send_document(person, "asked about.bin" if asking else "first.bin", b"content")
    if asking:
        chat.say(person, "keep", reply_to=sent["message_id"])
    await chat.wait_for(SAVED)
    chat.say(person, "and now?")
    await chat.wait_for(ANSWER)


async def _run_cell(cell: Cell, scene: Scene) -> Verdict:
    try:
        with trio.fail_after(PATIENCE):
            await scene(cell)
            await settled(cell)
    except trio.TooSlowError:
        for strike in cell.strikes:
            strike.disarm()
        return never_ended(cell)
    return verdict(cell)


def _cell(ground: Ground, place: Place, stated: Outcome, call: str, size: int) -> Cell:
    stem = f"{place.row} {place.fault} {place.when.value}"
    fault = fault_of(ground.side.name, place.fault, call, place.when)
    content = Content.generated(size, stem)
    return Cell(ground, call, fault, place.when, stated, stem, content, *ground.side.meet("Alice"))
