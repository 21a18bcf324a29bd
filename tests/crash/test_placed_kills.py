"""The program is killed at chosen points, the gaps between doing a thing and knowing that it is done."""

from __future__ import annotations

import pytest

from trio_s3_bot.sandbox.faults import When
from trio_s3_bot.sandbox.telegram import Content

from . import holds
from .ground import PART_SIZE, Ground
from .ledger import GREETING, REQUIRED, SAVED, TAKEN

BIG = Content.generated(3 * PART_SIZE + 1000, "big")
BEFORE, AFTER = When.BEFORE, When.AFTER
PART_3 = holds.store("UploadPart", BEFORE, key="big.bin", part=3)

GAPS = {
    "polled but not committed": holds.telegram("getUpdates", AFTER),
    "committed but not acknowledged": holds.telegram("getUpdates", BEFORE, skip=1),
    "asking where a file is": holds.telegram("getFile", AFTER),
    "a file asked for": holds.telegram("file", BEFORE),
    "a small object stored, the answer never seen": holds.store("PutObject", AFTER, key="small.txt"),
    "a small object stored but not recorded": holds.store("HeadObject", AFTER, key="small.txt", skip=1),
    "about to begin a multipart upload": holds.store("CreateMultipartUpload", BEFORE, key="big.bin"),
    "a multipart upload begun, its id never seen": holds.store("CreateMultipartUpload", AFTER, key="big.bin"),
    "part 1 on its way": holds.store("UploadPart", BEFORE, key="big.bin", part=1),
    "part 1 stored, the answer never seen": holds.store("UploadPart", AFTER, key="big.bin", part=1),
    "part 2 stored, the answer never seen": holds.store("UploadPart", AFTER, key="big.bin", part=2),
    "part 3 stored, the answer never seen": holds.store("UploadPart", AFTER, key="big.bin", part=3),
    "the last part stored, the answer never seen": holds.store("UploadPart", AFTER, key="big.bin", part=4),
    "about to complete": holds.store("CompleteMultipartUpload", BEFORE, key="big.bin"),
    "completed, the answer never seen": holds.store("CompleteMultipartUpload", AFTER, key="big.bin"),
    "completed but not recorded": holds.store("HeadObject", AFTER, key="big.bin", skip=1),
    "greeted, the answer never seen": holds.telegram("sendMessage", AFTER, text=GREETING),
    "about to say that a document is taken": holds.telegram("sendMessage", BEFORE, text=TAKEN),
    "said that a document is taken, the answer never seen": holds.telegram("sendMessage", AFTER, text=TAKEN),
    "asked for a document, the answer never seen": holds.telegram("sendMessage", AFTER, text=REQUIRED),
    "recorded but not said": holds.telegram("sendMessage", BEFORE, text=SAVED),
    "said that it is saved, the answer never seen": holds.telegram("sendMessage", AFTER, text=SAVED),
}


@pytest.mark.parametrize("gap", GAPS)
async def test_killed_in_a_gap_it_goes_on_as_if_nothing_had_happened(ground: Ground, gap: str) -> None:
    _write(ground)
    with GAPS[gap](ground) as held:
        await ground.killed_at(held.reached.wait)
    await ground.finished()


@pytest.mark.parametrize("number", range(12))
async def test_killed_while_it_checks_the_bucket_it_leaves_nothing_there(ground: Ground, number: int) -> None:
    """The first dozen requests of a start: they make objects and uploads of the check's own."""
    _write(ground)
    with holds.store(None, AFTER, skip=number)(ground) as held:
        await ground.killed_at(held.reached.wait)
    await ground.finished()


@pytest.mark.parametrize("when", When)
async def test_killed_while_it_shows_progress_no_message_stays_at_43_percent(ground: Ground, when: When) -> None:
    _write(ground)
    with PART_3(ground), holds.telegram("editMessageText", when)(ground) as progress:
        await ground.killed_at(progress.reached.wait)
    await ground.finished()


@pytest.mark.parametrize("when", When)
async def test_killed_while_it_puts_a_message_to_rest_the_message_comes_to_rest(ground: Ground, when: When) -> None:
    """The first edits show progress, until the upload may go on; the edit after that is the last."""
    _write(ground)
    with PART_3(ground) as part:

        async def putting_to_rest() -> None:
            await ground.telegram.wait(lambda: any(call.status for call in ground.telegram.calls("editMessageText")))
            with holds.telegram("editMessageText", when)(ground) as edit:
                part.release()
                await edit.reached.wait()

        await ground.killed_at(putting_to_rest)
    await ground.finished()


@pytest.mark.parametrize("when", When)
async def test_killed_while_it_aborts_an_upload_nothing_is_left_of_it(ground: Ground, when: When) -> None:
    """Another program takes the name while the parts are on their way."""
    _write(ground)
    with PART_3(ground) as part, holds.store("AbortMultipartUpload", when, key="big.bin")(ground) as abort:

        async def aborting() -> None:
            await part.reached.wait()
            await ground.put("big.bin", b"somebody else's")
            part.release()
            await abort.reached.wait()

        await ground.killed_at(aborting)
    await ground.finished()
    assert "big (1).bin" in await ground.store.digests()


async def test_after_a_kill_an_upload_goes_on_from_its_finished_parts(ground: Ground) -> None:
    """Parts 3 and 4 are asked for only after 1 and 2 are on record."""
    alice = ground.telegram.user("Alice")
    ground.ledger.document(ground.telegram.private_chat(alice), alice, "big.bin", BIG)
    with PART_3(ground) as third, holds.store("UploadPart", BEFORE, key="big.bin", part=4)(ground) as fourth:

        async def half_done() -> None:
            await third.reached.wait()
            await fourth.reached.wait()

        await ground.killed_at(half_done)
    await ground.finished()
    parts = [r.query["partNumber"] for r in ground.proxy.requests if r.call == "UploadPart" and "big.bin" in r.path]
    assert (parts.count("1"), parts.count("2")) == (1, 1)
    assert ground.telegram.calls("file")[-1].params["range"] == f"bytes={2 * PART_SIZE}-"


def _write(ground: Ground) -> None:
    """Before the program runs, people write: in private and in a group, and two documents have one name."""
    ledger, telegram = ground.ledger, ground.telegram
    alice, bob = telegram.user("Alice", language="en"), telegram.user("Bob", language="en")
    private, group = telegram.private_chat(alice), telegram.group("Office", [alice, bob])
    ledger.text(private, alice, "hello")
    ledger.document(private, alice, "small.txt", b"Alice's")
    ledger.document(private, alice, "big.bin", BIG)
    ledger.text(private, alice, "is it there?")
    ledger.document(group, bob, "small.txt", b"Bob's")
    ledger.text(group, bob, f"/thanks@{telegram.bot.username}")
