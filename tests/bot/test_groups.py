"""In groups, topics and channels: the bot answers what is meant for it, there, and is silent otherwise."""

from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from tests.bot.talk import NO_LIMITS, SAVED, all_handled, in_each, markers, meet, only, said, store_behind_proxy
from tests.sides import Side
from tests.world import World
from trio_s3_bot.sandbox.telegram import Chat, User

BOT, COMMUNITY = "sandbox_bot", 200_000_001


def group_of(world: World, *people: str, **kind: bool) -> tuple[Chat, list[User]]:
    members = [world.telegram.user(name, language="en") for name in people]
    return world.telegram.group("Friends", members, **kind), members


async def test_a_document_in_a_group_is_greeted_acknowledged_and_saved(world: World, side: Side) -> None:
    async with world.bot(NO_LIMITS):
        group, alice = side.team("Alice")
        group.send_document(alice, "report.pdf", b"content")
        await group.wait_for(SAVED)
    assert markers(group) == ["[greeting]", "[document]", SAVED]
    assert world.content("report.pdf") == b"content"


async def test_what_group_members_say_to_each_other_gets_no_answer(world: World, side: Side) -> None:
    async with world.bot(NO_LIMITS):
        group, alice, bob = side.team("Alice", "Bob")
        first = group.say(alice, "hello everybody")
        group.say(bob, "hello", reply_to=first["message_id"])
        group.send_photo(bob)
        group.send_sticker(alice)
        group.send_audio(bob)
        await all_handled(group, alice)
    assert said(group) == []


@in_each("command", telegram=["/start", f"/start@{BOT} now"], vk=["/start", f"@club{COMMUNITY} начать"])
async def test_a_command_in_a_group_is_answered(world: World, side: Side, command: str) -> None:
    async with world.bot(NO_LIMITS):
        group, alice = side.team("Alice")
        group.say(alice, command)
        await group.wait_for("[greeting]")
        group.say(alice, command)
        await group.wait_for("[document is required]")
    assert markers(group) == ["[greeting]", "[document is required]"]


@only("telegram", "who mentions the bot in VK addresses it")
async def test_a_mention_of_the_bot_without_a_command_gets_no_answer(world: World) -> None:
    async with world.bot(NO_LIMITS):
        group, (alice,) = group_of(world, "Alice")
        group.say(alice, f"have you seen @{BOT}?")
        await all_handled(group, alice)
    assert said(group) == []


async def test_a_command_with_more_lines_is_answered(world: World) -> None:
    async with world.bot(NO_LIMITS):
        group, (alice,) = group_of(world, "Alice")
        group.say(alice, f"/start@{BOT}\nplease")
        await all_handled(group, alice)
    assert markers(group) == ["[greeting]"]


async def test_a_command_for_another_bot_gets_no_answer(world: World) -> None:
    async with world.bot(NO_LIMITS):
        group, (alice,) = group_of(world, "Alice")
        group.say(alice, "/start@other_bot")
        await all_handled(group, alice)
    assert said(group) == []


async def test_a_reply_to_the_bot_is_answered_and_one_to_a_person_is_not(world: World, side: Side) -> None:
    async with world.bot(NO_LIMITS):
        group, alice, bob = side.team("Alice", "Bob")
        group.say(alice, "/start")
        greeting = await group.wait_for("[greeting]")
        hers = group.say(alice, "look")
        group.say(bob, "nice", reply_to=hers["message_id"])
        asked = group.say(bob, "and now?", reply_to=greeting["message_id"])
        answer = await group.wait_for("[document is required]")
        await all_handled(group, bob)
    assert markers(group) == ["[greeting]", "[document is required]"]
    assert side.answered(answer) == asked["message_id"]


async def test_in_a_group_an_answer_replies_to_the_message_it_is_about(world: World, side: Side) -> None:
    async with world.bot(NO_LIMITS):
        group, alice, bob = side.team("Alice", "Bob")
        group.say(alice, "/start")
        await group.wait_for("[greeting]")
        sent = group.send_document(bob, "report.pdf")
        saved = await group.wait_for(SAVED)
    accepted = group.bot_messages[1]
    assert [side.answered(message) for message in (accepted, saved)] == [sent["message_id"]] * 2


async def test_answers_go_to_the_topic_that_was_written_in(world: World) -> None:
    async with world.bot(NO_LIMITS):
        forum, (alice,) = group_of(world, "Alice", forum=True)
        topics = [forum.create_topic(alice, name) for name in ("Work", "Play")]
        for number, topic in enumerate([*topics, None]):
            forum.send_document(alice, f"{number}.txt", topic=topic)
        await forum.wait_for(SAVED, count=3)
    for topic in (*topics, None):
        here = [message["text"] for message in forum.bot_messages if message.get("message_thread_id") == topic]
        assert len(here) == 3
        assert [text.partition("]")[0] for text in here] == ["[greeting", "[document", "[document has been saved"]
    assert set(world.objects) == {"0.txt", "1.txt", "2.txt"}


async def test_a_closed_topic_does_not_silence_the_others(world: World) -> None:
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        forum, (alice,) = group_of(world, "Alice", forum=True)
        work, play = (forum.create_topic(alice, name) for name in ("Work", "Play"))
        upload = proxy.hold("PutObject")
        forum.send_document(alice, "work.txt", topic=work)
        await forum.wait_for("[document]")
        forum.close_topic(work)
        upload.release()
        await world.object("work.txt")
        forum.send_document(alice, "play.txt", topic=play)
        await forum.wait_for(SAVED)
    assert [text for text in said(forum) if SAVED in text] == [f"{SAVED} play.txt, 0 bytes"]


