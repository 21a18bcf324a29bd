"""The program is killed at chosen points, the gaps between doing a thing and knowing that it is done."""

from __future__ import annotations

import pytest

from tests.bot.talk import EACH_MESSENGER, in_each, only
from trio_s3_bot.sandbox.faults import When
from trio_s3_bot.sandbox.vk import DOC_ROUTE
from trio_s3_bot.sandbox.world import Content

from . import holds
from .ground import PART_SIZE, Ground
from .said import GREETING, REQUIRED, SAVED, TAKEN
from .wanted import Place

BIG = Content.generated(3 * PART_SIZE + 1000, "big")
BEFORE, AFTER = When.BEFORE, When.AFTER
PART_3 = holds.store("UploadPart", BEFORE, key="big.bin", part=3)

AT_THE_STORE = {
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
}
AT_THE_MESSENGER = {
    "polled but not committed": holds.messenger("poll", AFTER),
    "committed but not acknowledged": holds.messenger("poll", BEFORE, skip=1),
    "a file asked for": holds.messenger("file", BEFORE),
    "greeted, the answer never seen": holds.messenger("send", AFTER, text=GREETING),
    "about to say that a document is taken": holds.messenger("send", BEFORE, text=TAKEN),
    "said that a document is taken, the answer never seen": holds.messenger("send", AFTER, text=TAKEN),
    "asked for a document, the answer never seen": holds.messenger("send", AFTER, text=REQUIRED),
    "recorded but not said": holds.messenger("send", BEFORE, text=SAVED),
    "said that it is saved, the answer never seen": holds.messenger("send", AFTER, text=SAVED),
}
GAPS = {  # where the document came from doesn't matter to a store
    "telegram": AT_THE_STORE | AT_THE_MESSENGER | {"asking where a file is": holds.messenger("resolve", AFTER)},
    "vk": AT_THE_MESSENGER
    | {
        "asking where a file is": holds.messenger(DOC_ROUTE, BEFORE),
        "told where a file is": holds.messenger(DOC_ROUTE, AFTER),
    },
}
in_each_messenger = pytest.mark.parametrize("messengers", EACH_MESSENGER, ids=lambda names: names[0])


@in_each("gap", telegram=list(GAPS["telegram"]), vk=list(GAPS["vk"]))
async def test_killed_in_a_gap_it_goes_on_as_if_nothing_had_happened(ground: Ground, gap: str) -> None:
    with GAPS[ground.side.name][gap](ground) as held:
        await ground.killed_at(held.reached.wait, after=_write)
    await ground.finished()


@only("vk", "the only one with keys")
@pytest.mark.parametrize("when", When)
async def test_killed_while_it_renews_the_key_to_its_events_it_misses_none(ground: Ground, when: When) -> None:
    """The key has run out before people write; the check at start has asked for one, too."""

    def write(ground: Ground) -> None:
        ground.side.queue.expire_keys()
        _write(ground)

    with holds.messenger("groups.getLongPollServer", when, skip=1)(ground) as held:
        await ground.killed_at(held.reached.wait, after=write)
    await ground.finished()


@only("vk", "the only one whose links run out unseen")
@pytest.mark.parametrize("when", When)
async def test_killed_while_it_asks_for_a_new_link_to_a_document_it_saves_it(ground: Ground, when: When) -> None:
    def write(ground: Ground) -> None:
        _write(ground)
        ground.side.world.docs.expire_links()

    with holds.messenger("resolve", when)(ground) as held:
        await ground.killed_at(held.reached.wait, after=write)
    await ground.finished()


@only("vk", "the only one that leaves out parts of long messages")
@pytest.mark.parametrize("when", When)
async def test_killed_while_it_fetches_a_cropped_message_it_saves_what_was_left_out(ground: Ground, when: When) -> None:
    def write(ground: Ground) -> None:
        _write(ground)
        ground.ledger.document(ground.meet("Carol"), "cropped.txt", b"Carol's", cropped=True)

    with holds.messenger("resolve", when)(ground) as held:
        await ground.killed_at(held.reached.wait, after=write)
    await ground.finished()


@pytest.mark.parametrize("number", range(12))
async def test_killed_while_it_checks_the_bucket_it_leaves_nothing_there(ground: Ground, number: int) -> None:
    """The first dozen requests of a start: they make objects and uploads of the check's own."""
    _write(ground)
    with holds.store(None, AFTER, skip=number)(ground) as held:
        await ground.killed_at(held.reached.wait)
    await ground.finished()


@in_each_messenger
@pytest.mark.parametrize("when", When)
async def test_killed_while_it_shows_progress_no_message_stays_at_43_percent(ground: Ground, when: When) -> None:
    with PART_3(ground), holds.messenger("edit", when)(ground) as progress:
        await ground.killed_at(progress.reached.wait, after=_write)
    await ground.finished()


@in_each_messenger
@pytest.mark.parametrize("when", When)
async def test_killed_while_it_puts_a_message_to_rest_the_message_comes_to_rest(ground: Ground, when: When) -> None:
    """The first edits show progress, until the upload may go on; the edit after that is the last."""
    side = ground.side
    with PART_3(ground) as part:

        async def putting_to_rest() -> None:
            await ground.until(lambda: any(call.status for call in side.world.calls(side.names.edit)))
            with holds.messenger("edit", when)(ground) as edit:
                part.release()
                await edit.reached.wait()

        await ground.killed_at(putting_to_rest, after=_write)
    await ground.finished()


@pytest.mark.parametrize("when", When)
async def test_killed_while_it_aborts_an_upload_nothing_is_left_of_it(ground: Ground, when: When) -> None:
    """Another program takes the name while the parts are on their way."""
    with PART_3(ground) as part, holds.store("AbortMultipartUpload", when, key="big.bin")(ground) as abort:

        async def aborting() -> None:
            await part.reached.wait()
            await ground.put("big.bin", b"somebody else's")
            part.release()
            await abort.reached.wait()

        await ground.killed_at(aborting, after=_write)
    await ground.finished()
    assert "big (1).bin" in await ground.store.digests()


@in_each_messenger
async def test_after_a_kill_an_upload_goes_on_from_its_finished_parts(ground: Ground) -> None:
    """Parts 3 and 4 are asked for only after 1 and 2 are on record."""

    def write(ground: Ground) -> None:
        ground.ledger.document(ground.meet("Alice"), "big.bin", BIG)

    with PART_3(ground) as third, holds.store("UploadPart", BEFORE, key="big.bin", part=4)(ground) as fourth:

        async def half_done() -> None:
            await third.reached.wait()
            await fourth.reached.wait()

        await ground.killed_at(half_done, after=write)
    await ground.finished()
    parts = [r.query["partNumber"] for r in ground.proxy.requests if r.call == "UploadPart" and "big.bin" in r.path]
    assert (parts.count("1"), parts.count("2")) == (1, 1)
    assert ground.side.world.calls("file")[-1].params["range"] == f"bytes={2 * PART_SIZE}-"


def _write(ground: Ground) -> None:
    """People write: in private and in a group, and two documents have one name."""
    ledger, side = ground.ledger, ground.side
    alice, bob = ground.meet("Alice"), ground.meet("Bob")
    office = Place(side, side.world.group("Office", [alice.person, bob.person]), bob.person)
    ledger.text(alice, "hello")
    ledger.document(alice, "small.txt", b"Alice's")
    ledger.document(alice, "big.bin", BIG)
    ledger.text(alice, "is it there?")
    ledger.document(office, "small.txt", b"Bob's")
    ledger.text(office, side.command("thanks"))
