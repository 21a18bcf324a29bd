"""The emulator's groups, topics, channels, and the ways in which a chat closes itself to the bot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from trio_s3_bot.sandbox.telegram import Telegram, User

Call = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def alice(telegram: Telegram) -> User:
    return telegram.user("Alice")


async def newest(call: Call) -> dict[str, Any]:
    update: dict[str, Any] = (await call("getUpdates", offset=-1))["result"][0]
    return update


async def test_a_command_is_marked_in_the_text(telegram: Telegram, alice: User, call: Call) -> None:
    telegram.private_chat(alice).say(alice, "😀 /start@sandbox_bot now")
    message = (await newest(call))["message"]
    assert message["entities"] == [{"type": "bot_command", "offset": 3, "length": 18}]
    assert message["from"] == {"id": alice.id, "is_bot": False, "first_name": "Alice"}


async def test_a_change_of_language_is_told_with_the_next_message(telegram: Telegram, alice: User, call: Call) -> None:
    alice.language = "ru"
    telegram.private_chat(alice).say(alice, "привет")
    assert (await newest(call))["message"]["from"]["language_code"] == "ru"


async def test_an_edit_is_an_update_of_its_own(telegram: Telegram, alice: User, call: Call) -> None:
    chat = telegram.private_chat(alice)
    message = chat.say(alice, "helo")["message_id"]
    chat.edit(message, text="hello")
    edited = (await newest(call))["edited_message"]
    assert (edited["message_id"], edited["text"]) == (message, "hello")
    assert edited["edit_date"]


async def test_a_forwarded_document_is_the_same_file(telegram: Telegram, alice: User, call: Call) -> None:
    chat = telegram.private_chat(alice)
    first = chat.send_document(alice, "a.txt", b"x")
    chat.forward(alice, first)
    assert (await newest(call))["message"]["document"] == first["document"]


async def test_an_album_is_several_messages_with_one_group_id(telegram: Telegram, alice: User, call: Call) -> None:
    chat = telegram.private_chat(alice)
    for name in ("a.txt", "b.txt"):
        chat.send_document(alice, name, b"x", album="77", caption="both" if name == "a.txt" else None)
    messages = [update["message"] for update in (await call("getUpdates"))["result"]]
    assert [message["media_group_id"] for message in messages] == ["77", "77"]
    assert [message.get("caption") for message in messages] == ["both", None]


async def test_a_bot_that_was_blocked_is_told_so_and_refused(telegram: Telegram, alice: User, call: Call) -> None:
    chat = telegram.private_chat(alice)
    telegram.block(alice)
    assert (await newest(call))["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    answer = await call("sendMessage", chat_id=chat.id, text="x")
    assert (answer["error_code"], answer["description"]) == (403, "Forbidden: bot was blocked by the user")
    with pytest.raises(ValueError, match="nobody can write"):
        chat.say(alice, "x")
    telegram.unblock(alice)
    assert (await call("sendMessage", chat_id=chat.id, text="x"))["ok"]


@pytest.mark.parametrize(("supergroup", "what"), [(False, "group"), (True, "supergroup")])
async def test_a_bot_that_was_kicked_hears_nothing_and_is_refused(
    telegram: Telegram, alice: User, call: Call, supergroup: bool, what: str
) -> None:
    group = telegram.group("Team", [alice], supergroup=supergroup)
    telegram.kick(group)
    group.say(alice, "at last alone")
    assert list(await newest(call)) == ["update_id", "my_chat_member"]
    answer = await call("sendMessage", chat_id=group.id, text="x")
    assert answer["description"] == f"Forbidden: bot was kicked from the {what} chat"


async def test_a_bot_cannot_begin_a_conversation(telegram: Telegram, alice: User, call: Call) -> None:
    chat = telegram.private_chat(alice, started=False)
    answer = await call("sendMessage", chat_id=chat.id, text="x")
    assert answer["description"] == "Forbidden: bot can't initiate conversation with a user"
    chat.say(alice, "/start")
    assert (await newest(call))["message"]["text"] == "/start"
    assert (await call("sendMessage", chat_id=chat.id, text="x"))["ok"]


async def test_a_deactivated_person_is_refused(telegram: Telegram, alice: User, call: Call) -> None:
    telegram.deactivate(alice)
    answer = await call("sendMessage", chat_id=alice.id, text="x")
    assert answer["description"] == "Forbidden: user is deactivated"


async def test_a_group_that_became_a_supergroup_tells_its_new_id(telegram: Telegram, alice: User, call: Call) -> None:
    group = telegram.group("Team", [alice])
    new = telegram.migrate_to_supergroup(group)
    first, second = [update["message"] for update in (await call("getUpdates"))["result"]]
    assert (first["chat"]["id"], first["migrate_to_chat_id"]) == (group.id, new.id)
    assert (second["chat"]["id"], second["migrate_from_chat_id"]) == (new.id, group.id)
    answer = await call("sendMessage", chat_id=group.id, text="x")
    assert answer["description"] == "Bad Request: group chat was upgraded to a supergroup chat"
    assert answer["parameters"] == {"migrate_to_chat_id": new.id}


async def test_ids_of_messages_repeat_between_supergroups_but_not_between_private_chats(
    telegram: Telegram, alice: User
) -> None:
    bob = telegram.user("Bob")
    one, two = telegram.group("1", [alice], supergroup=True), telegram.group("2", [alice], supergroup=True)
    assert one.say(alice, "x")["message_id"] == two.say(alice, "x")["message_id"]
    mine, his = telegram.private_chat(alice), telegram.private_chat(bob)
    assert mine.say(alice, "x")["message_id"] != his.say(bob, "x")["message_id"]


async def test_a_topic_has_an_id_and_general_has_none(telegram: Telegram, alice: User, call: Call) -> None:
    forum = telegram.group("Forum", [alice], forum=True)
    topic = forum.create_topic(alice, "Files")
    message = forum.say(alice, "in a topic", topic=topic)
    assert (message["message_thread_id"], message["is_topic_message"]) == (topic, True)
    assert message["reply_to_message"]["forum_topic_created"]["name"] == "Files"
    assert "message_thread_id" not in forum.say(alice, "in General")
    sent = await call("sendMessage", chat_id=forum.id, text="x", message_thread_id=topic)
    assert sent["result"]["message_thread_id"] == topic
    assert (await call("sendMessage", chat_id=forum.id, text="x"))["ok"]


@pytest.mark.parametrize(
    ("thread", "refusal"), [(1, "message thread not found"), (999, "message thread not found"), (0, "TOPIC_CLOSED")]
)
async def test_general_unknown_and_closed_topics_are_refused(
    telegram: Telegram, alice: User, call: Call, thread: int, refusal: str
) -> None:
    forum = telegram.group("Forum", [alice], forum=True)
    forum.say(alice, "so that the topic is not number 1")
    topic = forum.create_topic(alice, "Files")
    forum.close_topic(topic)
    answer = await call("sendMessage", chat_id=forum.id, text="x", message_thread_id=thread or topic)
    assert answer["description"] == f"Bad Request: {refusal}"


async def test_a_chat_action_accepts_the_general_topic(telegram: Telegram, alice: User, call: Call) -> None:
    forum = telegram.group("Forum", [alice], forum=True)
    assert (await call("sendChatAction", chat_id=forum.id, action="typing", message_thread_id=1))["ok"]


async def test_in_privacy_mode_a_group_shows_the_bot_only_what_is_meant_for_it(
    telegram: Telegram, alice: User, call: Call
) -> None:
    telegram.privacy = True
    group = telegram.group("Team", [alice])
    said = (await call("sendMessage", chat_id=group.id, text="question"))["result"]["message_id"]
    group.say(alice, "chatter")
    group.send_document(alice, "private.pdf", b"x")
    group.say(alice, "/help")
    group.say(alice, "hey @sandbox_bot")
    group.say(alice, "an answer", reply_to=said)
    group.join(telegram.user("Bob"))
    messages = [update["message"] for update in (await call("getUpdates"))["result"]]
    assert [message.get("text") for message in messages] == ["/help", "hey @sandbox_bot", "an answer", None]
    assert not (await call("getMe"))["result"]["can_read_all_group_messages"]


async def test_a_channel_post_has_no_author(telegram: Telegram, call: Call) -> None:
    telegram.channel("News").send_document(None, "news.pdf", b"x")
    post = (await newest(call))["channel_post"]
    assert "from" not in post
    assert post["sender_chat"]["type"] == "channel"


async def test_a_closing_tag_is_no_command(telegram: Telegram, alice: User) -> None:
    assert "entities" not in telegram.private_chat(alice).say(alice, "<b>x</b> a/b")
