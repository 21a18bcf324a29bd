"""A link that no message can hold is never sent cut short."""

from __future__ import annotations

import pytest
import trio

from tests.time.fakes import Disk, StoreInMemory, inbox_on
from tests.time.scenes import GREETED, begin, end, person
from trio_s3_bot.conversation import Decision
from trio_s3_bot.conversation.state import MakeLink, Say
from trio_s3_bot.errors import ObjectRefused
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.model import Secret, StoredObject
from trio_s3_bot.notices import Link
from trio_s3_bot.shelf import LONGEST_ADDRESS, Shelf

ALICE = person(1)


class Signing(StoreInMemory):
    """Has one object, and signs links to it of the lengths that it is given: with a file name, and without."""

    def __init__(self, named: int, plain: int) -> None:
        super().__init__()
        self.objects["a"] = StoredObject(2**20, '"etag"')
        self._named, self._plain = named, plain

    async def presign(self, key: str, *, lifetime: int, file_name: str | None = None) -> Secret:  # noqa: ARG002
        await trio.lowlevel.checkpoint()
        return Secret("x" * (self._plain if file_name is None else self._named))


@pytest.fixture
async def inbox(disk: Disk) -> Inbox:
    """One in which a file is saved."""
    inbox = await inbox_on(disk)
    await end(inbox, await begin(inbox, ALICE, "a"))
    return inbox


async def link(inbox: Inbox, store: Signing) -> str:
    shelf = Shelf(store, inbox.files, 60, {"telegram": 8})
    decision = await shelf.prepared(ALICE, Decision(GREETED, (MakeLink("a", reply_to=1),)))
    (said,) = decision.effects
    assert isinstance(said, Say)
    assert isinstance(said.notice, Link)
    return said.notice.url


async def test_a_link_tells_what_its_file_is_called_as_long_as_it_fits(inbox: Inbox) -> None:
    assert len(await link(inbox, Signing(LONGEST_ADDRESS, 100))) == LONGEST_ADDRESS


async def test_a_link_that_would_be_too_long_leaves_that_to_what_is_stored(inbox: Inbox) -> None:
    assert len(await link(inbox, Signing(LONGEST_ADDRESS + 1, LONGEST_ADDRESS))) == LONGEST_ADDRESS


async def test_a_link_that_is_too_long_all_the_same_is_none(inbox: Inbox) -> None:
    with pytest.raises(ObjectRefused, match="longer than"):
        await link(inbox, Signing(LONGEST_ADDRESS + 1, LONGEST_ADDRESS + 1))
