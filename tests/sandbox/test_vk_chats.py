"""What people do in the emulated VK, and how the bot is told of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trio_s3_bot.sandbox.vk import GROUP_PEERS, Chat, User, Vk

from .vk_client import VkClient


@pytest.fixture
async def client(client: VkClient) -> VkClient:
    """A client that has a key."""
    await client.connect()
    return client


@pytest.fixture
def alice(vk: Vk) -> User:
    return vk.user("Alice", language="en")


@pytest.fixture
def chat(vk: Vk, alice: User) -> Chat:
    return vk.private_chat(alice)


def keyboard(kind: str = "callback", payload: str = '{"do":"go"}', **extra: Any) -> dict[str, Any]:
    return {"buttons": [[{"action": {"type": kind, "label": "Go", "payload": payload}}]], **extra}


async def offer(client: VkClient, chat: Chat, shown: dict[str, Any]) -> int:
    """Send a keyboard; the number of its message."""
    message = {"peer_ids": chat.id, "message": "press", "random_id": 0, "keyboard": shown}
    (item,) = await client.result("messages.send", **message)
    return int(item["conversation_message_id"])


async def test_a_client_that_shows_no_buttons_in_messages_presses_none(
    client: VkClient, alice: User, chat: Chat
) -> None:
    alice.inline_keyboard = False
    number = await offer(client, chat, keyboard("text", inline=True))
    with pytest.raises(ValueError, match="shows no such keyboard"):
        chat.press(alice, number, "Go")
    await offer(client, chat, keyboard("text"))
    alice.keyboard = False
    with pytest.raises(ValueError, match="shows no such keyboard"):
        chat.press(alice, None, "Go")


async def test_a_message_is_told_with_what_the_client_can_do(client: VkClient, alice: User, chat: Chat) -> None:
    chat.say(alice, "hello")
    told = await client.newest()
    assert told.keys() == {"client_info", "message"}
    assert told["client_info"]["lang_id"] == 3
    assert "callback" in told["client_info"]["button_actions"]
    message = told["message"]
    assert (message["text"], message["from_id"], message["peer_id"]) == ("hello", alice.id, alice.id)
    assert (message["id"], message["conversation_message_id"], message["out"]) == (1, 1, 0)
    assert "message_id" not in message


@pytest.mark.parametrize(("language", "number"), [("ru", 0), ("en", 3), ("en-GB", 3), (None, None)])
async def test_a_language_is_a_number_and_may_be_missing_and_may_change(
    client: VkClient, alice: User, chat: Chat, language: str | None, number: int | None
) -> None:
    alice.language = language
    chat.say(alice, "hello")
    assert (await client.newest())["client_info"].get("lang_id") == number


async def test_in_a_group_the_id_is_0_and_the_peer_is_the_group(vk: Vk, client: VkClient, alice: User) -> None:
    group = vk.group("Team", [alice])
    group.say(alice, "hello")
    message = (await client.newest())["message"]
    assert (message["id"], message["conversation_message_id"], message["from_id"]) == (0, 1, alice.id)
    assert message["peer_id"] == group.id == GROUP_PEERS + 1


async def test_a_community_is_mentioned_as_the_clients_write_it(vk: Vk, client: VkClient, alice: User) -> None:
    vk.group("Team", [alice]).say(alice, f"@club{vk.group_id} hello, @nobody")
    assert (await client.newest())["message"]["text"] == f"[club{vk.group_id}|@club{vk.group_id}] hello, @nobody"


async def test_without_access_to_all_messages_only_what_is_addressed_to_the_bot_is_told(
    vk: Vk, client: VkClient, alice: User
) -> None:
    vk.privacy = True
    group = vk.group("Team", [alice])
    (item,) = await client.result("messages.send", peer_ids=group.id, message="hi", random_id=0)
    group.say(alice, "not for the bot")
    group.say(alice, f"@club{vk.group_id} for the bot")
    group.say(alice, "a reply", reply_to=item["conversation_message_id"])
    told = [event["object"]["message"]["text"] for event in await client.events()]
    assert told == [f"[club{vk.group_id}|@club{vk.group_id}] for the bot", "a reply"]


@pytest.mark.parametrize(("language", "text"), [("ru", "Начать"), ("en", "Start")])
async def test_the_start_button_says_so_in_its_payload(vk: Vk, client: VkClient, language: str, text: str) -> None:
    user = vk.user("Somebody", language=language)
    vk.private_chat(user).start(user)
    message = (await client.newest())["message"]
    assert (message["text"], message["payload"]) == (text, '{"command":"start"}')


async def test_a_reply_carries_the_message_it_is_to(client: VkClient, alice: User, chat: Chat) -> None:
    document = chat.send_document(alice, "a.txt", b"x", caption="this")
    chat.say(alice, "what about it?", reply_to=document["message_id"])
    quoted = (await client.newest())["message"]["reply_message"]
    assert (quoted["text"], quoted["attachments"][0]["doc"]["title"]) == ("this", "a.txt")


async def test_a_forwarded_document_is_inside_a_forwarded_message(client: VkClient, alice: User, chat: Chat) -> None:
    chat.forward(alice, chat.send_document(alice, "a.txt", b"x"))
    message = (await client.newest())["message"]
    assert message["attachments"] == []
    assert message["fwd_messages"][0]["attachments"][0]["doc"]["title"] == "a.txt"


async def test_a_document_may_be_inside_of_something_else(vk: Vk, client: VkClient, alice: User, chat: Chat) -> None:
    docs = chat.send_document(alice, "a.txt", b"x")["attachments"]
    chat.post(alice, {"attachments": [{"type": "wall", "wall": {"id": 1, "attachments": docs}}]})
    (inside,) = (await client.newest())["message"]["attachments"][0]["wall"]["attachments"]
    assert inside["doc"]["title"] == "a.txt"
    assert vk.content(inside).size == 1


async def test_an_edit_is_an_event_where_that_is_ticked(vk: Vk, client: VkClient, alice: User, chat: Chat) -> None:
    number = chat.say(alice, "helo")["message_id"]
    chat.edit(number, text="hello")
    assert [event["type"] for event in await client.events()] == ["message_new"]
    vk.settings.events.add("message_edit")
    chat.edit(number, text="hello!")
    (event,) = await client.events()
    assert (event["type"], event["object"]["text"]) == ("message_edit", "hello!")
    assert event["object"]["update_time"]


async def test_who_comes_and_goes_is_told_by_service_messages(vk: Vk, client: VkClient, alice: User) -> None:
    bob = vk.user("Bob")
    group = vk.group("Team", [alice])
    group.join(bob)
    group.leave(bob)
    vk.kick(group)
    vk.readmit(group)
    actions = [event["object"]["message"]["action"] for event in await client.events()]
    assert actions == [
        {"type": "chat_invite_user", "member_id": bob.id},
        {"type": "chat_kick_user", "member_id": bob.id},
        {"type": "chat_invite_user", "member_id": -vk.group_id},
    ]


@pytest.mark.parametrize(
    ("as_string", "payload", "told"),
    [(False, '{"do":"go"}', {"do": "go"}), (True, '{"do":"go"}', '{"do":"go"}'), (False, '"go"', "go")],
)
async def test_a_pressed_callback_button_is_an_event_with_its_payload(
    vk: Vk, client: VkClient, alice: User, chat: Chat, as_string: bool, payload: str, told: object
) -> None:
    vk.payload_as_string = as_string
    number = await offer(client, chat, keyboard(payload=payload, inline=True))
    press = chat.press(alice, number, "Go")
    (event,) = await client.events()
    assert event["type"] == "message_event"
    assert event["event_id"] != press.id
    assert event["object"] == {
        "user_id": alice.id,
        "peer_id": chat.id,
        "event_id": press.id,
        "payload": told,
        "conversation_message_id": number,
    }


async def test_a_callback_below_the_input_has_no_message(client: VkClient, alice: User, chat: Chat) -> None:
    await offer(client, chat, keyboard())
    chat.press(alice, None, "go")
    assert "conversation_message_id" not in await client.newest()


async def test_without_its_event_type_a_callback_is_not_told(vk: Vk, client: VkClient, alice: User, chat: Chat) -> None:
    vk.settings.events.remove("message_event")
    chat.press(alice, await offer(client, chat, keyboard(inline=True)), "Go")
    assert await client.events() == []


async def answer(client: VkClient, press_id: str, chat: Chat, data: dict[str, Any] | None = None) -> dict[str, Any]:
    event = {"event_id": press_id, "user_id": chat.members[0].id, "peer_id": chat.id}
    return await client.call("messages.sendMessageEventAnswer", **event, **({"event_data": data} if data else {}))


async def test_a_press_is_answered_once(client: VkClient, alice: User, chat: Chat) -> None:
    press = chat.press(alice, await offer(client, chat, keyboard(inline=True)), "go")
    snackbar = {"type": "show_snackbar", "text": "Done"}
    assert await answer(client, press.id, chat, snackbar) == {"response": 1}
    assert (await press.answered())["text"] == "Done"
    assert (await answer(client, press.id, chat))["error"]["error_code"] == 100


async def test_a_press_may_be_answered_with_nothing(client: VkClient, alice: User, chat: Chat) -> None:
    press = chat.press(alice, await offer(client, chat, keyboard(inline=True)), "go")
    assert await answer(client, press.id, chat) == {"response": 1}
    assert "event_data" not in await press.answered()


async def test_a_press_can_be_answered_for_a_minute(vk: Vk, client: VkClient, alice: User, chat: Chat) -> None:
    assert vk.callback_lifetime == 60
    press = chat.press(alice, await offer(client, chat, keyboard(inline=True)), "go")
    press.time -= 61
    assert (await answer(client, press.id, chat))["error"]["error_code"] == 100
    assert press.answer is None


async def test_a_press_is_not_answered_for_somebody_else(vk: Vk, client: VkClient, alice: User, chat: Chat) -> None:
    press = chat.press(alice, await offer(client, chat, keyboard(inline=True)), "go")
    other = vk.private_chat(vk.user("Bob"))
    assert (await answer(client, press.id, other))["error"]["error_code"] == 100
    assert (await answer(client, "nonsense", chat))["error"]["error_code"] == 100


@pytest.mark.parametrize(
    "data",
    [
        {"type": "show_snackbar", "text": "x" * 91},
        {"type": "show_snackbar"},
        {"type": "open_link", "link": "https://" + "x" * 1000},
        {"type": "show_alert", "text": "x"},
        {"type": "show_snackbar", "text": "x", "colour": "red"},
    ],
    ids=["too long a text", "no text", "too long", "unknown type", "unknown field"],
)
async def test_an_answer_beyond_the_rules_is_refused_and_complained_of(
    vk: Vk, client: VkClient, alice: User, chat: Chat, data: dict[str, Any]
) -> None:
    press = chat.press(alice, await offer(client, chat, keyboard(inline=True)), "go")
    assert (await answer(client, press.id, chat, data))["error"]["error_code"] == 100
    assert press.answer is None
    assert len(vk.complaints) == 1
    vk.complaints.clear()


async def test_a_text_button_says_its_label_and_carries_its_payload(client: VkClient, alice: User, chat: Chat) -> None:
    press = chat.press(alice, await offer(client, chat, keyboard("text", inline=True)), "go")
    message = (await client.newest())["message"]
    assert (message["text"], message["payload"], message["from_id"]) == ("Go", '{"do":"go"}', alice.id)
    with pytest.raises(ValueError, match="no answer but what the bot says"):
        await press.answered()


async def test_a_text_button_in_a_group_mentions_the_community(vk: Vk, client: VkClient, alice: User) -> None:
    group = vk.group("Team", [alice])
    await offer(client, group, keyboard("text"))
    group.press(alice, None, "Go")
    assert (await client.newest())["message"]["text"] == f"[club{vk.group_id}|@club{vk.group_id}] Go"


async def test_a_keyboard_for_one_time_is_gone_after_it(client: VkClient, alice: User, chat: Chat) -> None:
    await offer(client, chat, keyboard("text", one_time=True))
    chat.press(alice, None, "Go")
    with pytest.raises(ValueError, match="no button"):
        chat.press(alice, None, "Go")


async def test_an_old_client_says_that_it_does_not_know_a_button(client: VkClient, alice: User, chat: Chat) -> None:
    alice.button_actions = ("text",)
    chat.press(alice, await offer(client, chat, keyboard(inline=True)), "go")
    told = await client.newest()
    assert json.loads(told["message"]["payload"]) == {"command": "not_supported_button", "payload": '{"do":"go"}'}
    assert told["client_info"]["button_actions"] == ["text"]


async def test_a_button_that_is_not_there_can_only_be_forged(client: VkClient, alice: User, chat: Chat) -> None:
    number = await offer(client, chat, keyboard(inline=True))
    with pytest.raises(ValueError, match="no button"):
        chat.press(alice, number, "stop")
    chat.press(alice, number, "stop", forged=True)
    assert (await client.newest())["payload"] == "stop"


async def test_a_button_that_opens_a_link_is_nothing_to_the_bot(client: VkClient, alice: User, chat: Chat) -> None:
    link = {"action": {"type": "open_link", "label": "Look", "link": "https://example.com"}}
    number = await offer(client, chat, {"inline": True, "buttons": [[link]]})
    with pytest.raises(ValueError, match="no button"):
        chat.press(alice, number, "Look")


async def test_who_forbids_messages_is_not_written_to(vk: Vk, client: VkClient, alice: User, chat: Chat) -> None:
    vk.settings.events |= {"message_allow", "message_deny"}
    vk.block(alice)
    message = {"peer_id": chat.id, "message": "x", "random_id": 0}
    refusal = await client.error("messages.send", **message)
    assert refusal == (901, "Can't send messages for users without permission")
    with pytest.raises(ValueError, match="nobody can write"):
        chat.say(alice, "x")
    vk.unblock(alice)
    assert await client.result("messages.send", **message) > 0
    assert [event["type"] for event in await client.events()] == ["message_deny", "message_allow"]


@pytest.mark.parametrize("code", [18, 900, 902, 936])
async def test_a_person_can_be_out_of_reach_for_other_reasons(vk: Vk, client: VkClient, chat: Chat, code: int) -> None:
    vk.block(chat, code)
    for method in ("messages.send", "messages.edit"):
        params = {"random_id": 0} if method == "messages.send" else {"cmid": 1}
        assert (await client.error(method, peer_id=chat.id, message="x", **params))[0] == code
    assert (await client.error("messages.setActivity", peer_id=chat.id, type="typing"))[0] == code


async def test_a_deleted_account_is_error_18(vk: Vk, client: VkClient, alice: User, chat: Chat) -> None:
    vk.deactivate(alice)
    refusal = await client.error("messages.send", peer_id=chat.id, message="x", random_id=0)
    assert refusal == (18, "User was deleted or banned")


async def test_who_never_wrote_can_be_written_to_after_they_did(vk: Vk, client: VkClient, alice: User) -> None:
    vk.settings.events.add("message_allow")
    chat = vk.private_chat(alice, started=False)
    message = {"peer_id": chat.id, "message": "x", "random_id": 0}
    assert (await client.error("messages.send", **message))[0] == 901
    chat.say(alice, "hello")
    assert await client.result("messages.send", **message) > 0
    assert [event["type"] for event in await client.events()] == ["message_allow", "message_new"]


@pytest.mark.parametrize("code", [917, 922, 945])
async def test_a_bot_that_was_kicked_hears_nothing_and_is_refused(
    vk: Vk, client: VkClient, alice: User, code: int
) -> None:
    group = vk.group("Team", [alice])
    vk.kick(group, code)
    group.say(alice, "in secret")
    assert await client.events() == []
    assert (await client.error("messages.send", peer_id=group.id, message="x", random_id=0))[0] == code
