"""What is open when the bot stops is open when it starts; what the store holds up is done when it is back."""

from __future__ import annotations

from tests.bot.dialogue import ASK, saved, toast
from tests.bot.talk import HASTY, NO_LIMITS, SAVED, in_each, said, store_behind_proxy
from tests.sides import Side
from tests.world import BUCKET, World
from trio_s3_bot.outages import WORTH_TELLING
from trio_s3_bot.sandbox.faults import S3_SLOW_DOWN, Refused, Reset, When

ASKING = {**NO_LIMITS, **ASK}
ON_CONFLICT = ("names", "on_conflict")
OUT_OF_ORDER = "report.pdf: the storage is not working at the moment."
RENAMING = ["CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload", "DeleteObject"]
CUTS = {f"{when.name.lower()} {call}": (call, when) for call in RENAMING for when in When}


async def test_the_question_whether_to_rename_survives_a_restart(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(ASKING):
        chat.send_document(alice, "report.pdf", b"content")
        taken = await chat.wait_for("Rename it before it is saved?")
    async with world.bot(ASKING):
        side.press(chat, alice, taken, "Rename")
        await chat.wait_for("What shall report.pdf be called?")
    async with world.bot(ASKING):
        chat.say(alice, "chosen")
        await chat.wait_for(f"{SAVED} chosen.pdf")
    assert list(world.objects) == ["chosen.pdf"]


async def test_an_answer_that_is_given_while_the_bot_is_away_counts(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        side.press(chat, alice, await saved(chat, alice, "report.pdf"), "Rename")
        question = await chat.wait_for("What shall report.pdf be called?")
    chat.say(alice, "chosen", reply_to=question["message_id"])
    async with world.bot(NO_LIMITS):
        await chat.wait_for("report.pdf is called chosen.pdf now.")
    assert list(world.objects) == ["chosen.pdf"]


async def test_the_question_about_a_taken_name_survives_a_restart(world: World, side: Side) -> None:
    world.s3.put(BUCKET, "report.pdf", b"old")
    alice, chat = side.meet()
    async with world.bot({**NO_LIMITS, ON_CONFLICT: "ask"}):
        chat.send_document(alice, "report.pdf", b"new")
        question = await chat.wait_for("report.pdf is there already.")
    async with world.bot({**NO_LIMITS, ON_CONFLICT: "ask"}):
        side.press(chat, alice, question, "Replace")
        await chat.wait_for(SAVED)
    assert world.content("report.pdf") == b"new"


async def test_the_question_whether_to_delete_survives_a_restart(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        chat.say(alice, "/delete report.pdf")
        question = await chat.wait_for("Delete report.pdf?")
    async with world.bot(NO_LIMITS):
        side.press(chat, alice, question, "Yes, delete")
        await chat.wait_for("report.pdf is deleted.")
    assert world.objects == {}


async def test_old_buttons_work_after_a_restart(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        done = await saved(chat, alice, "report.pdf")
        chat.say(alice, "/list")
        listed = await chat.wait_for("Your saved files: 1")
    async with world.bot(NO_LIMITS):
        side.press(chat, alice, listed, "1")
        await chat.wait_for("report.pdf\n7 bytes, saved")
        side.press(chat, alice, done, "Link")
        await chat.wait_for("http://")


@in_each("cut", telegram=list(CUTS), vk=["after DeleteObject"])
async def test_a_rename_that_is_cut_off_anywhere_is_done_after_the_restart(world: World, side: Side, cut: str) -> None:
    call, when = CUTS[cut]
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings):
        async with world.bot(settings) as running:
            side.press(chat, alice, await saved(chat, alice, "report.pdf"), "Rename")
            await chat.wait_for("What shall report.pdf be called?")
            held = proxy.hold(call, when=when)
            chat.say(alice, "chosen")
            await held.reached.wait()
            running.scope.cancel()
            held.release(Reset())
        async with world.bot(settings):
            await chat.wait_for("report.pdf is called chosen.pdf now.")
    assert world.contents == {"chosen.pdf": b"content"}
    assert world.s3.uploads(BUCKET) == []
    assert sum("is called" in text for text in said(chat)) == 1


@in_each("when", telegram=["before", "after"], vk=["after"])
async def test_a_deletion_that_is_cut_off_is_done_after_the_restart(world: World, side: Side, when: str) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings):
        async with world.bot(settings) as running:
            await saved(chat, alice, "report.pdf")
            chat.say(alice, "/delete report.pdf")
            await chat.wait_for("Delete report.pdf?")
            held = proxy.hold("DeleteObject", when=When[when.upper()])
            chat.say(alice, "yes")
            await held.reached.wait()
            running.scope.cancel()
            held.release(Reset())
        async with world.bot(settings):
            await chat.wait_for("report.pdf is deleted.")
    assert world.objects == {}
    assert not any("gone already" in text for text in said(chat))


@in_each("call", telegram=RENAMING, vk=RENAMING[-1:])
async def test_a_rename_waits_out_what_is_wrong_with_the_store(world: World, side: Side, call: str) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings, HASTY):
        side.press(chat, alice, await saved(chat, alice, "report.pdf"), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        strikes = [proxy.add(fault, match=call) for fault in (S3_SLOW_DOWN, Reset(), Refused())]
        chat.say(alice, "chosen")
        for strike in strikes:
            await strike.struck()
        await chat.wait_for("report.pdf is called chosen.pdf now.")
    assert world.contents == {"chosen.pdf": b"content"}
    assert world.s3.uploads(BUCKET) == []


async def test_who_waits_for_a_rename_is_told_once_why_and_hears_when_it_is_done(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings):
        async with world.bot(settings):
            done = await saved(chat, alice, "report.pdf")
        async with world.bot(settings, HASTY):
            side.press(chat, alice, done, "Rename")
            await chat.wait_for("What shall report.pdf be called?")
            strike = proxy.add(S3_SLOW_DOWN, match="ListMultipartUploads", times=None)
            chat.say(alice, "chosen")
            await chat.wait_for(OUT_OF_ORDER)
            assert await toast(side.press(chat, alice, done, "Rename")) == "Still working on it."
            told = strike.count
            await strike.struck(told + 3)
            strike.disarm()
            await chat.wait_for("report.pdf is called chosen.pdf now.")
    assert told >= WORTH_TELLING
    assert sum(text.startswith(OUT_OF_ORDER) for text in said(chat)) == 1
    assert list(world.objects) == ["chosen.pdf"]


async def test_trouble_with_one_rename_does_not_hold_up_documents(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings, HASTY):
        side.press(chat, alice, await saved(chat, alice, "report.pdf"), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        strike = proxy.add(S3_SLOW_DOWN, match="UploadPartCopy", times=None)
        chat.say(alice, "chosen")
        await strike.struck()
        await saved(chat, alice, "other.pdf")
        assert "report.pdf" in world.objects
