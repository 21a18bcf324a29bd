"""What came of a cell, by what was said and logged since the fault struck, and whether all promises were kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.ground import SAVED
from tests.faults.kinds import FLOODS, RETRY_AFTER
from tests.faults.scenes import LOSSES, SOMEBODY_ELSES, Cell
from tests.faults.table import Outcome
from tests.world import BUCKET
from trio_s3_bot.sandbox.faults import Record

ANSWER = "[document is required]"
SIGNS = {
    **{event: outcome for outcome, event in LOSSES.items()},
    "VK's history of events has a gap: messages sent meanwhile are lost": Outcome.LOST,
    "VK has lost its history of events: messages sent meanwhile are lost": Outcome.LOST,
    "a document could not be saved": Outcome.GONE,
    "a message can't be edited and stays as it is": Outcome.STAYS,
    "a message can't be edited any more": Outcome.STAYS,
    "a message can't be fetched whole; its chat waits": Outcome.WAITS,
    "an upload failed; trying again": Outcome.AGAIN,
    "a renaming or deletion failed; trying again": Outcome.AGAIN,
    "out of order; documents wait": Outcome.WAITS,
    "polling failed; trying again": Outcome.WAITS,
    "the messenger can't be written to; trying again": Outcome.WAITS,
    "flood limit reached": Outcome.WAITS,
    "out of reach at start; trying again": Outcome.WAITS,
}
"""The lines of the log by which the operator knows."""

WEIGHT = (
    Outcome.TWICE,
    Outcome.LOST,
    Outcome.GONE,
    Outcome.MUTE,
    Outcome.DROPPED,
    Outcome.STAYS,
    Outcome.SPINS,
    Outcome.AGAIN,
    Outcome.WAITS,
)
UNSAVED = (Outcome.LOST, Outcome.GONE)
UNDER_WAY = ("▰", "▱", "being saved", "waiting for its turn")


@dataclass(frozen=True)
class Verdict:
    """What came of a cell, and which promises were broken, in words."""

    outcome: Outcome | None
    broken: tuple[str, ...] = ()


async def settled(cell: Cell) -> None:
    """Wait until the cell is over: all is done, all about it is said, and others are served as ever."""
    await cell.struck()
    if cell.stated in UNSAVED:
        cell.wants(None, f"{cell.name} could not be saved. ")
    else:
        await cell.ended()
    if cell.stated in (*UNSAVED, Outcome.MUTE):
        await cell.ground.log.until(
            lambda entry: SIGNS.get(entry.event) is cell.stated and entry.time >= _struck(cell).time
        )
    if cell.stated is Outcome.LOST:
        # What is said before the bot knows from where to go on is lost, too.
        await cell.ground.side.world.wait(lambda: cell.ground.side.queue.polled)
    # A chat's messages are said in order: after the answer to this, no message about the document is still to come.
    cell.chat.say(cell.person, "and now?")
    await cell.chat.wait_for(ANSWER)
    await cell.ground.side.world.wait(lambda: _is_told(cell) and not _under_way(cell))
    other, elsewhere = cell.ground.side.meet("Other")
    elsewhere.say(other, "is anybody there?")
    await elsewhere.wait_for("[greeting]")


def verdict(cell: Cell) -> Verdict:
    """Look at a cell that is over."""
    return Verdict(_outcome(cell), (*_about_the_object(cell), *_about_the_words(cell), *_about_the_log(cell)))


def never_ended(cell: Cell) -> Verdict:
    """Look at a cell that is not over after a long time."""
    untold = () if _is_told(cell) else (f"nothing begins with any of {cell.told}",)
    return Verdict(None, ("it never ended", *untold, *(entry.text for entry in cell.ground.log.since(cell.begun))))


def _outcome(cell: Cell) -> Outcome:
    """What came of it; the weightiest, if there is more than one thing to say."""
    seen = {SIGNS[entry.event] for entry in cell.ground.log.since(_struck(cell).time) if entry.event in SIGNS}
    if any(press.answer is None for press in cell.presses):
        seen.add(Outcome.SPINS)
    if max(Counter(_texts(cell)).values()) > (2 if cell.went_on else 1):
        seen.add(Outcome.TWICE)
    return next((found for found in WEIGHT if found in seen), Outcome.FINE)


def _about_the_object(cell: Cell) -> Iterator[str]:
    world = cell.ground.world
    found = {key for key in world.objects if key.startswith(cell.stem)}
    found -= {key for key in found if key != cell.key and world.content(key) == SOMEBODY_ELSES}
    if found != ({cell.key} if cell.key else set()):
        yield f"the bucket has {sorted(found)}, and should have {cell.key}"
    elif cell.key and world.content(cell.key) != cell.content.read(0, cell.content.size):
        yield "the bytes are not the document's"
    if uploads := world.s3.uploads(BUCKET):
        yield f"multipart uploads are left: {uploads}"


def _about_the_words(cell: Cell) -> Iterator[str]:
    taken = (f"[document] {cell.name}: got it, saving it.", f"[document] {cell.name}\nsaved")  # if that came first
    saved = (f"{SAVED} ",) if cell.key is not None or cell.end == "deleted" else ()
    true = ("[greeting] ", ANSWER, *taken, *saved, *cell.told, *cell.also_said)
    yield from (f"said: {text}" for text in _texts(cell) if not text.startswith(true))
    yield from (f"called saved when it wasn't: {text}" for text in cell.ground.lies if cell.stem in text)
    if not _kept_still(cell):
        yield f"asked again within {RETRY_AFTER} s"


def _about_the_log(cell: Cell) -> Iterator[str]:
    for entry in cell.ground.log.since(cell.begun):
        if entry.level not in ("info", "warning") and entry.event not in SIGNS:
            yield f"logged: {entry.text}"
        if any(secret in entry.text for secret in cell.ground.secrets()):
            yield f"a secret was logged with: {entry.event}"


def _kept_still(cell: Cell) -> bool:
    """Whether the pause was kept that the messenger asked for."""
    if cell.fault not in FLOODS or cell.call == "file":
        return True
    struck = _struck(cell)
    return not any(0 < record.time - struck.time < RETRY_AFTER for record in _of_call(cell))


def _struck(cell: Cell) -> Record:
    return next(record for record in reversed(_of_call(cell)) if record.fault == cell.fault)


def _of_call(cell: Cell) -> list[Record]:
    return [record for record in cell.proxy.requests if record.call == cell.call]


def _texts(cell: Cell) -> list[str]:
    """What was said in the chat, without edits."""
    return cell.done(cell.ground.side.names.send)


def _is_told(cell: Cell) -> bool:
    """
    Whether a message in the chat says how it ended.

    It can't if that was lost with the struck message, unless the person went on after that; nor of what the bot has
    never heard of.
    """
    if cell.stated is Outcome.LOST or (cell.stated in LOSSES and not cell.went_on):
        return True
    return any(message["text"].startswith(cell.told) for message in cell.chat.bot_messages)


def _under_way(cell: Cell) -> bool:
    """Whether a message still shows progress, unless it can't be edited."""
    shown = any(mark in message["text"] for message in cell.chat.bot_messages for mark in UNDER_WAY)
    return shown and cell.stated is not Outcome.STAYS
