"""Cancelling: what waits, what runs, and what has just been done."""

from __future__ import annotations

import pytest

from tests.bot.dialogue import Held, saved, toast
from tests.bot.talk import SAVED, all_handled, said, store_behind_proxy
from tests.sides import Side
from tests.world import BUCKET, World
from trio_s3_bot.sandbox.faults import When
from trio_s3_bot.sandbox.world import Content

MIB = 2**20


async def test_an_upload_is_cancelled_by_its_button_and_leaves_nothing(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        part = proxy.hold("UploadPart")
        chat.send_document(alice, "big.bin", Content.generated(20 * MIB))
        taken = await chat.wait_for("[document] big.bin")
        await part.reached.wait()
        assert len(world.s3.uploads(BUCKET)) == 1
        assert await toast(side.press(chat, alice, taken, "Cancel")) == "Cancelling…"
        rests = await chat.wait_for("[document] big.bin\ncancelled")
        part.release()
        await world.s3.wait(lambda: not world.s3.uploads(BUCKET))
    assert side.labels(rests) == []
    assert world.objects == {}


async def test_an_upload_that_waits_for_its_turn_is_cancelled_and_never_begun(world: World, side: Side) -> None:
    alice, chat = side.meet()
    one_slot = {("uploads", "concurrent_uploads"): "1"}
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **one_slot}):
        first = proxy.hold("PutObject")
        chat.send_document(alice, "first.txt", b"first")
        await chat.wait_for("[document] first.txt")
        await first.reached.wait()
        chat.send_document(alice, "second.txt", b"second")
        taken = await chat.wait_for("[document] second.txt")
        side.press(chat, alice, taken, "Cancel")
        await chat.wait_for("[document] second.txt\ncancelled")
        first.release()
        await chat.wait_for(SAVED)
    assert list(world.objects) == ["first.txt"]


@pytest.mark.parametrize("call", ["HeadObject", "PutObject"])
@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
async def test_what_is_cancelled_is_not_saved_however_far_it_was(
    world: World, side: Side, call: str, when: When
) -> None:
    """The slot has the document already, but nothing is on record; or the object is there, but nobody knows."""
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        held = proxy.hold(lambda request: request.call == call and request.path.endswith("report.pdf"), when=when)
        chat.send_document(alice, "report.pdf", b"content")
        taken = await chat.wait_for("[document] report.pdf")
        await held.reached.wait()
        side.press(chat, alice, taken, "Cancel")
        await chat.wait_for("[document] report.pdf\ncancelled")
        held.release()
        await saved(chat, alice, "next.txt")
        await world.s3.wait(lambda: list(world.objects) == ["next.txt"])
    assert said(chat)[1] == "[document] report.pdf\ncancelled"


async def test_what_is_cancelled_before_it_is_called_taken_is_shown_to_be_cancelled(world: World, side: Side) -> None:
    """The chat has something else to hear when the document comes, and it is cancelled in reply to itself."""
    alice, chat = side.meet()
    greeting = Held()
    side.world.faults.add(method=side.names.send, answer=greeting)
    side.world.faults.add(method=side.names.fetch, answer=Held())
    async with world.bot():
        chat.say(alice, "hello")
        await greeting.reached.wait()
        document = chat.send_document(alice, "report.pdf", b"content")
        chat.say(alice, "/cancel", reply_to=document["message_id"])
        await all_handled(chat, alice)
        greeting.release()
        await chat.wait_for("report.pdf is cancelled.")
    assert said(chat)[1:] == ["[document] report.pdf\ncancelled", "report.pdf is cancelled."]


async def test_what_is_said_in_reply_to_a_deleted_file_is_about_no_other_one(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        deleted = (await saved(chat, alice, "deleted.txt"))["message_id"]
        chat.say(alice, "/delete", reply_to=deleted)
        chat.say(alice, "yes", reply_to=(await chat.wait_for("Delete deleted.txt?"))["message_id"])
        await chat.wait_for("deleted.txt is deleted.")
        part = proxy.hold("UploadPart")
        document = chat.send_document(alice, "big.bin", Content.generated(20 * MIB))
        await part.reached.wait()
        chat.say(alice, "/cancel", reply_to=deleted)
        await chat.wait_for("There is nothing to cancel.")
        chat.say(alice, "/rename", reply_to=document["message_id"])
        await chat.wait_for("What shall big.bin be called?")
        chat.say(alice, "stolen", reply_to=deleted)
        await chat.wait_for("[document is required]")
        chat.say(alice, "/rename big.bin", reply_to=deleted)
        await chat.wait_for("Which file?")
        part.release()
        await chat.wait_for(f"{SAVED} big.bin")
    assert list(world.objects) == ["big.bin"]


async def test_what_has_taken_another_ones_place_already_stays_and_is_called_saved(world: World, side: Side) -> None:
    """To remove it then would leave neither."""
    world.s3.put(BUCKET, "report.pdf", b"old")
    alice, chat = side.meet()
    overwrite = {("names", "on_conflict"): "overwrite"}
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **overwrite}):
        held = proxy.hold(lambda request: request.call == "PutObject", when=When.AFTER)
        chat.send_document(alice, "report.pdf", b"new")
        taken = await chat.wait_for("[document] report.pdf")
        await held.reached.wait()
        side.press(chat, alice, taken, "Cancel")
        await chat.wait_for("cancelled")
        held.release()
        await chat.wait_for(SAVED)
    assert world.content("report.pdf") == b"new"


async def test_a_cancelled_document_has_no_buttons_left_that_do_anything(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        part = proxy.hold("UploadPart")
        chat.send_document(alice, "big.bin", Content.generated(20 * MIB))
        taken = await chat.wait_for("[document] big.bin")
        cancel, rename = side.data(taken, "Cancel"), side.data(taken, "Rename")
        await part.reached.wait()
        side.press(chat, alice, taken, "Cancel")
        for late in (cancel, rename):
            assert await toast(side.forge(chat, alice, taken, late)) == "This button no longer works."
        chat.say(alice, "/status")
        await chat.wait_for("Nothing is waiting or being saved.")
        part.release()
