"""The program is killed while it does what people ask for after they have sent a document: rename, delete, cancel."""

from __future__ import annotations

import hashlib

import pytest

from tests.bot.dialogue import press
from trio_s3_bot.sandbox.faults import When
from trio_s3_bot.sandbox.telegram import Chat, Content, Message, User

from . import holds
from .ground import PART_SIZE, Ground
from .ledger import SAVED

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
    "recorded but not said": holds.telegram("sendMessage", BEFORE, text="is called"),
    "said, the answer never seen": holds.telegram("sendMessage", AFTER, text="is called"),
}
DELETING = {
    "about to delete": holds.store("DeleteObject", BEFORE, key="report.pdf"),
    "deleted, the answer never seen": holds.store("DeleteObject", AFTER, key="report.pdf"),
    "recorded but not said": holds.telegram("sendMessage", BEFORE, text="is deleted"),
    "said, the answer never seen": holds.telegram("sendMessage", AFTER, text="is deleted"),
}
CANCELLING = {
    "the press not answered": holds.telegram("answerCallbackQuery", BEFORE),
    "the press answered, nothing committed": holds.telegram("answerCallbackQuery", AFTER),
    "about to abort": holds.store("AbortMultipartUpload", BEFORE, key="big.bin"),
    "aborted, the answer never seen": holds.store("AbortMultipartUpload", AFTER, key="big.bin"),
    "recorded but not shown": holds.telegram("editMessageText", BEFORE, text="cancelled"),
}


@pytest.mark.parametrize("gap", RENAMING)
async def test_killed_while_it_renames_there_is_one_object_under_the_new_name(ground: Ground, gap: str) -> None:
    alice, chat = _meet(ground)

    async def renamed() -> None:
        press(chat, alice, await _saved(chat, alice), "Rename")
        question = await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "final", reply_to=question["message_id"])
        await held.reached.wait()

    with RENAMING[gap](ground) as held:
        await ground.killed_at(renamed)
    await _stopped_when_said(ground, chat, "report.pdf is called final.pdf now.", again=gap.startswith("said"))
    assert await ground.store.digests() == {"final.pdf": DIGEST}
    assert not any("There is a file of that name" in text for text in _said(chat))


@pytest.mark.parametrize("gap", DELETING)
async def test_killed_while_it_deletes_the_object_is_gone_and_it_says_so(ground: Ground, gap: str) -> None:
    alice, chat = _meet(ground)

    async def deleted() -> None:
        await _saved(chat, alice)
        chat.say(alice, "/delete report.pdf")
        await chat.wait_for("Delete report.pdf?")
        chat.say(alice, "yes")  # a pressed button would be answered by an edit, which says nothing twice
        await held.reached.wait()

    with DELETING[gap](ground) as held:
        await ground.killed_at(deleted)
    await _stopped_when_said(ground, chat, "report.pdf is deleted.", again=gap.startswith("said"))
    assert await ground.store.digests() == {}


@pytest.mark.parametrize("gap", CANCELLING)
async def test_killed_while_it_cancels_nothing_is_saved_and_nothing_is_left(ground: Ground, gap: str) -> None:
    alice, chat = _meet(ground)
    with holds.store("UploadPart", BEFORE, key="big.bin", part=3)(ground) as part, CANCELLING[gap](ground) as held:

        async def cancelled() -> None:
            chat.send_document(alice, "big.bin", Content.generated(3 * PART_SIZE))
            taken = await chat.wait_for("[document] big.bin")
            await part.reached.wait()
            press(chat, alice, taken, "Cancel")
            part.release()
            await held.reached.wait()

        await ground.killed_at(cancelled)
    await _stopped_when_aborted(ground, chat, "[document] big.bin\ncancelled", again=gap != "recorded but not shown")
    assert await ground.store.digests() == {}


def _meet(ground: Ground) -> tuple[User, Chat]:
    alice = ground.telegram.user("Alice", language="en")
    return alice, ground.telegram.private_chat(alice)


async def _saved(chat: Chat, alice: User) -> Message:
    chat.send_document(alice, "report.pdf", CONTENT)
    return await chat.wait_for(SAVED)


def _said(chat: Chat) -> list[str]:
    return [deed.text or "" for deed in chat.history]


async def _stopped_when_said(ground: Ground, chat: Chat, words: str, *, again: bool) -> None:
    """Once it runs again the chat shows these words, a second time if nobody knew about the first."""
    await ground.stopped_at(lambda: chat.wait_for(words, count=2 if again else 1))
    await _nothing_is_left(ground)


async def _stopped_when_aborted(ground: Ground, chat: Chat, words: str, *, again: bool) -> None:
    """Once it runs again the chat shows these words, and the upload is aborted, a second time if need be."""
    with holds.store("AbortMultipartUpload", AFTER, key="big.bin")(ground) as abort:

        async def aborted() -> None:
            if again:
                await abort.reached.wait()
                abort.release()
            await chat.wait_for(words)

        await ground.stopped_at(aborted)
    await _nothing_is_left(ground)


async def _nothing_is_left(ground: Ground) -> None:
    assert await ground.store.uploads() == []
    assert ground.telegram.complaints == []


async def test_a_document_that_was_stored_unknown_to_the_bot_is_known_again_while_a_renaming_wants_its_name(
    ground: Ground,
) -> None:
    """After the kill, the renaming reserves the name between the question who has it and the answer."""
    alice, chat = _meet(ground)

    async def stored() -> None:
        press(chat, alice, await _saved(chat, alice), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.send_document(alice, "final.pdf", b"final")
        await unknown.reached.wait()

    with holds.store("HeadObject", AFTER, key="final.pdf", skip=1)(ground) as unknown:
        await ground.killed_at(stored)
    with (
        holds.store("HeadObject", BEFORE, key="final.pdf")(ground) as look,
        holds.store("ListMultipartUploads", BEFORE)(ground) as renaming,
    ):
        chat.say(alice, "final")

        async def asked_again() -> None:
            await look.reached.wait()
            await renaming.reached.wait()
            look.release()
            await chat.wait_for(f"{SAVED}final")
            renaming.release()
            await chat.wait_for("There is a file of that name already.")

        await ground.stopped_at(asked_again)
    await _nothing_is_left(ground)
    assert set(await ground.store.digests()) == {"report.pdf", "final.pdf"}
