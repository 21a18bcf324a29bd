"""
Everything at once: outages, lost answers, full and broken disks and crashes, in any order and for up to an hour.

Whatever came, when it is over every message has been answered and every document is one object, told as saved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from trio.testing import MockClock

from tests.time.fakes import (
    PART_SIZE,
    Disk,
    Request,
    ScriptedMessenger,
    StoreInMemory,
    TimedTransfer,
    inbox_on,
    open_disk,
)
from tests.time.scenes import DAY, bot, document, person, update
from trio_s3_bot.errors import StateError, StoreRefused, StoreUnavailable, Unavailable
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.model import Chat, UpdateObj

OVER = 3600.0  # seconds after which the last storm has passed
CALM = OVER + 1200
RESTART = 30.0  # seconds until a program that could not start is started again

KINDS = ("store", "keys", "answers", "polls", "words", "resolving", "full disk", "broken disk")


@dataclass(frozen=True)
class Storm:
    """From `start` to `end` something fails: `kind` says what."""

    kind: str
    start: float
    end: float


@dataclass(frozen=True)
class Sent:
    """What a person sends, and when: a text, or a document of `size` bytes."""

    at: float
    chat: Chat
    size: int | None


storms = st.builds(
    lambda kind, start, length: Storm(kind, start, min(OVER, start + length)),
    st.sampled_from(KINDS),
    st.floats(0, OVER),
    st.floats(0, OVER) | st.floats(0, 10),
)
sent = st.builds(
    Sent,
    st.floats(0, OVER) | st.floats(0, 10),
    st.integers(1, 3).map(person),
    st.none() | st.sampled_from([0, 1000, 3 * PART_SIZE]),
)


class World:
    """The bot's surroundings with their weather."""

    def __init__(self, disk: Disk, weather: list[Storm]) -> None:
        self._weather = weather
        self.disk = disk
        self.messenger = ScriptedMessenger()
        self.store = StoreInMemory()
        self.transfer = TimedTransfer(self.store, seconds=20)
        down = Unavailable("502 Bad Gateway")
        self.messenger.polling = lambda: down if self.is_bad("polls") else None
        self.messenger.fault = lambda _: down if self.is_bad("words") else None
        self.messenger.resolving = lambda _: down if self.is_bad("resolving") else None
        self.store.lost = lambda: StoreUnavailable("no answer") if self.is_bad("answers") else None
        self.store.fault = self._store_fault

    def is_bad(self, kind: str) -> bool:
        now = trio.current_time()
        return any(storm.kind == kind and storm.start <= now < storm.end for storm in self._weather)

    async def trouble_the_disk(self) -> None:
        turns = {at for storm in self._weather if "disk" in storm.kind for at in (storm.start, storm.end)}
        for at in sorted(turns):
            await trio.sleep_until(at)
            self.disk.full, self.disk.broken = self.is_bad("full disk"), self.is_bad("broken disk")

    async def deliver(self, updates: list[tuple[float, UpdateObj]]) -> None:
        for at, message in updates:
            await trio.sleep_until(at)
            self.messenger.deliver([message])

    async def live(self, crashes: list[float]) -> None:
        """Run the bot; it dies and starts again at each of `crashes`, as soon as its state can be read."""
        for end in [*sorted(crashes), CALM]:
            with trio.move_on_at(end):
                async with bot(await self._start(), self.messenger, self.store, self.transfer):
                    await trio.sleep_forever()

    async def _start(self) -> Inbox:
        while True:
            try:
                return await inbox_on(self.disk)
            except StateError:
                await trio.sleep(RESTART)

    def _store_fault(self) -> Exception | None:
        if self.is_bad("store"):
            return StoreUnavailable("503 SlowDown")
        return StoreRefused("403 AccessDenied") if self.is_bad("keys") else None


def updates_of(messages: list[Sent]) -> list[tuple[float, UpdateObj]]:
    found = []
    for number, message in enumerate(sorted(messages, key=lambda message: message.at), start=1):
        came = update(message.chat, update_id=number)
        if message.size is not None:
            came = replace(came, text=None, documents=(document(f"{number}.bin", message.size),))
        found.append((message.at, came))
    return found


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    weather=st.lists(storms, max_size=6),
    messages=st.lists(sent, min_size=1, max_size=12),
    crashes=st.lists(st.floats(1, OVER), max_size=4),
)
def test_after_any_storm_all_is_answered_and_every_document_saved_exactly_once(
    weather: list[Storm], messages: list[Sent], crashes: list[float]
) -> None:
    updates = updates_of(messages)

    async def run() -> None:
        async with open_disk() as disk:
            world = World(disk, weather)
            with trio.fail_after(DAY), capture_logs():
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(world.trouble_the_disk)
                    nursery.start_soon(world.deliver, updates)
                    await world.live(crashes)
            check(world, [message for _, message in updates])

    trio.run(run, clock=MockClock(autojump_threshold=0))


def check(world: World, came: list[UpdateObj]) -> None:
    assert world.messenger.unacknowledged == []
    assert world.store.open_uploads == {}
    sizes = {each.documents[0].file_name: each.documents[0].size for each in came if each.documents}
    assert {key: found.size for key, found in world.store.objects.items()} == sizes
    for chat in {each.chat for each in came}:
        said = [request for request in world.messenger.said if request.chat == chat]
        check_chat(said, [each for each in came if each.chat == chat])


def check_chat(said: list[Request], came: list[UpdateObj]) -> None:
    """What a chat has heard: a greeting first, an answer to each text in order, the end of each document."""
    texts = [request.text for request in said if request.kind == "send"]
    assert texts[0].startswith("[greeting]")
    answers = [request.message.reply_to for request in said if request.text.startswith("[document is required]")]
    assert answers == [each.message_id for each in came[1:] if not each.documents]
    saved = "\n".join(text for text in texts if text.startswith("[document has been saved]"))
    for each in came:
        assert all(f"{file.file_name}, " in saved for file in each.documents)
    shown_at_last = {request.message_id: request.text for request in said}
    assert not any("%" in text for text in shown_at_last.values())
