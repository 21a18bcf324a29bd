"""The whole bot on a clock of its own, and people who do to it what the steps say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import trio

from tests.dialogue.history import Answered, Befell, Changed, Event, Sent
from tests.dialogue.steps import Crash, Press, Scene, Send, Step, Storm, Type
from tests.time.fakes import PART_SIZE, Disk, Request, ScriptedMessenger, StoreInMemory, TimedTransfer, inbox_on
from tests.time.scenes import bot, group, person
from trio_s3_bot import model
from trio_s3_bot.errors import StoreUnavailable
from trio_s3_bot.model import Chat, Document, Secret, Sender, StoredObject, UpdateObj

HOUR = 3600.0  # seconds in which everything comes to rest
LOOK = 30.0  # seconds between two looks whether it has
REACTION = 0.5  # seconds until the bot is started again


class RecordingMessenger(ScriptedMessenger):
    """Writes down what is said."""

    def __init__(self, history: list[Event]) -> None:
        super().__init__()
        self._history = history

    async def answer(self, chat: Chat, press: model.Press, text: str = "") -> None:
        await super().answer(chat, press, text)
        self._history.append(Answered(trio.current_time(), press, text))

    async def _show(self, request: Request) -> None:
        await super()._show(request)
        self._history.append(request)


class RecordingStore(StoreInMemory):
    """Writes down what changes."""

    def __init__(self, history: list[Event]) -> None:
        super().__init__()
        self._history = history

    async def presign(
        self,
        key: str,
        *,
        lifetime: int,  # noqa: ARG002 - the contract's
        file_name: str | None = None,  # noqa: ARG002
    ) -> Secret:
        await trio.lowlevel.checkpoint()
        return Secret(f"https://s3.example/{key}")

    def _put(self, key: str, found: StoredObject | None) -> None:
        self._history.append(Changed(trio.current_time(), key, self.objects.get(key), found))
        super()._put(key, found)


class Stage:
    """The bot with what surrounds it, and what has happened there: `history`."""

    def __init__(self, disk: Disk, scene: Scene) -> None:
        self.history: list[Event] = []
        self.messenger = RecordingMessenger(self.history)
        self.store = RecordingStore(self.history)
        self.store.latency = scene.store_seconds
        self.transfer = TimedTransfer(self.store, seconds=scene.transfer_seconds)
        self._disk = disk
        self._scene = scene
        self._people = [Sender(number, language="en") for number in range(1, scene.people + 1)]
        self._numbers = count(1)
        self._life = trio.CancelScope()

    async def play(self, steps: Sequence[Step]) -> None:
        """Do all the steps, and wait until all has come to rest."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._live)
            for step in steps:
                self._do(step)
                await trio.sleep(step.pause)
            with trio.fail_after(HOUR):
                await self._rest()
            nursery.cancel_scope.cancel()

    async def _rest(self) -> None:
        """Wait until there is nothing to do and nothing to say."""
        busy = True
        while busy:
            await trio.sleep(LOOK)
            inbox = await inbox_on(self._disk)
            busy = await inbox.has_unfinished_work() or bool(await inbox.messages.chats_to_serve("telegram"))

    async def _live(self) -> None:
        """Run the bot, again and again."""
        names = {"rename": self._scene.rename, "on_conflict": self._scene.on_conflict, "key": self._scene.key}
        settings = {("names", name): value for name, value in names.items()}
        settings["uploads", "progress_interval"] = "20 s"  # not what this is about
        while True:
            with trio.CancelScope() as self._life:
                async with bot(await inbox_on(self._disk), self.messenger, self.store, self.transfer, settings):
                    await trio.sleep_forever()
            await trio.sleep(REACTION)

    def _do(self, step: Step) -> None:
        sender = self._people[step.who % len(self._people)]
        chat = group(9) if self._scene.group else person(sender.id)
        match step.deed:
            case Send() as send:
                self._send(chat, sender, send)
            case Press(verb=verb, back=back):
                self._press(chat, sender, verb, back)
            case Type(text=text, to=to):
                self._type(chat, sender, text, to)
            case Storm() as storm:
                self._storm(storm)
            case Crash():
                self.history.append(Befell(trio.current_time(), "the bot dies"))
                self._life.cancel()

    def _send(self, chat: Chat, sender: Sender, send: Send) -> None:
        namesakes = (document for document in self._documents(sender) if document.file_name == send.name)
        last = next(namesakes, None) if send.again else None
        number = next(self._numbers)
        new = Document(f"file {number}", f"bytes {number}", send.name, size=2 * PART_SIZE if send.large else 1000)
        album = f"album of {sender.id}" if send.album else None
        self._deliver(number, chat, sender, documents=(last or new,), caption=send.caption, album=album)

    def _documents(self, sender: Sender) -> Iterator[Document]:
        """What a person has sent, the last first."""
        for event in reversed(self.history):
            if isinstance(event, Sent) and event.update.sender == sender:
                yield from event.update.documents

    def _press(self, chat: Chat, sender: Sender, verb: str | None, back: int) -> None:
        shown = [(request, data) for request, data in self._buttons(chat) if verb in (None, data.partition(":")[0])]
        if len(shown) <= back:
            return
        request, data = shown[back]
        number = next(self._numbers)
        press = model.Press(str(number), data, request.message_id)
        self._deliver(number, chat, sender, press=press, saw=request.text)

    def _buttons(self, chat: Chat) -> Iterator[tuple[Request, str]]:
        """All buttons that were ever shown in a chat, each once, the newest first."""
        known = set()
        said = [event for event in self.history if isinstance(event, Request) and event.chat == chat]
        for request in reversed(said):
            for button in (button for row in request.message.keyboard for button in row):
                if (request.message_id, button.data) not in known:
                    known.add((request.message_id, button.data))
                    yield request, button.data

    def _type(self, chat: Chat, sender: Sender, text: str, to: int | None) -> None:
        messages = list(self._messages(chat)) if to is not None else []
        replied, own = messages[to] if to is not None and to < len(messages) else (None, False)
        addressed = not chat.group or text.startswith("/") or (replied is not None and not own)
        self._deliver(next(self._numbers), chat, sender, text=text, reply_to=replied, addressed=addressed)

    def _messages(self, chat: Chat) -> Iterator[tuple[int, bool]]:
        """The messages that can be replied to, the newest first, and whether they are people's own."""
        for event in reversed(self.history):
            if isinstance(event, Sent) and event.update.chat == chat and event.update.message_id is not None:
                yield event.update.message_id, True
            elif isinstance(event, Request) and event.chat == chat and event.kind == "send":
                yield event.message_id, False

    def _deliver(
        self,
        number: int,
        chat: Chat,
        sender: Sender,
        *,
        press: model.Press | None = None,
        saw: str = "",
        addressed: bool = True,
        **fields: Any,
    ) -> None:
        message_id = None if press else 10_000 + number
        update = UpdateObj(
            "telegram", str(number), chat, sender, message_id, press=press, addressed=addressed, **fields
        )
        self.history.append(Sent(trio.current_time(), update, saw))
        self.messenger.deliver([update])

    def _storm(self, storm: Storm) -> None:
        end = trio.current_time() + storm.seconds

        def fault() -> Exception | None:
            return StoreUnavailable("503 SlowDown") if trio.current_time() < end else None

        if storm.answers:
            self.store.lost = fault
        else:
            self.store.fault = fault
        what = "the store's answers are lost" if storm.answers else "the store is down"
        self.history.append(Befell(trio.current_time(), f"{what} for {storm.seconds} s"))
