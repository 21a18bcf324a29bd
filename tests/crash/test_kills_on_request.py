"""The program is killed while it does what people ask for after they have sent a document: rename, delete, cancel."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.bot.talk import EACH_MESSENGER
from trio_s3_bot.sandbox.faults import When
from trio_s3_bot.sandbox.world import Content

from . import holds
from .ground import PART_SIZE, Ground
from .said import SAVED
from .wanted import Place

in_each_messenger = pytest.mark.parametrize("messengers", EACH_MESSENGER, ids=lambda names: names[0])

BEFORE, AFTER = When.BEFORE, When.AFTER
CONTENT = b"the report"
DIGEST = hashlib.sha256(CONTENT).hexdigest()

RENAMING = {
    "about to copy": holds.store("CreateMultipartUpload", BEFORE, key="final.pdf"),
    "the copy begun, its id never seen": holds.store("CreateMultipartUpload", AFTER, key="final.pdf"),
    "copied, the answer never seen": holds.store("UploadPartCopy", AFTER, key="final.pdf"),
    "the copy completed, the answer never seen": holds.store("CompleteMultipartUpload", AFTER, key="final.pdf"),
    "about to delete the old one": holds.store("DeleteObject", BEFORE, key="report.pdf"),
    "the old one deleted, the answer never seen": holds.store("DeleteObject", AFTER, key="report.pdf"),
    "recorded but not said": holds.messenger("send", BEFORE, text="is called"),
    "said, the answer never seen": holds.messenger("send", AFTER, text="is called"),
}
DELETING = {
    "about to delete": holds.store("DeleteObject", BEFORE, key="report.pdf"),
    "deleted, the answer never seen": holds.store("DeleteObject", AFTER, key="report.pdf"),
    "recorded but not said": holds.messenger("send", BEFORE, text="is deleted"),
    "said, the answer never seen": holds.messenger("send", AFTER, text="is deleted"),
}
CANCELLING = {
    "the press not answered": holds.messenger("press", BEFORE),
    "the press answered, nothing committed": holds.messenger("press", AFTER),
    "about to abort": holds.store("AbortMultipartUpload", BEFORE, key="big.bin"),
    "aborted, the answer never seen": holds.store("AbortMultipartUpload", AFTER, key="big.bin"),
    "recorded but not shown": holds.messenger("edit", BEFORE, text="cancelled"),
}


@pytest.mark.parametrize("gap", RENAMING)
async def test_killed_while_it_renames_there_is_one_object_under_the_new_name(ground: Ground, gap: str) -> None:
    alice = ground.meet("Alice")

    async def renamed() -> None:
        _press(alice, await _saved(ground, alice), "Rename")
        question = await alice.chat.wait_for("What shall report.pdf be called?")
        alice.chat.say(alice.person, "final", reply_to=question["message_id"])
        await held.reached.wait()

    with RENAMING[gap](ground) as held:
        await ground.killed_at(renamed)
    await _stopped_when_said(ground, alice, "report.pdf is called final.pdf now.")
    assert await ground.store.digests() == {"final.pdf": DIGEST}
    assert not any("There is a file of that name" in text for text in _said(alice))


@in_each_messenger
@pytest.mark.parametrize("gap", DELETING)
async def test_killed_while_it_deletes_the_object_is_gone_and_it_says_so(ground: Ground, gap: str) -> None:
    alice = ground.meet("Alice")

    async def deleted() -> None:
        await _saved(ground, alice)
        alice.chat.say(alice.person, "/delete report.pdf")
        await alice.chat.wait_for("Delete report.pdf?")
        alice.chat.say(alice.person, "yes")  # a pressed button would be answered by an edit, which says nothing twice
        await held.reached.wait()

    with DELETING[gap](ground) as held:
        await ground.killed_at(deleted)
    await _stopped_when_said(ground, alice, "report.pdf is deleted.")
    assert await ground.store.digests() == {}


@in_each_messenger
@pytest.mark.parametrize("gap", CANCELLING)
async def test_killed_while_it_cancels_nothing_is_saved_and_nothing_is_left(ground: Ground, gap: str) -> None:
    alice = ground.meet("Alice")
    with holds.store("UploadPart", BEFORE, key="big.bin", part=3)(ground) as part, CANCELLING[gap](ground) as held:

        async def cancelled() -> None:
            await ground.hearing()
            alice.chat.send_document(alice.person, "big.bin", Content.generated(3 * PART_SIZE))
            taken = await alice.chat.wait_for("[document] big.bin")
            await part.reached.wait()
            _press(alice, taken, "Cancel")
            part.release()
            await held.reached.wait()

        await ground.killed_at(cancelled)
    await _stopped_when_aborted(ground, alice, "[document] big.bin\ncancelled", again=gap != "recorded but not shown")
    assert await ground.store.digests() == {}


@in_each_messenger
async def test_a_document_that_was_stored_unknown_to_the_bot_is_known_again_while_a_renaming_wants_its_name(
    ground: Ground,
) -> None:
    """After the kill, the renaming reserves the name between the question who has it and the answer."""
    alice = ground.meet("Alice")

    async def stored() -> None:
        _press(alice, await _saved(ground, alice), "Rename")
        await alice.chat.wait_for("What shall report.pdf be called?")
        alice.chat.send_document(alice.person, "final.pdf", b"final")
        await unknown.reached.wait()

    with holds.store("HeadObject", AFTER, key="final.pdf", skip=1)(ground) as unknown:
        await ground.killed_at(stored)
    with (
        holds.store("HeadObject", BEFORE, key="final.pdf")(ground) as look,
        holds.store("ListMultipartUploads", BEFORE)(ground) as renaming,
    ):
        alice.chat.say(alice.person, "final")

        async def asked_again() -> None:
            await look.reached.wait()
            await renaming.reached.wait()
            look.release()
            await alice.chat.wait_for(f"{SAVED}final")
            renaming.release()
            await alice.chat.wait_for("There is a file of that name already.")

        await ground.stopped_at(asked_again)
    assert await ground.store.uploads() == []
    assert set(await ground.store.digests()) == {"report.pdf", "final.pdf"}


async def _saved(ground: Ground, person: Place) -> Any:
    """Send a document, and wait for the message that says it is saved."""
    await ground.hearing()
    person.chat.send_document(person.person, "report.pdf", CONTENT)
    return await person.chat.wait_for(SAVED)


def _press(person: Place, message: Any, label: str) -> None:
    person.side.press(person.chat, person.person, message, label)


def _said(person: Place) -> list[str]:
    return [deed.text or "" for deed in person.chat.history]


async def _stopped_when_said(ground: Ground, person: Place, words: str) -> None:
    """Once it runs again it says these words; what was said before, once more only where it can't be known again."""
    side, before = ground.side, sum(words in text for text in _said(person))
    earlier = len(side.world.calls(side.names.send))

    def is_said() -> bool:
        calls = side.world.calls(side.names.send)[earlier:]
        return any(call.status == 200 and words in str(call.params) for call in calls)

    await ground.stopped_at(lambda: ground.until(is_said))
    assert sum(words in text for text in _said(person)) == (before if before and side.says_once else before + 1)
    assert await ground.store.uploads() == []


async def _stopped_when_aborted(ground: Ground, person: Place, words: str, *, again: bool) -> None:
    """Once it runs again the chat shows these words, and the upload is aborted, a second time if need be."""
    with holds.store("AbortMultipartUpload", AFTER, key="big.bin")(ground) as abort:

        async def aborted() -> None:
            if again:
                await abort.reached.wait()
                abort.release()
            await person.chat.wait_for(words)

        await ground.stopped_at(aborted)
    assert await ground.store.uploads() == []
