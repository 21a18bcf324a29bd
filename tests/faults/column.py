"""One column of the matrix: all calls, struck by one fault before or after the work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import trio

from tests.faults.ground import IMPATIENT, Ground, open_ground
from tests.faults.kinds import fault_of
from tests.faults.scenes import ROWS, SMALL, Cell
from tests.faults.table import STATED, Outcome, Place
from tests.faults.verdict import Verdict, settled, verdict
from trio_s3_bot.errors import CheckFailed
from trio_s3_bot.patience import SHIPPED
from trio_s3_bot.sandbox.faults import When
from trio_s3_bot.sandbox.telegram import Content

WORLDS = {"timeout": 3, "429": 2}
"""Among how many worlds the calls of a column are divided, if not one: these faults take their time."""

PATIENCE = 30
"""Seconds after which a cell is hopeless."""

POSSIBLE = {place: stated for place, stated in STATED.items() if isinstance(stated, Outcome)}


async def run_column(fault: str, when: When, folder: Path, verdicts: dict[Place, Verdict]) -> None:
    """Fill in the verdicts of a column."""
    places = [place for place in POSSIBLE if (place.fault, place.when) == (fault, when)]
    async with trio.open_nursery() as nursery:
        worlds = min(WORLDS.get(fault, 1), len(places))
        for number in range(worlds):
            own = folder / f"{when.value}-{number}"
            own.mkdir()
            nursery.start_soon(_run_in_one_world, places[number::worlds], own, verdicts)


async def _run_in_one_world(places: Sequence[Place], folder: Path, verdicts: dict[Place, Verdict]) -> None:
    """One cell after the other. Starts come first, each with a bot of its own; the others share one."""
    async with open_ground(folder, IMPATIENT if places[0].fault == "timeout" else SHIPPED.timeouts) as ground:
        for place in places:
            if place.row in STARTS:
                verdicts[place] = await STARTS[place.row](ground, place)
        async with ground.bot():
            await _save_one(ground)
            for place in places:
                if place.row in ROWS:
                    verdicts[place] = await _run_cell(ground, place)
        assert ground.called() <= CALLS, "a call is made that isn't in the table"


async def _save_one(ground: Ground) -> None:
    """From here on, the store has just saved something."""
    person, chat = ground.meet("First")
    chat.send_document(person, "first.bin", b"content")
    await ground.log.until(lambda entry: entry.event == "saved" and "first.bin" in entry.text)


async def _run_cell(ground: Ground, place: Place) -> Verdict:
    row = ROWS[place.row]
    cell = _cell(ground, place, row.call, row.size)
    try:
        with trio.fail_after(PATIENCE):
            await row.scene(cell)
            await settled(cell, POSSIBLE[place])
    except trio.TooSlowError:
        for strike in cell.strikes:
            strike.disarm()
        return Verdict(None, ("it never ended", *(entry.text for entry in ground.log.since(cell.begun))))
    return verdict(cell)


async def _first_start(ground: Ground, place: Place) -> Verdict:
    """Whether the bot starts when there is nothing that it could have left undone; the row is the call."""
    strike = ground.telegram.add(fault_of(place.fault, place.row, place.when), when=place.when, match=place.row)
    outcome = Outcome.FINE
    try:
        with trio.fail_after(PATIENCE):
            async with ground.bot(f"first-{place.row}"):
                pass
    except* CheckFailed:
        outcome = Outcome.QUITS
    return Verdict(outcome, () if strike.count == 1 else ("the fault didn't strike",))


async def _start_with_work(ground: Ground, place: Place) -> Verdict:
    """Whether it starts when a document waits that the last run was given."""
    cell = _cell(ground, place, "getMe", SMALL)
    download = ground.telegram.hold("getFile")
    async with ground.bot("again"):
        cell.send()
        await cell.chat.wait_for("[document]")
        await download.reached.wait()
    download.release()
    cell.strike()
    found: list[Verdict] = []
    try:
        with trio.fail_after(PATIENCE):
            async with ground.bot("again"):
                await settled(cell, POSSIBLE[place])
                found.append(verdict(cell))
    except* CheckFailed:
        found.append(Verdict(Outcome.QUITS))
    return found[0]


def _cell(ground: Ground, place: Place, call: str, size: int) -> Cell:
    stem = f"{list(STATED).index(place)}-{call}"
    fault = fault_of(place.fault, call, place.when)
    return Cell(ground, call, fault, place.when, stem, Content.generated(size, stem), *ground.meet("Alice"))


STARTS = {
    "getMe": _first_start,
    "getWebhookInfo": _first_start,
    "setMyCommands": _first_start,
    "getMe with work left": _start_with_work,
}
"""The calls that are made at a start only."""

CALLS = {row.call for row in ROWS.values()} | STARTS.keys()
"""All calls of the table."""
