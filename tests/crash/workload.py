"""What a seed stands for: who writes what, and when the program is killed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random

import trio
from trio_util import wait_any

from trio_s3_bot.sandbox.faults import When
from trio_s3_bot.sandbox.telegram import FILE_ROUTE, Chat, Content, SlowBody, User

from . import holds
from .ground import Ground
from .program import Instant

NAMES = (
    "report.pdf",
    "report (1).pdf",
    "Отчёт за май.docx",
    "no extension",
    ".env",
    "a b+c&d=e?f#g%20.txt",
    "👩‍👩‍👧.png",
    "שלום.txt",
    "Ein langer Name, der trotzdem ganz zu lesen ist.tar.gz",
)
"""All of them can be keys, and are shown to people, as they are."""

SMALL = 200_000
LARGE = (11 * 2**20, 25 * 2**20)
LARGE_IN_ALL = 36 * 2**20
SLOWLY = 8 * 2**20
"""Bytes a second: a large document then takes long enough to show its progress."""


CALLS = (
    "getUpdates",
    "getFile",
    FILE_ROUTE,
    "sendMessage",
    "editMessageText",
    "HeadObject",
    "PutObject",
    "ListMultipartUploads",
    "CreateMultipartUpload",
    "UploadPart",
    "ListParts",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
)


class Workload:
    """The deeds of some people, drawn from `random` beforehand; each is done once, before or while the program runs."""

    def __init__(self, ground: Ground, random: Random) -> None:
        self._ground = ground
        self._random = random
        self._places = self._people()
        self._large_left = LARGE_IN_ALL
        if random.random() < 0.2:
            ground.telegram.faults.add(method=FILE_ROUTE, times=None, answer=SlowBody(SLOWLY))
        self._deeds = deque(self._deed(number) for number in range(random.randint(6, 16)))

    def begin(self) -> None:
        """Some of it happens before the program has ever run."""
        for _ in range(self._random.randint(1, len(self._deeds))):
            self._next()

    async def go_on(self) -> None:
        """The rest happens little by little; cancelled, it can be gone on with."""
        while self._deeds:
            await trio.sleep(self._random.uniform(0, 0.4))
            self._next()

    def end(self) -> None:
        """All that is left happens now."""
        while self._deeds:
            self._next()

    def _next(self) -> None:
        self._deeds.popleft()()

    def _people(self) -> list[tuple[Chat, User]]:
        """Where somebody may write: each person to the bot, some in a group, too."""
        telegram, random = self._ground.telegram, self._random
        people = [telegram.user(f"Person {number}", language="en") for number in range(random.randint(1, 4))]
        groups = [
            telegram.group(f"Group {number}", people, supergroup=random.random() < 0.5)
            for number in range(random.randint(0, 2))
        ]
        places = [(telegram.private_chat(person), person) for person in people]
        return places + [(group, random.choice(people)) for group in groups]

    def _deed(self, number: int) -> Callable[[], None]:
        (chat, user), ledger = self._random.choice(self._places), self._ground.ledger
        if self._random.random() < 0.4:
            return partial(self._say, chat, user, f"text {number}")
        return partial(ledger.document, chat, user, self._random.choice(NAMES), self._content(number))

    def _say(self, chat: Chat, user: User, text: str) -> None:
        """In a group only what is addressed to the bot is answered."""
        if chat.kind == "private":
            self._ground.ledger.text(chat, user, text)
        else:
            self._ground.ledger.aside(chat, user, text)
            self._ground.ledger.text(chat, user, f"/hello@{self._ground.telegram.bot.username} {text}")

    def _content(self, number: int) -> Content:
        """Bytes that no other document has; some are large."""
        large = self._random.randint(*LARGE)
        if self._random.random() < 0.35 and large <= self._large_left:
            self._large_left -= large
            return Content.generated(large, str(number))
        return Content.generated(self._random.randint(number and 1, SMALL), str(number))


@contextmanager
def some_time(ground: Ground, random: Random) -> Iterator[Instant]:
    """After some seconds, while it starts, or later."""
    delay = random.uniform(0, 2.5)
    ground.program.note(f"to be killed after {delay:.2f} s")
    yield partial(trio.sleep, delay)


@contextmanager
def some_request(ground: Ground, random: Random) -> Iterator[Instant]:
    """At a request of any kind."""
    side, when, skip = random.choice((holds.telegram, holds.store)), random.choice(list(When)), random.randrange(30)
    ground.program.note(f"to be killed {when.value} request {skip} to the {side.__name__}")
    with side(None, when, skip=skip)(ground) as held:
        yield held.reached.wait


@contextmanager
def some_call(ground: Ground, random: Random) -> Iterator[Instant]:
    """At a request of a kind that is too rare to be met by counting requests."""
    call, when, skip = random.choice(CALLS), random.choice(list(When)), random.randrange(3)
    ground.program.note(f"to be killed {when.value} {call} {skip}")
    side = holds.store if call[0].isupper() else holds.telegram
    with side(call, when, skip=skip)(ground) as held:
        yield held.reached.wait


async def killed_in_the_middle(ground: Ground, workload: Workload, random: Random) -> None:
    """One run of the program, which is killed when all is done at the latest."""
    kill = random.choice((some_time, some_request, some_call, some_call))
    with kill(ground, random) as instant:
        async with trio.open_nursery() as nursery:
            written = trio.Event()

            async def write() -> None:
                await workload.go_on()
                written.set()

            async def idle() -> None:
                await written.wait()
                await ground.done()

            nursery.start_soon(write)
            await ground.killed_at(partial(wait_any, instant, idle))
            nursery.cancel_scope.cancel()
