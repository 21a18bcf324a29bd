"""What people do while the bot is killed, drawn from a seed: the same seed, the same deeds at the same pace."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import trio

from tests.sides import Side
from trio_s3_bot.sandbox.vk import FILE_ROUTE, Content, SlowBody

from .ground import Ground
from .talk import Place

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
        for side in ground.sides:
            self._set_up(side)
        self._places = [place for side in ground.sides for place in self._people(side)]
        self._large_left = LARGE_IN_ALL
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

    def _set_up(self, side: Side) -> None:
        """How the messenger behaves in this round."""
        side.world.files_honour_range = self._random.random() < 0.8
        if self._random.random() < 0.2:
            side.world.faults.add(method=FILE_ROUTE, times=None, answer=SlowBody(SLOWLY))
        if side.name == "vk":
            side.queue.repeats = self._random.choice((1, 1, 2))

    def _people(self, side: Side) -> list[Place]:
        """Where somebody may write: each person to the bot, some in a group, too."""
        random = self._random
        people = [side.meet(f"Person {number}") for number in range(random.randint(1, 4 // len(self._ground.sides)))]
        persons = [person for person, _ in people]
        groups = [self._group(side, f"Group {number}", persons) for number in range(random.randint(0, 2))]
        places = [Place(side, chat, person) for person, chat in people]
        return places + [Place(side, group, random.choice(persons)) for group in groups]

    def _group(self, side: Side, title: str, members: list[Any]) -> Any:
        kind = {"supergroup": self._random.random() < 0.5} if side.name == "telegram" else {}
        return side.world.group(title, members, **kind)

    def _deed(self, number: int) -> Deed:
        place, random = self._random.choice(self._places), self._random
        if random.random() < 0.4:
            return partial(self._say, place, f"text {number}")
        if place.side.name == "vk" and random.random() < 0.2:
            return partial(self._happens_again, place.side, random.randint(1, 3), new_ids=random.random() < 0.5)
        cropped = {"cropped": random.random() < 0.2} if place.side.name == "vk" else {}
        return partial(self._ground.ledger.document, place, random.choice(NAMES), self._content(number), **cropped)

    def _say(self, place: Place, text: str) -> None:
        """In a group only what is addressed to the bot is answered."""
        if place.chat.kind == "private":
            self._ground.ledger.text(place, text)
        else:
            self._ground.ledger.aside(place, text)
            self._ground.ledger.text(place, place.side.command(f"hello {text}"))

    def _happens_again(self, side: Side, count: int, *, new_ids: bool) -> None:
        """VK tells of the last events once more."""
        side.queue.replay(count, new_ids=new_ids)

    def _content(self, number: int) -> Content:
        """Bytes that no other document has; some are large."""
        large = self._random.randint(*LARGE)
        if self._random.random() < 0.35 and large <= self._large_left:
            self._large_left -= large
            return Content.generated(large, str(number))
        return Content.generated(self._random.randint(number and 1, SMALL), str(number))
