"""The emulator sends and edits messages, and refuses what VK refuses."""

from __future__ import annotations

from typing import Any

import pytest

from trio_s3_bot.sandbox.vk import GROUP_PEERS, Chat, User, Vk, as_shown

from .vk_client import VkClient

ACCESS_DENIED = (15, "Access denied")
CANNOT_FORWARD = (921, "Can't forward these messages")


@pytest.fixture
def alice(vk: Vk) -> User:
    return vk.user("Alice", language="en")


@pytest.fixture
def chat(vk: Vk, alice: User) -> Chat:
    return vk.private_chat(alice)


def callback(label: str = "Go", payload: str = '{"do":"go"}', **button: Any) -> dict[str, Any]:
    return {"action": {"type": "callback", "label": label, "payload": payload}, **button}


def inline(*rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"inline": True, "buttons": list(rows) or [[callback()]]}


async def send(client: VkClient, chat: Chat, text: str = "hello", **params: Any) -> dict[str, Any]:
    """Send with `peer_ids`, and give the one item of the result."""
    message = {"peer_ids": chat.id, "message": text, "random_id": 0, **params}
    (item,) = await client.result("messages.send", **message)
    assert isinstance(item, dict)
    return item


@pytest.mark.parametrize("one", [True, False])
async def test_a_random_id_is_used_once_by_the_community_or_once_in_each_chat(
    vk: Vk, client: VkClient, chat: Chat, one: bool
) -> None:
    vk.one_random_id = one
    other = vk.private_chat(vk.user("Bob"))
    for where in (chat, other, chat, other):
        await send(client, where, random_id=5)
    assert (len(chat.bot_messages), len(other.bot_messages)) == (1, 0 if one else 1)


async def test_a_sent_message_is_in_the_chat_with_the_ids_of_the_result(client: VkClient, chat: Chat) -> None:
    chat.say(chat.members[0], "hi")
    item = await send(client, chat, random_id=5)
    message = chat.messages[-1]
    assert item == {"peer_id": chat.id, "message_id": message["id"], "conversation_message_id": 2}
    assert (message["text"], message["from_id"], message["out"]) == ("hello", -client.vk.group_id, 1)
    assert (message["random_id"], message["message_id"]) == (5, 2)
    assert [(deed.method, deed.text) for deed in chat.history] == [("messages.send", "hello")]


async def test_with_peer_id_the_result_is_a_bare_number(client: VkClient, chat: Chat) -> None:
    result = await client.result("messages.send", peer_id=chat.id, message="hello", random_id=0)
    assert result == chat.messages[0]["id"] > 0


async def test_in_a_group_a_message_has_only_its_number_in_the_chat(vk: Vk, client: VkClient, alice: User) -> None:
    group = vk.group("Team", [alice])
    assert await client.result("messages.send", peer_id=group.id, message="one", random_id=0) == 0
    item = await send(client, group, "two")
    assert (item["message_id"], item["conversation_message_id"]) == (0, 2)
    assert await client.result("messages.send", chat_id=group.id - GROUP_PEERS, message="three", random_id=0) == 0


async def test_numbers_in_a_chat_are_its_own_and_ids_are_the_communitys(vk: Vk, client: VkClient) -> None:
    first, second = vk.private_chat(vk.user("Alice")), vk.private_chat(vk.user("Bob"))
    items = [await send(client, chat) for chat in (first, second)]
    assert [item["conversation_message_id"] for item in items] == [1, 1]
    assert items[0]["message_id"] != items[1]["message_id"]