async def test_a_group_that_becomes_a_supergroup_meanwhile_is_told_there(world: World) -> None:
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        group, (alice,) = group_of(world, "Alice")
        upload = proxy.hold("PutObject")
        group.send_document(alice, "report.pdf", b"content")
        await group.wait_for("[document]")
        supergroup = world.telegram.migrate_to_supergroup(group)
        upload.release()
        await supergroup.wait_for(SAVED)
    assert markers(group) == ["[greeting]", "[document]"]
    assert markers(supergroup) == [SAVED]


async def test_a_group_that_became_a_supergroup_is_not_greeted_again(world: World) -> None:
    async with world.bot(NO_LIMITS):
        group, (alice,) = group_of(world, "Alice")
        group.say(alice, "/start")
        await group.wait_for("[greeting]")
        supergroup = world.telegram.migrate_to_supergroup(group)
        supergroup.say(alice, "/start")
        await supergroup.wait_for("]")
    assert markers(supergroup) == ["[document is required]"]


async def test_what_a_group_sent_before_it_became_a_supergroup_is_answered_there(world: World) -> None:
    """All of it comes in one batch, after the bot was away."""
    group, (alice,) = group_of(world, "Alice")
    for number in range(3):
        group.send_document(alice, f"{number}.txt", b"content")
    supergroup = world.telegram.migrate_to_supergroup(group)
    supergroup.send_document(alice, "3.txt", b"content")
    async with world.bot(NO_LIMITS):
        await supergroup.wait_for(lambda _: all(f"{n}.txt, " in "\n".join(said(supergroup)) for n in range(4)))
    assert said(group) == []
    assert markers(supergroup).count("[greeting]") == 1
    assert set(world.objects) == {"0.txt", "1.txt", "2.txt", "3.txt"}


async def test_a_group_that_threw_the_bot_out_does_not_hold_up_others_and_is_answered_when_it_lets_it_in(
    world: World,
    side: Side,
) -> None:
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        group, alice = side.team("Alice")
        upload = proxy.hold("PutObject")
        group.send_document(alice, "report.pdf", b"content")
        await group.wait_for("[document]")
        side.world.kick(group)
        upload.release()
        await world.object("report.pdf")
        person, chat = side.meet("Bob")
        chat.send_document(person, "other.pdf", b"content")
        await chat.wait_for(SAVED)
        side.world.readmit(group)
        group.say(alice, "/start")
        await group.wait_for("[document is required]")
    assert markers(group) == ["[greeting]", "[document]", "[document is required]"]


SERVICE: dict[str, Any] = {
    "pinned_message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}},
    "new_chat_title": "Foes",
    "delete_chat_photo": True,
    "message_auto_delete_timer_changed": {"message_auto_delete_time": 86400},
    "video_chat_ended": {"duration": 3},
    "boost_added": {"boost_count": 1},
    "users_shared": {"request_id": 1, "users": []},
    "write_access_allowed": {},
    "forum_topic_closed": {},
    "giveaway_created": {},
}


async def test_service_messages_get_no_answer(world: World) -> None:
    async with world.bot(NO_LIMITS):
        group, (alice, bob) = group_of(world, "Alice", "Bob")
        person, chat = meet(world, "Carol")
        for field, value in SERVICE.items():
            group.post(bob, {field: value})
            chat.post(person, {field: value})
        await all_handled(group, alice)
        await all_handled(chat, person)
    assert said(group) == said(chat) == []


async def test_edits_and_channel_posts_get_no_answer(world: World) -> None:
    """They aren't asked for; were they to come all the same, they would be passed over."""
    async with world.bot(NO_LIMITS):
        alice, chat = meet(world)
        await world.telegram.wait(lambda: world.telegram.polled)
        world.telegram.updates.allow(["message", "edited_message", "channel_post", "edited_channel_post"])
        channel = world.telegram.channel("News")
        posted = channel.send_document(None, "news.pdf", b"content")
        channel.edit(posted["message_id"], caption="corrected")
        message = chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
        chat.edit(message["message_id"], text="hallo")
        await all_handled(chat, alice)
    assert said(channel) == []
    assert markers(chat) == ["[greeting]"]
    assert world.objects == {}


async def test_who_comes_or_goes_gets_no_answer(world: World, side: Side) -> None:
    async with world.bot(NO_LIMITS):
        group, alice = side.team("Alice")
        carol = side.person("Carol")
        group.join(carol)
        group.leave(carol)
        await all_handled(group, alice)
    assert said(group) == []


async def test_other_bots_get_no_answer(world: World) -> None:
    async with world.bot(NO_LIMITS):
        group, (alice,) = group_of(world, "Alice")
        robot = User(77, "Robot", "robot_bot", is_bot=True)
        group.say(robot, "/start")
        group.send_document(robot, "spam.pdf", b"content")
        await all_handled(group, alice)
    assert said(group) == []
    assert world.objects == {}


async def test_an_anonymous_admin_is_served_although_telegram_shows_a_bot_as_the_sender(world: World) -> None:
    async with world.bot(NO_LIMITS):
        group, (_,) = group_of(world, "Alice", supergroup=True)
        anonymous = User(1087968824, "Group", "GroupAnonymousBot", is_bot=True)
        fields = {"sender_chat": group.as_json(), "text": "/start"}
        group.post(anonymous, fields)
        await group.wait_for("[greeting]")


async def test_telegrams_privacy_mode_is_pointed_out_at_start(world: World) -> None:
    world.telegram.privacy = True
    with capture_logs() as logs:
        async with world.bot(NO_LIMITS):
            pass
    warnings = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert any("/setprivacy" in warning for warning in warnings)
