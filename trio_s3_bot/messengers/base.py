"""
The contract between the bot and a messenger; `telegram` and `vk` fulfil it, and one test suite holds them to it.

Every method may raise `Unavailable` (with `RetryAfter` under it) and `TokenRefused`; what else each raises is said
with it. No method retries by itself, keeps a budget or writes anything down: that is the work of the rooms above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Protocol

import msgspec

from trio_s3_bot.model import Chat, Document, OutMessage, Press, Source, UpdateObj

Id = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A number that a messenger gave to something: what the state file has room for. Telegram's have 52 bits, VK's 64."""

Size = Annotated[int, msgspec.Meta(ge=-(2**52), le=2**52)]
"""Bytes, as announced. Telegram says that they have 52 bits at the most; what is nonsense otherwise does no harm."""

Moment = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
"""Unix seconds that a date can be made of, until the end of the year 9999."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """
    What differs between messengers as far as others have to know it, declared once.

    `buttons` are the most that a message may have, in `button_rows` rows at the most; of what is more, a messenger
    leaves out some in the middle. Texts as long as `texts.LIMIT` can be said in all of them.
    """

    buttons: int = 100
    button_rows: int = 100


@dataclass(frozen=True, slots=True)
class Remark:
    """
    Something about an account that the operator should read: about which setting, and what to do.

    `fatal`: the bot can't work before that is done.
    """

    about: str
    text: str
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """Who the bot is there: its own id, the name people find it by, and all there is to remark at start."""

    id: int
    name: str
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """An update that could not be understood. `update_id` is `None` when not even that could be read."""

    update_id: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one long poll brought, and the cursor that acknowledges it once it is committed."""

    updates: tuple[UpdateObj, ...]
    cursor: str | None
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the messenger's menu shows it: its name without the slash, and its description by language."""

    name: str
    descriptions: dict[str, str]


class Messenger(Protocol):
    """One account of one messenger."""

    @property
    def name(self) -> str:
        """The messenger's name, the first half of every chat's key: `telegram`, `vk`."""

    @property
    def capabilities(self) -> Capabilities:
        """What this messenger can do, and its limits."""

    async def check(self) -> Account:
        """
        Ask who the bot is, without disturbing a poller that may be running elsewhere.

        What the operator has to switch on is remarked, so that it is told all at once. Raises `TokenRefused`;
        `CheckFailed` when that leaves nothing more to ask; `PollConflict` when updates are being delivered elsewhere.
        """

    async def poll(self, cursor: str | None) -> Batch:
        """
        Wait for the next updates, at most about a minute; an empty batch is normal.

        Passing the cursor of an earlier batch acknowledges that batch. Raises `PollConflict`.
        """

    async def whole(self, update: UpdateObj) -> UpdateObj:
        """
        A `cropped` update with what was left out of it.

        Raises `MessageGone`, `ChatUnreachable`, `RequestRefused` when there is no more to be had.
        """

    async def send(self, chat: Chat, message: OutMessage) -> int:
        """
        Say something; returns the id that `edit` takes.

        Raises `ChatUnreachable`, `ChatMoved`, `RequestRefused`.
        """

    async def edit(self, chat: Chat, message_id: int, message: OutMessage) -> None:
        """
        Replace text and keyboard of an own message; the same text again is a success.

        Raises `MessageGone`, `ChatUnreachable`, `ChatMoved`, `RequestRefused`.
        """

    async def answer(self, chat: Chat, press: Press, text: str = "") -> None:
        """Answer a pressed button, with a short notice or only to end its spinner. Too late is a success."""

    async def resolve(self, document: Document) -> Source:
        """
        Find out where the document's bytes can be read now; takes as long as the messenger needs to have them ready.

        Raises `DocumentRefused` when it never will be, `SourceUnavailable` when it may be later.
        """

    async def announce(self, commands: tuple[Command, ...]) -> None:
        """Show the commands in the messenger's menu, where it has one."""