@pytest.mark.parametrize(
    ("params", "code", "detail"),
    [
        (
            {"random_id": 1, "message": "x"},
            100,
            "you should specify peer_id, user_id, domain, chat_id or user_ids param",
        ),
        ({"random_id": 1, "peer_id": 0, "message": "x"}, 100, "peer_id is undefined"),
        ({"peer_id": 1, "message": "x"}, 100, "random_id is a required parameter"),
        ({"random_id": 1, "peer_id": 1}, 100, "message is empty or invalid"),
        ({"random_id": 1, "peer_id": 1, "message": " \n"}, 100, "message is empty or invalid"),
        ({"random_id": 1, "peer_id": 1, "message": "x" * 4097}, 914, None),
        ({"random_id": 1, "peer_id": 1, "message": "😀" * 2049}, 914, None),
        ({"random_id": 1, "peer_id": 1, "message": "x"}, 901, None),
        ({"random_id": 1, "peer_id": 2_000_000_999, "message": "x"}, 917, None),
    ],
    ids=["nobody", "peer 0", "no random_id", "empty", "blank", "4097", "2049 emoji", "a stranger", "unknown chat"],
)
async def test_a_message_that_cannot_be_sent_is_refused(
    client: VkClient, params: dict[str, Any], code: int, detail: str | None
) -> None:
    refused, text = await client.error("messages.send", **params)
    assert refused == code
    assert detail is None or text.endswith(f": {detail}")


async def test_4096_utf16_units_are_still_sent(client: VkClient, chat: Chat) -> None:
    assert (await send(client, chat, "😀" * 2048))["conversation_message_id"] == 1


async def test_with_peer_ids_a_refusal_is_part_of_a_result(vk: Vk, client: VkClient, chat: Chat) -> None:
    blocked = vk.private_chat(vk.user("Bob"))
    vk.block(blocked)
    peers = [chat.id, blocked.id]
    good, bad = await client.result("messages.send", peer_ids=peers, message="hello", random_id=9)
    assert good["conversation_message_id"] == 1
    problem = {"code": 901, "description": "Can't send messages for users without permission"}
    assert bad == {"peer_id": blocked.id, "message_id": 0, "conversation_message_id": 0, "error": problem}


async def test_the_same_random_id_is_said_once_in_a_chat(vk: Vk, client: VkClient, chat: Chat) -> None:
    first = await send(client, chat, "one", random_id=7)
    assert await send(client, chat, "two", random_id=7) == first
    assert await client.result("messages.send", peer_id=chat.id, message="x", random_id=7) == first["message_id"]
    assert [message["text"] for message in chat.messages] == ["one"]
    other = vk.private_chat(vk.user("Bob"))
    assert (await send(client, other, "three", random_id=7))["conversation_message_id"] == 1


async def test_a_random_id_of_0_is_no_protection(client: VkClient, chat: Chat) -> None:
    await send(client, chat, "one", random_id=0)
    await send(client, chat, "one", random_id=0)
    assert len(chat.messages) == 2


async def test_an_inline_keyboard_belongs_to_the_message(client: VkClient, chat: Chat) -> None:
    await send(client, chat, keyboard=inline([callback("Go", color="positive")]))
    keyboard = chat.messages[0]["keyboard"]
    assert keyboard["author_id"] == -client.vk.group_id
    assert keyboard["buttons"] == [[callback("Go", color="positive")]]
    assert chat.keyboard is None


async def test_another_keyboard_belongs_to_the_chat_until_an_empty_one(client: VkClient, chat: Chat) -> None:
    await send(client, chat, keyboard={"one_time": False, "buttons": [[callback()]]})
    assert chat.keyboard is not None
    assert "keyboard" not in chat.messages[0]
    await send(client, chat, keyboard={"buttons": []})
    assert chat.keyboard is None


