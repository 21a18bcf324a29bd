"""A stop may come at any instant: whatever the bot is just about to do, the next start goes on with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import trio
from trio.testing import MockClock

from tests.time.fakes import PART_SIZE, Disk, ScriptedMessenger, StoreInMemory, TimedTransfer, inbox_on, open_disk
from tests.time.scenes import GRACE, bot, document, person, update
from trio_s3_bot.model import Sender, UpdateObj

ALICE = person(1)
ANNOUNCED = ("is called x.bin now", "c.bin is deleted", "d.bin is cancelled", "[document is required]")


def sent(number: int, name: str, size: int) -> UpdateObj:
    return replace(said(number, ""), text=None, documents=(document(name, size),))


def said(number: int, text: str) -> UpdateObj:
    return replace(update(ALICE, text, update_id=number), sender=Sender(1))


DIALOGUE = (
    (0, sent(1, "a.bin", 1000)),
    (0, sent(2, "b.bin", 2 * PART_SIZE)),
    (0, sent(3, "c.bin", 1000)),
    (1, said(4, "hello")),
    (100, said(5, "/rename a.bin")),
    (110, said(6, "x.bin")),
    (200, said(7, "/delete c.bin")),
    (210, said(8, "yes")),
    (300, sent(9, "d.bin", 2 * PART_SIZE)),
    (302, said(10, "/cancel")),
)
"""When Alice says what, in seconds."""
OVER = 600.0


class Steps:
    """All that is committed, said, and asked of the store; at the step `at` the bot is told to stop."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.count = 0
        self.stop: Callable[[], None] = lambda: None

    def __call__(self, *_: object) -> None:
        self.count += 1
        if self.count == self._at:
            self.stop()


class WatchedDisk(Disk):
    """A disk of which each commit is a step."""

    def __init__(self, disk: Disk, step: Steps) -> None:
        super().__init__(disk.connection)
        self._step = step

    def execute(self, statement: str, *parameters: object) -> object:  # type: ignore[override]
        if statement == "COMMIT":
            self._step()
        return super().execute(statement, *parameters)  # type: ignore[arg-type]


async def deliver(messenger: ScriptedMessenger) -> None:
    for at, message in DIALOGUE:
        await trio.sleep_until(at)
        messenger.deliver([message])


async def lived_through(at: int) -> int:
    """The whole dialogue, with a stop and a start at a step of it; returns how many steps it has."""
    step, messenger, store = Steps(at), ScriptedMessenger(), StoreInMemory()
    store.fault = messenger.fault = step
    transfer = TimedTransfer(store, seconds=2 * GRACE, steps=1)
    async with open_disk() as empty, trio.open_nursery() as nursery:
        disk = WatchedDisk(empty, step)
        nursery.start_soon(deliver, messenger)
        with trio.move_on_at(OVER):
            async with bot(await inbox_on(disk), messenger, store, transfer) as running:
                step.stop = running.stop
                await running.ended.wait()
            assert await running.stopped() <= GRACE
            async with bot(await inbox_on(disk), messenger, store, transfer):
                await trio.sleep_forever()
        assert not await (await inbox_on(disk)).has_unfinished_work()
    assert set(store.objects) == {"x.bin", "b.bin"}
    assert store.open_uploads == {}
    assert messenger.unacknowledged == []
    assert [words for words in ANNOUNCED if words not in str(messenger.texts(ALICE))] == []
    return step.count


def test_a_stop_at_any_step_of_a_dialogue_takes_nothing_away_and_leaves_nothing_behind() -> None:
    steps = trio.run(lived_through, 0, clock=MockClock(autojump_threshold=0))
    assert steps > 100
    for at in range(1, steps + 1):
        trio.run(lived_through, at, clock=MockClock(autojump_threshold=0))
