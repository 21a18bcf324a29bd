"""A state file goes on with another bucket; what was begun in the old one is not taken for begun in the new one."""

from __future__ import annotations

from tests.time.fakes import PART_SIZE, Disk, inbox_on
from tests.time.scenes import begin, decide, end, person
from trio_s3_bot.conversation.state import Delete
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.model import Attempts, Part

ALICE = person(1)


async def begin_something_of_each(inbox: Inbox) -> None:
    """An upload with a finished part, and a deletion."""
    await end(inbox, await begin(inbox, ALICE, "unwanted"))
    await decide(inbox, ALICE, [Delete("unwanted")])
    chore = await inbox.files.claim()
    assert chore is not None
    assert await inbox.files.begin(chore, ())
    claim = await begin(inbox, ALICE, "running", size=2 * PART_SIZE)
    await inbox.uploads.creating(claim.job, PART_SIZE, ())
    await inbox.uploads.created(claim.job, "upload 1")
    await inbox.uploads.part_done(claim.job, Part(1, PART_SIZE, '"etag"'))


async def is_begun(disk: Disk) -> tuple[bool, bool]:
    """Whether the next start takes the upload, and the deletion, for begun."""
    inbox = await inbox_on(disk)
    upload, chore = await inbox.uploads.claim(), await inbox.files.claim()
    assert upload is not None
    assert chore is not None
    return upload.attempts != Attempts(), chore.creating is not None


async def test_in_another_bucket_nothing_is_begun_and_the_old_one_is_named(inbox: Inbox, disk: Disk) -> None:
    assert await inbox.place.settle("old") is None
    await begin_something_of_each(inbox)
    assert await inbox.place.settle("new") == "old"
    assert await is_begun(disk) == (False, False)
    assert await inbox.place.settle("new") is None


async def test_in_the_same_bucket_all_goes_on_where_it_was(inbox: Inbox, disk: Disk) -> None:
    assert await inbox.place.settle("old") is None
    await begin_something_of_each(inbox)
    assert await inbox.place.settle("old") is None
    assert await is_begun(disk) == (True, True)


async def test_a_state_file_that_names_no_bucket_yet_goes_on_where_it_was(inbox: Inbox, disk: Disk) -> None:
    await begin_something_of_each(inbox)
    assert await inbox.place.settle("first") is None
    assert await is_begun(disk) == (True, True)