@pytest.mark.parametrize(
    ("keyboard", "detail"),
    [
        (inline([callback()] * 6), "row 0 contains too much columns"),
        (inline(*[[callback()]] * 7), "buttons contain too much rows"),
        (inline(*[[callback()] * 4] * 3), "keyboard contains too much buttons"),
        ({"buttons": [[callback()] * 5] * 9}, "keyboard contains too much buttons"),
        ({"buttons": [[callback()]] * 11}, "buttons contain too much rows"),
        ({"inline": True, "buttons": [[]]}, "row 0 should be non-empty array"),
        ({"inline": 1, "buttons": []}, "inline property should be boolean"),
        ({"inline": True, "one_time": True, "buttons": []}, "one_time is not supported for inline keyboard"),
        ({"inline": True}, "buttons should be array"),
        (inline([callback("")]), "button [0][0] label should be at least 1 letters length"),
        (inline([callback("x" * 41)]), "button [0][0] label should be no more than 40 letters length"),
        (inline([callback(payload='"' + "x" * 254 + '"')]), None),
        (inline([callback(payload="go")]), "button [0][0] payload should be correct JSON"),
        (inline([callback(color="red")]), "button [0][0] color is invalid"),
        (
            inline([{"action": {"type": "open_link", "label": "x", "link": "ftp://x"}}]),
            "button [0][0] has invalid link",
        ),
        (inline([{"action": {"type": "callback", "label": "x", "text": "x"}}]), "action contains unknown fields"),
        (inline([{"action": {"type": "call", "label": "x"}}]), "button [0][0] is of an unknown kind"),
    ],
)
async def test_a_keyboard_beyond_the_rules_is_error_911(
    client: VkClient, chat: Chat, keyboard: dict[str, Any], detail: str | None
) -> None:
    message = {"peer_id": chat.id, "message": "x", "random_id": 0, "keyboard": keyboard}
    code, text = await client.error("messages.send", **message)
    assert code == 911
    assert detail is None or text == f"Keyboard format is invalid: {detail}"
    assert chat.messages == []


@pytest.mark.parametrize(
    "keyboard",
    [
        inline([callback()] * 5, [callback()] * 5),
        inline(*[[callback()]] * 6),
        {"buttons": [[callback()] * 4] * 10},
        inline([callback("x" * 40, '"' + "x" * 253 + '"')]),
        inline([{"action": {"type": "open_link", "label": "x", "link": "https://example.com"}}]),
    ],
)
async def test_a_keyboard_at_the_limits_is_sent(client: VkClient, chat: Chat, keyboard: dict[str, Any]) -> None:
    assert (await send(client, chat, keyboard=keyboard))["conversation_message_id"] == 1


async def test_without_bot_features_a_keyboard_is_error_912(vk: Vk, client: VkClient, chat: Chat) -> None:
    vk.bot_features = False
    message = {"peer_id": chat.id, "message": "x", "random_id": 0}
    assert (await client.error("messages.send", **message, keyboard=inline()))[0] == 912
    assert await client.result("messages.send", **message) > 0


async def test_a_reply_quotes_its_message(client: VkClient, chat: Chat) -> None:
    question = chat.say(chat.members[0], "why?")["message_id"]
    forward = {"peer_id": chat.id, "conversation_message_ids": [question], "is_reply": True}
    await send(client, chat, "because", forward=forward)
    quoted = chat.messages[-1]["reply_message"]
    assert (quoted["text"], quoted["conversation_message_id"]) == ("why?", question)
    assert chat.messages[-1]["fwd_messages"] == []


async def test_a_reply_in_a_private_chat_may_be_to_an_id(client: VkClient, chat: Chat) -> None:
    question = chat.say(chat.members[0], "why?")
    await send(client, chat, "because", reply_to=question["id"])
    assert chat.messages[-1]["reply_message"]["text"] == "why?"


@pytest.mark.parametrize("numbers", [[99], [], [1, 2]], ids=["gone", "none", "two"])
async def test_a_reply_to_what_is_not_one_message_is_error_921(
    client: VkClient, chat: Chat, numbers: list[int]
) -> None:
    chat.say(chat.members[0], "one")
    chat.say(chat.members[0], "two")
    forward = {"peer_id": chat.id, "conversation_message_ids": numbers, "is_reply": True}
    message = {"peer_id": chat.id, "message": "x", "random_id": 0}
    assert await client.error("messages.send", **message, forward=forward) == CANNOT_FORWARD


