"""How the bot is brought to make each call: a person does something, and the fault lies in wait for what follows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import trio

from tests.faults.ground import PART, SAVED, Ground
from tests.faults.table import Outcome
from tests.world import BUCKET
from trio_s3_bot.sandbox.faults import Fault, FaultProxy, Refused, Strike, When
from trio_s3_bot.sandbox.world import Content

SMALL, LARGE = 2_000, PART + 50_000
"""Bytes: a document for one PutObject, and one for two parts."""

SOMEBODY_ELSES = b"somebody else's"

LOSSES = {
    Outcome.MUTE: "a chat can't be written to any more",
    Outcome.DROPPED: "a message was refused and is dropped",
}
"""What comes of a message that is not said again, with the line of the log that tells of it."""


@dataclass
class Cell:
    """
    One call, one fault, one moment; a person of its own with a document of its own.

    `stated` is what the table says of it. `end` is the line of the log that says that all is done, if there is one,
    `key` the name of the object that is there then (`None`: none is), `told` how a message may begin that tells of it,
    `also_said` how the bot's other messages may begin besides those about saving a document. `went_on`: the bot was
    spoken to after a message of its own was lost for good. `begun`, and `armed` of its last strike, are on trio's
    clock. People, chats and presses are either messenger's.
    """

    ground: Ground
    call: str
    fault: Fault
    when: When
    stated: Outcome
    stem: str
    content: Content
    person: Any
    chat: Any
    key: str | None = ""
    end: str | None = "saved"
    told: tuple[str, ...] = ()
    also_said: tuple[str, ...] = ()
    went_on: bool = False
    presses: list[Any] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)
    begun: float = field(default_factory=trio.current_time)
    armed: float = 0.0

    def __post_init__(self) -> None:
        self.wants(self.name, f"{SAVED} {self.name}")

    @property
    def name(self) -> str:
        """What the document is called when it is sent."""
        return f"{self.stem}.bin"

    @property
    def proxy(self) -> FaultProxy:
        """The one that the call goes through."""
        return self.ground.proxy_of(self.call)

    def strike(self, *, skip: int = 0) -> None:
        """Arm the fault for the next call, or the one after `skip` others."""
        self.armed = trio.current_time()
        self.strikes.append(self.proxy.add(self.fault, when=self.when, match=self.call, skip=skip))

    async def struck(self) -> None:
        for strike in self.strikes:
            await strike.struck()

    def done(self, method: str) -> list[str]:
        """The texts that the bot has said in the chat, or put in place of others, by that method."""
        return [deed.text or "" for deed in self.chat.history if deed.method == method]

    async def edited(self) -> None:
        """Wait until a message in the chat has been edited."""
        world, names = self.ground.side.world, self.ground.side.names
        await world.wait(lambda: self.done(names.edit))

    def send(self) -> Any:
        """The person sends the document; returns the message that carries it."""
        return self.chat.send_document(self.person, self.name, self.content)

    def wants(self, key: str | None, *told: str, end: str | None = "saved") -> None:
        """What is to come of it all."""
        self.key, self.told, self.end = key, told, end

    async def heard(self, what: str | Callable[[Any], bool]) -> bool:
        """Wait for something that the bot says and that is struck; false once it is lost for good."""
        if self.stated in LOSSES:
            await self.logged(LOSSES[self.stated], since=self.armed)
            self.went_on = True
            return False
        await self.chat.wait_for(what)
        return True

    async def ended(self) -> None:
        """Wait until what was asked for is done, and that is on record."""
        if self.end is None:
            return
        mine = (self.stem, f"{self.ground.side.name}:{self.chat.id}")
        await self.ground.log.until(lambda entry: entry.event == self.end and any(text in entry.text for text in mine))

    async def logged(self, event: str, since: float | None = None) -> None:
        """Wait for a line of the log that has come since then, or since the cell began."""
        start = self.begun if since is None else since
        await self.ground.log.until(lambda entry: entry.event == event and entry.time >= start)

    async def saved(self) -> Any:
        """Send the document and wait until it is called saved; returns the message that says so."""
        self.send()
        return await self.chat.wait_for(SAVED)


Scene = Callable[[Cell], Awaitable[None]]
"""Arms the fault and does what leads to the call."""


@dataclass(frozen=True)
class Row:
    """A call in one situation; `size` is the document's, in bytes. `asking`: the bot asks before it saves."""

    call: str
    scene: Scene
    size: int = SMALL
    asking: bool = False


def on_its_way(skip: int = 0) -> Scene:
    """The document is sent, and the call is made on its way, after `skip` others of the kind."""

    async def scene(cell: Cell) -> None:
        cell.strike(skip=skip)
        cell.send()

    return scene


async def save_another(cell: Cell) -> None:
    """Let the call be answered for another document just before: so it is not all of the messenger that fails."""
    person, chat = cell.ground.side.meet("Earlier")
    name = f"{hash(cell.stem)}.bin"
    chat.send_document(person, name, Content.generated(SMALL, name))
    await cell.ground.log.until(lambda entry: entry.event == "saved" and name in entry.text)


async def beside_others(cell: Cell) -> None:
    """The document is sent, and the call is made on its way."""
    await save_another(cell)
    await on_its_way()(cell)


async def brought_by_a_poll(cell: Cell) -> None:
    """Struck is the poll that brings the update, not the one that waits already."""
    cell.strike()
    person, chat = cell.ground.side.meet("Caller")
    chat.say(person, "hello")
    await chat.wait_for("[greeting]")
    cell.send()


async def shown_as_progress(cell: Cell) -> None:
    """The upload takes long enough for an edit."""
    cell.strike()
    upload = cell.ground.store.hold("PutObject")
    cell.send()
    await cell.struck()
    upload.release()


async def put_to_rest(cell: Cell) -> None:
    """The upload ends while an edit is under way, so the next edit is the last."""
    upload, edit = cell.ground.store.hold("PutObject"), cell.proxy.hold(cell.call)
    cell.send()
    await edit.reached.wait()
    upload.release()
    await cell.ended()
    cell.strike()
    edit.release()


async def pressed(cell: Cell) -> None:
    """A button is pressed that is long gone; then the document is sent."""
    message = cell.chat.say(cell.person, "hello")
    await cell.chat.wait_for("[greeting]")
    cell.strike()
    cell.presses.append(cell.chat.press(cell.person, message["message_id"], "gone", forged=True))
    await cell.struck()
    cell.send()


async def resumed(cell: Cell) -> None:
    """The answer to a part is lost, so the next attempt asks which parts there are."""
    cell.ground.store.add(Refused(), when=When.AFTER, match="UploadPart")
    cell.strike()
    cell.send()


async def overtaken(cell: Cell) -> None:
    """Somebody else takes the name while the parts go up, so the upload to it has to be aborted."""
    completion = cell.ground.store.hold("CompleteMultipartUpload")
    cell.strike()
    cell.send()
    await completion.reached.wait()
    take_name(cell)
    completion.release()


async def beside_another(cell: Cell) -> None:
    """An object of that name is there already, so the names are listed."""
    take_name(cell)
    cell.strike()
    cell.send()


def take_name(cell: Cell) -> None:
    """Somebody else has an object of the document's name, so the document gets a number."""
    cell.ground.world.s3.put(BUCKET, cell.name, SOMEBODY_ELSES)
    beside = f"{cell.stem} (1).bin"
    cell.wants(beside, f"{SAVED} {beside}")
