"""The dialogue in a group: each document is its sender's, and only what is said to the bot is an answer."""

from __future__ import annotations

import pytest

from tests.bot.dialogue import ASK, Held, saved, toast
from tests.bot.talk import NO_LIMITS, SAVED, all_handled, only, said, store_behind_proxy
from tests.sides import Side
from tests.world import World

NOT_YOURS = "Only the one who sent the file can do that."


async def test_a_question_in_a_group_is_answered_by_a_reply_of_the_one_it_was_put_to(world: World, side: Side) -> None:
    group, alice, bob = side.team("Alice", "Bob")
    async with world.bot(NO_LIMITS):
        sent = group.send_document(alice, "report.pdf", b"content")
        side.press(group, alice, await group.wait_for(SAVED), "Rename")
        question = await group.wait_for("What shall report.pdf be called?")
        group.say(alice, "not a reply.pdf")
        group.say(bob, "bobs.pdf", reply_to=question["message_id"])
        await group.wait_for("[document is required]")
        group.say(alice, "hers.pdf", reply_to=question["message_id"])
        await group.wait_for("report.pdf is called hers.pdf now.")
    assert side.answered(question) == sent["message_id"]
    assert list(world.objects) == ["hers.pdf"]


async def test_other_peoples_presses_and_commands_do_nothing(world: World, side: Side) -> None:
    group, alice, bob = side.team("Alice", "Bob")
    async with world.bot(NO_LIMITS):
        done = await saved(group, alice, "report.pdf")
        for label in ("Rename", "Link"):
            assert await toast(side.press(group, bob, done, label)) == NOT_YOURS
        for command in ("rename new.pdf", "delete", "link"):
            group.say(bob, f"/{command}", reply_to=done["message_id"])
        group.say(bob, "/delete report.pdf")
        await group.wait_for(NOT_YOURS, count=4)
        group.say(bob, "/list")
        listed = await group.wait_for("Your saved files: 1")
        assert await toast(side.press(group, bob, listed, "1")) == NOT_YOURS
    assert list(world.objects) == ["report.pdf"]


async def test_everybody_may_turn_the_pages_of_a_list(world: World, side: Side) -> None:
    group, alice, bob = side.team("Alice", "Bob")
    async with world.bot(NO_LIMITS):
        for number in range(11):
            group.send_document(alice, f"{number}.txt", b"content")
        await group.wait_for(lambda _: all(f"{n}.txt, 7" in "".join(said(group)) for n in range(11)))
        group.say(alice, "/list")
        listed = await group.wait_for("page 1 of 2")
        side.press(group, bob, listed, "›")
        await group.wait_for("page 2 of 2")


async def test_two_people_with_files_of_one_name_are_each_asked_about_their_own(world: World, side: Side) -> None:
    group, alice, bob = side.team("Alice", "Bob")
    async with world.bot({**NO_LIMITS, **ASK}):
        talk = Held()
        side.world.faults.add(method=side.names.send, answer=talk)
        group.say(alice, "/start")
        await talk.reached.wait()
        for person in (alice, bob):
            group.send_document(person, "report.pdf", person.first_name.encode())
        await all_handled(group, alice)
        talk.release()
        taken = await group.wait_for("[document] 2 files taken")
        group.say(bob, "bobs", reply_to=taken["message_id"])
        group.say(alice, "alices", reply_to=taken["message_id"])
        await group.wait_for(lambda _: all(f"{name}s.pdf, " in "".join(said(group)) for name in ("alice", "bob")))
    assert world.contents == {"alices.pdf": b"Alice", "bobs.pdf": b"Bob"}


async def test_cancel_in_a_group_finds_the_persons_own_upload_behind_others(world: World, side: Side) -> None:
    group, alice, bob = side.team("Alice", "Bob")
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        held = [proxy.hold("PutObject") for _ in range(4)]
        for number in range(3):
            group.send_document(alice, f"{number}.txt", b"content")
        group.send_document(bob, "bobs.txt", b"content")
        for hold in held:
            await hold.reached.wait()
        group.say(bob, "/cancel")
        await group.wait_for(lambda message: "bobs.txt" in message["text"] and "cancelled" in message["text"])
        for hold in held:
            hold.release()
        await world.s3.wait(lambda: set(world.objects) == {"0.txt", "1.txt", "2.txt"})


@only("telegram", "nobody is anonymous in VK's groups")
async def test_an_anonymous_admin_decides_about_what_was_sent_anonymously_and_nothing_else(
    world: World, side: Side
) -> None:
    group, alice, _ = side.team("Alice", "Bob")
    async with world.bot(NO_LIMITS):
        done = await saved(group, alice, "hers.pdf")
        group.post(None, {"text": "/delete", "reply_to_message": done})
        await group.wait_for(NOT_YOURS)
    assert list(world.objects) == ["hers.pdf"]


@only("telegram", "VK's groups have no topics")
@pytest.mark.parametrize("in_topic", [False, True])
async def test_a_question_is_put_where_the_document_was_sent(world: World, side: Side, in_topic: bool) -> None:
    alice = world.telegram.user("Alice", language="en")
    group = world.telegram.group("Forum", [alice], forum=in_topic)
    topic = group.create_topic(alice, "Files") if in_topic else None
    async with world.bot(NO_LIMITS):
        group.send_document(alice, "report.pdf", b"content", topic=topic)
        side.press(group, alice, await group.wait_for(SAVED), "Rename")
        question = await group.wait_for("What shall report.pdf be called?")
        group.say(alice, "/cancel", reply_to=question["message_id"], topic=topic)
        await group.wait_for("Its name stays report.pdf.")
        await all_handled(group, alice)
    assert question.get("message_thread_id") == topic


@only("telegram", "VK's groups have no topics")
async def test_in_a_topic_what_replies_to_nothing_means_what_it_says(world: World) -> None:
    """Telegram lets each message there reply to the one that made the topic."""
    alice = world.telegram.user("Alice", language="en")
    forum = world.telegram.group("Forum", [alice], forum=True)
    topic = forum.create_topic(alice, "Files")
    async with store_behind_proxy(world) as (proxy, settings), world.bot({**settings, **NO_LIMITS}):
        forum.send_document(alice, "report.pdf", b"content", topic=topic)
        await forum.wait_for(SAVED)
        forum.say(alice, "/rename report.pdf", topic=topic)
        await forum.wait_for("What shall report.pdf be called?")
        hold = proxy.hold("PutObject")
        forum.send_document(alice, "other.pdf", b"more", topic=topic)
        await hold.reached.wait()
        forum.say(alice, "/cancel", topic=topic)
        await forum.wait_for("Its name stays report.pdf.")
        forum.say(alice, "/cancel", topic=topic)
        await forum.wait_for("other.pdf is cancelled.")
        hold.release()
