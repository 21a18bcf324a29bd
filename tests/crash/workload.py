"""What people do while the bot is killed, drawn from a seed: the same seed, the same deeds at the same pace."""

from __future__ import annotations

import itertools
from collections import deque
from functools import partial
from random import Random
from typing import Any

import trio

from tests.sides import Side
from trio_s3_bot.sandbox.vk import FILE_ROUTE, Content, SlowBody

from .dialogue import REQUESTS, Replacing
from .ground import Ground
from .said import nothing_is_asked
from .sending import Album, Deed, Sending
from .wanted import Place

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
FEW_NAMES = NAMES[:3]
TOGETHER = [name for name in NAMES if "(" not in name]
"""Those of an album: none of them may look like another one that got a number."""

SMALL = 200_000
LARGE = (11 * 2**20, 25 * 2**20)
LARGE_IN_ALL = 36 * 2**20
SLOWLY = 8 * 2**20
"""Bytes a second: a large document then takes long enough to show its progress."""
PAUSE = 0.4
"""Seconds between two deeds, at most."""
PATIENCE = 3.0
"""Seconds that people wait for what the bot says before they do something else."""

TALKATIVE = 0.7
"""Share of the rounds in which people do more than to send things."""
OVERWRITING = 0.3
"""Share of those without questions about names in which a document replaces what has its name."""


class Workload:
    """The deeds of some people; each is done once, before or while the program runs, or between two runs."""

    def __init__(self, ground: Ground, random: Random) -> None:
        self._ground = ground
        self._ledger = ground.ledger
        self._random = random
        self._talkative = random.random() < TALKATIVE
        self._agree()
        for side in ground.sides:
            self._set_up(side)
        self._places = [place for side in ground.sides for place in self._people(side)]
        self._large_left = LARGE_IN_ALL
        deeds = [self._deed(number) for number in range(random.randint(6, 16))]
        self._early = random.randint(1, len(deeds))
        self._sendings = [(deed, sending) for deed in deeds for sending in _sent_by(deed)]
        if self._talkative:
            self._want_more(deeds)
        self._deeds = deque((random.uniform(0, PAUSE), deed) for deed in deeds)

    async def begin(self) -> None:
        """Some of it happens before the program runs: nothing is heard of it by then."""
        for _ in range(self._early):
            await self._next(patience=0)

    async def go_on(self) -> None:
        """The rest happens little by little; cancelled, it can be gone on with."""
        while self._deeds:
            await trio.sleep(self._deeds[0][0])
            await self._next()

    async def end(self) -> None:
        """
        All that is left happens now.

        When the program has nothing more to do, people leave all questions; then what they say answers none.
        """
        while self._deeds:
            await self._next()
        if self._talkative:
            for place in self._places:
                self._ledger.text(place, place.side.command("hello the end"))
            await self._ground.done()
            await self._leave_questions()
            for place in self._places:
                self._ledger.listing(place)
                private = place.chat.kind == "private"
                self._ledger.text(place, "really" if private else place.side.command("hello really"))

    async def _next(self, patience: float = PATIENCE) -> None:
        await self._deeds[0][1](patience)
        self._deeds.popleft()

    def _agree(self) -> None:
        """
        What the operator wants to be asked, and what is to be done where a name is taken.

        Where that is more than to keep both, most names are taken; and some people are asked for long enough to answer.
        """
        rename, on_conflict = "offer", "overwrite" if self._random.random() < OVERWRITING else "keep_both"
        if self._talkative:
            rename = self._random.choice(("offer", "ask"))
            on_conflict = self._random.choice((on_conflict, "ask"))
        self._ledger.talkative, self._ledger.overwrites = self._talkative, on_conflict == "overwrite"
        self._names, self._asks = NAMES if on_conflict == "keep_both" else FEW_NAMES, on_conflict == "ask"
        timeout = self._random.choice(("2 s", "8 s")) if "ask" in (rename, on_conflict) else "60 s"
        self._ground.program.set("names", "rename", rename)
        self._ground.program.set("names", "on_conflict", on_conflict)
        self._ground.program.set("names", "ask_timeout", timeout)

    def _want_more(self, deeds: list[Deed]) -> None:
        """After many documents their senders want something, each step some time after the one before."""
        numbers = itertools.count()
        for deed, sending in self._sendings:
            at, wanted = deeds.index(deed), self._random.sample(REQUESTS, self._random.choice((0, 1, 2)))
            soon = self._asks and self._random.random() < 0.5
            for request in (Replacing,) if soon else wanted:
                alone = soon or len(wanted) == 1
                for step in request(sending, self._random, next(numbers), alone).steps():
                    at = at + 1 if soon else self._random.randint(at + 1, len(deeds))
                    deeds.insert(at, step)

    async def _leave_questions(self) -> None:
        """Whoever is asked something leaves it; the last one put is left first, until there is none."""
        for place in self._places:
            left = None
            while left is None or not nothing_is_asked(left["text"]):
                said = place.chat.say(place.person, place.side.command("cancel"))["message_id"]
                left = await place.chat.wait_for(lambda m, p=place, i=said: p.side.answered(m) == i)

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
            return partial(self._happens_again, place.side, random.randint(1, 3), random.random() < 0.5)
        cropped = place.side.name == "vk" and random.random() < 0.2
        if random.random() < 0.2:
            return self._album(place, number, cropped)
        return Sending(self._ledger, place, random.choice(self._names), self._content(number), cropped)

    def _album(self, place: Place, number: int, cropped: bool) -> Deed:
        names = self._random.sample(TOGETHER, self._random.randint(2, 4))
        members = [
            Sending(self._ledger, place, name, self._content(number, f"of {index}"), cropped, album=True)
            for index, name in enumerate(names)
        ]
        return Album(f"album {number}", members)

    async def _say(self, place: Place, text: str, patience: float) -> None:  # noqa: ARG002 - nothing to wait for
        """In a group only what is addressed to the bot is answered. What is no command may be an answer."""
        if place.chat.kind != "private":
            self._ledger.aside(place, text)
        said = place.chat.kind == "private" and not self._talkative
        self._ledger.text(place, text if said else place.side.command(f"hello {text}"))

    async def _happens_again(self, side: Side, count: int, new_ids: bool, patience: float) -> None:  # noqa: ARG002
        """VK tells of the last events once more."""
        side.queue.replay(count, new_ids=new_ids)

    def _content(self, number: int, more: str = "") -> Content:
        """Bytes that no other document has; some are large."""
        large = self._random.randint(*LARGE)
        if self._random.random() < 0.35 and large <= self._large_left:
            self._large_left -= large
            return Content.generated(large, f"{number}{more}")
        empty = not number and not more
        return Content.generated(self._random.randint(0 if empty else 1, SMALL), f"{number}{more}")


def _sent_by(deed: Deed) -> list[Sending]:
    """The documents that a deed sends."""
    if isinstance(deed, Album):
        return deed.members
    return [deed] if isinstance(deed, Sending) else []
