"""What people do while the bot is killed, drawn from a seed: the same seed, the same deeds at the same pace."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random

import trio

from trio_s3_bot.sandbox.telegram import FILE_ROUTE, Chat, Content, SlowBody, User

from .ground import Ground

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
PAUSE = 0.4
"""Seconds between two deeds, at most."""

Deed = Callable[[], None]


class Workload:
    """The deeds of some people; each is done once, before or while the program runs, or between two runs."""

    def __init__(self, ground: Ground, random: Random) -> None:
        self._ground = ground
        self._random = random
        self._places = self._people()
        self._large_left = LARGE_IN_ALL
        ground.telegram.files_honour_range = random.random() < 0.8
        if random.random() < 0.2:
            ground.telegram.faults.add(method=FILE_ROUTE, times=None, answer=SlowBody(SLOWLY))
        deeds = random.randint(6, 16)
        self._early = random.randint(1, deeds)
        self._deeds = deque((random.uniform(0, PAUSE), self._deed(number)) for number in range(deeds))

    def begin(self) -> None:
        """Some of it happens before the program has ever run."""
        for _ in range(self._early):
            self._next()

    async def go_on(self) -> None:
        """The rest happens little by little; cancelled, it can be gone on with."""
        while self._deeds:
            await trio.sleep(self._deeds[0][0])
            self._next()

    def end(self) -> None:
        """All that is left happens now."""
        while self._deeds:
            self._next()

    def _next(self) -> None:
        _, deed = self._deeds.popleft()
        deed()

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

    def _deed(self, number: int) -> Deed:
        chat, user = self._random.choice(self._places)
        if self._random.random() < 0.4:
            return partial(self._say, chat, user, f"text {number}")
        return partial(self._ground.ledger.document, chat, user, self._random.choice(NAMES), self._content(number))

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
