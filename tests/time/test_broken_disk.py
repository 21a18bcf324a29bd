"""While the state file can't be read, nothing ends: all of it waits, and goes on once it can be read again."""

from __future__ import annotations

import trio
from structlog.testing import capture_logs

from tests.time.fakes import Disk, ScriptedMessenger, StoreInMemory, TimedTransfer, inbox_on
from tests.time.scenes import MIB, begin, bot, decide, end, person, take, tell, update
from trio_s3_bot.conversation import Delete
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import StoredObject
from trio_s3_bot.notices import DocumentRequired

ALICE, BOB, CAROL, DAN = (person(number) for number in range(1, 5))
HOUR = 3600.0


async def leave_something_of_each_kind(inbox: Inbox, store: StoreInMemory) -> None:
    """A message to be handled, something to say, a document to save, and one to delete."""
    await end(inbox, await begin(inbox, DAN, "d"))
    store.objects["d"] = StoredObject(MIB, '"etag"')
    await decide(inbox, DAN, [Delete("d")])
    await take(inbox, CAROL, "c")
    await tell(inbox, BOB, DocumentRequired(reply_to=1))
    await inbox.updates.store("telegram", Batch((update(ALICE),), None))


async def test_what_an_earlier_run_left_is_done_as_soon_as_it_can_be_read(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    await leave_something_of_each_kind(await inbox_on(disk), store)
    inbox = await inbox_on(disk)
    disk.broken = True
    with capture_logs() as logs:
        async with bot(inbox, messenger, store, TimedTransfer(store)):
            await trio.sleep_until(HOUR)
            assert (messenger.tried, messenger.polls, store.asked) == ([], [], [])
            disk.broken = False
            await trio.sleep(60)
    assert {line["event"] for line in logs if line["log_level"] == "error"} == {
        "the state can't be read; what stands there waits"
    }
    assert messenger.texts(ALICE)[0].startswith("[greeting]")
    assert messenger.texts(BOB)[0].startswith("[document is required]")
    assert messenger.texts(CAROL)[-2:] == ["[document has been saved] c, 1 MB", "[document] c\nsaved"]
    assert "d is deleted." in messenger.texts(DAN)
    assert set(store.objects) == {"c"}


async def test_what_comes_while_the_disk_is_broken_is_left_to_the_messenger_until_it_is_not(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    async with bot(await inbox_on(disk), messenger, store, TimedTransfer(store)):
        await trio.sleep(1)
        disk.broken = True
        messenger.deliver([update(ALICE, update_id=1), update(BOB, update_id=2)])
        await trio.sleep_until(HOUR)
        assert messenger.unacknowledged == ["1", "2"]
        disk.broken = False
        await trio.sleep(120)
    assert [len(messenger.texts(chat)) for chat in (ALICE, BOB)] == [1, 1]
    assert messenger.unacknowledged == []