async def test_a_message_of_another_chat_cannot_be_replied_to(vk: Vk, client: VkClient, chat: Chat) -> None:
    other = vk.private_chat(vk.user("Bob"))
    for each in (chat, other):
        each.say(each.members[0], "hello")
    forward = {"peer_id": other.id, "conversation_message_ids": [1], "is_reply": True}
    message = {"peer_id": chat.id, "message": "x", "random_id": 0}
    assert await client.error("messages.send", **message, forward=forward) == CANNOT_FORWARD


async def test_messages_can_be_forwarded_within_a_chat(client: VkClient, chat: Chat) -> None:
    for text in ("one", "two"):
        chat.say(chat.members[0], text)
    await send(client, chat, "these", forward={"peer_id": chat.id, "cmids": [1, 2]})
    assert [message["text"] for message in chat.messages[-1]["fwd_messages"]] == ["one", "two"]


async def test_a_payload_stays_with_its_message(client: VkClient, chat: Chat) -> None:
    await send(client, chat, payload='{"job": 7}')
    assert chat.messages[0]["payload"] == '{"job": 7}'


async def test_mentions_notify_unless_they_are_switched_off(client: VkClient, chat: Chat) -> None:
    text = "see [id7|notes].txt, @id8 and [club9|us]"
    await send(client, chat, text, disable_mentions=True)
    assert chat.mentions == []
    await send(client, chat, text)
    assert chat.mentions == [7, 8, -9]


async def test_a_mention_is_shown_as_its_name_alone(client: VkClient, chat: Chat) -> None:
    await send(client, chat, "see [id7|notes].txt", disable_mentions=True)
    assert as_shown(chat.messages[0]["text"]) == "see notes.txt"


async def test_an_edit_is_of_the_number_in_the_chat(client: VkClient, chat: Chat) -> None:
    number = (await send(client, chat))["conversation_message_id"]
    for name in ("cmid", "conversation_message_id"):
        assert await client.result("messages.edit", peer_id=chat.id, message=name, **{name: number}) == 1
        assert chat.messages[0]["text"] == name
    assert chat.messages[0]["update_time"]
    assert [deed.method for deed in chat.history] == ["messages.send", "messages.edit", "messages.edit"]


async def test_an_edit_in_a_private_chat_may_be_of_an_id(client: VkClient, chat: Chat) -> None:
    message_id = (await send(client, chat))["message_id"]
    assert await client.result("messages.edit", peer_id=chat.id, message_id=message_id, message="new") == 1
    assert chat.messages[0]["text"] == "new"


async def test_the_same_text_again_is_a_success(client: VkClient, chat: Chat) -> None:
    await send(client, chat, "same")
    assert await client.result("messages.edit", peer_id=chat.id, cmid=1, message="same") == 1


async def test_an_edit_without_a_keyboard_takes_it_away(client: VkClient, chat: Chat) -> None:
    await send(client, chat, keyboard=inline())
    await client.result("messages.edit", peer_id=chat.id, cmid=1, message="kept", keyboard=inline([callback("Other")]))
    assert chat.messages[0]["keyboard"]["buttons"] == [[callback("Other")]]
    await client.result("messages.edit", peer_id=chat.id, cmid=1, message="lost")
    assert "keyboard" not in chat.messages[0]


@pytest.mark.parametrize("kept", [True, False])
async def test_an_edit_loses_what_was_quoted_unless_told_to_keep_it(client: VkClient, chat: Chat, kept: bool) -> None:
    chat.say(chat.members[0], "why?")
    await send(client, chat, forward={"peer_id": chat.id, "conversation_message_ids": [1], "is_reply": True})
    await client.result("messages.edit", peer_id=chat.id, cmid=2, message="x", keep_forward_messages=kept)
    assert ("reply_message" in chat.messages[1]) is kept


async def test_only_the_bots_own_messages_can_be_edited(client: VkClient, chat: Chat) -> None:
    theirs = chat.say(chat.members[0], "mine")
    by_number = {"peer_id": chat.id, "message": "x", "cmid": theirs["message_id"]}
    assert await client.error("messages.edit", **by_number) == ACCESS_DENIED
    by_id = {"peer_id": chat.id, "message": "x", "message_id": theirs["id"]}
    assert await client.error("messages.edit", **by_id) == ACCESS_DENIED
    assert await client.error("messages.edit", peer_id=chat.id, message="x", cmid=99) == ACCESS_DENIED


async def test_in_a_group_an_edit_by_id_is_not_possible(vk: Vk, client: VkClient, alice: User) -> None:
    group = vk.group("Team", [alice])
    item = await send(client, group)
    refusal = await client.error("messages.edit", peer_id=group.id, message="x", message_id=item["message_id"])
    assert refusal == (
        100,
        "One of the parameters specified was missing or invalid: message_id is a required parameter",
    )
    assert await client.result("messages.edit", peer_id=group.id, message="x", cmid=item["conversation_message_id"])


@pytest.mark.parametrize(("text", "code"), [("", 100), ("x" * 4097, 914)])
async def test_an_edit_is_held_to_the_same_limits(client: VkClient, chat: Chat, text: str, code: int) -> None:
    await send(client, chat)
    assert (await client.error("messages.edit", peer_id=chat.id, cmid=1, message=text))[0] == code


async def test_an_old_message_cannot_be_edited(vk: Vk, client: VkClient, chat: Chat) -> None:
    await send(client, chat)
    vk.edit_window = -1
    refusal = await client.error("messages.edit", peer_id=chat.id, cmid=1, message="x")
    assert refusal == (909, "Can't edit this message, because it's too old")


async def test_an_activity_is_shown_in_the_chat(client: VkClient, chat: Chat) -> None:
    assert await client.result("messages.setActivity", peer_id=chat.id, type="file") == 1
    assert chat.actions == ["file"]


async def test_an_unknown_activity_is_refused(vk: Vk, client: VkClient, chat: Chat) -> None:
    assert (await client.error("messages.setActivity", peer_id=chat.id, type="upload_document"))[0] == 100
    vk.complaints.clear()


async def test_messages_can_be_read_again_by_number_or_by_id(client: VkClient, chat: Chat) -> None:
    one, two = chat.say(chat.members[0], "one"), chat.say(chat.members[0], "two")
    by_number = await client.result(
        "messages.getByConversationMessageId", peer_id=chat.id, conversation_message_ids=[2, 99, 1]
    )
    assert (by_number["count"], [item["text"] for item in by_number["items"]]) == (2, ["two", "one"])
    by_id = await client.result("messages.getById", message_ids=[one["id"], two["id"]])
    assert [item["text"] for item in by_id["items"]] == ["one", "two"]
    assert await client.result("messages.getById", peer_id=chat.id, cmids=[2, 1]) == by_number


async def test_a_message_that_was_deleted_cannot_be_read_again(client: VkClient, chat: Chat) -> None:
    chat.delete(chat.say(chat.members[0], "oops")["message_id"])
    answer = await client.result("messages.getById", peer_id=chat.id, cmids=[1])
    assert answer == {"count": 0, "items": []}


async def test_own_messages_are_events_where_that_is_ticked(vk: Vk, client: VkClient, chat: Chat) -> None:
    await client.connect()
    vk.settings.events |= {"message_reply", "message_edit"}
    await send(client, chat, "one")
    await client.result("messages.edit", peer_id=chat.id, cmid=1, message="two")
    sent, edited = await client.events()
    assert (sent["type"], sent["object"]["text"], sent["object"]["out"]) == ("message_reply", "one", 1)
    assert (edited["type"], edited["object"]["text"]) == ("message_edit", "two")


async def test_wait_for_finds_what_the_bot_says_or_edits_later(client: VkClient, chat: Chat) -> None:
    await send(client, chat, "one")
    assert (await chat.wait_for("one"))["message_id"] == 1
    await client.result("messages.edit", peer_id=chat.id, cmid=1, message="two")
    await send(client, chat, "two more")
    assert [message["text"] for message in await chat.wait_for("two", count=2)] == ["two", "two more"]
    assert (await chat.wait_for("two", after=1))["message_id"] == 2
