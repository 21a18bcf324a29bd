"""The emulator sends, edits and deletes messages, and refuses what the published server refuses, in its words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import trio

from trio_s3_bot.sandbox.telegram import Chat, Telegram, User

Call = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def alice(telegram: Telegram) -> User:
    return telegram.user("Alice", language="en", username="alice")


@pytest.fixture
def chat(telegram: Telegram, alice: User) -> Chat:
    return telegram.private_chat(alice)


def keyboard(data: str = "go") -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "Go", "callback_data": data}]]}


async def send(call: Call, chat: Chat, text: str = "hello", **params: Any) -> int:
    return int((await call("sendMessage", chat_id=chat.id, text=text, **params))["result"]["message_id"])


async def test_a_sent_message_is_in_the_chat_as_the_answer_tells_it(chat: Chat, call: Call) -> None:
    answer = await call("sendMessage", chat_id=chat.id, text="hello", reply_markup=keyboard())
    assert chat.messages == [answer["result"]]
    assert answer["result"]["chat"] == {"id": chat.id, "type": "private", "first_name": "Alice", "username": "alice"}
    assert answer["result"]["from"]["is_bot"]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", "message text is empty"),
        (" \n", "text must be non-empty"),
        ("x" * 4097, "message is too long"),
        ("😀" * 2049, "message is too long"),
        ("я" * 16_385, "text is too long"),
    ],
    ids=["empty", "blank", "4097", "2049 emoji", "32770 bytes"],
)
async def test_a_text_that_cannot_be_sent_is_refused(chat: Chat, call: Call, text: str, refusal: str) -> None:
    answer = await call("sendMessage", chat_id=chat.id, text=text)
    assert (answer["error_code"], answer["description"]) == (400, f"Bad Request: {refusal}")


async def test_half_an_emoji_is_refused(chat: Chat, http: httpx.AsyncClient) -> None:
    body = f'{{"chat_id": {chat.id}, "text": "\\ud83d"}}'
    response = await http.post("sendMessage", content=body, headers={"content-type": "application/json"})
    assert response.json()["description"] == "Bad Request: strings must be encoded in UTF-8"


async def test_4096_utf16_units_are_still_sent(chat: Chat, call: Call) -> None:
    assert (await call("sendMessage", chat_id=chat.id, text="😀" * 2048))["ok"]


async def test_white_space_around_a_text_is_cut(chat: Chat, call: Call) -> None:
    await send(call, chat, "\n <b>hi</b>  ", parse_mode="HTML")
    assert chat.messages[0]["text"] == "hi"
    assert chat.messages[0]["entities"] == [{"type": "bold", "offset": 0, "length": 2}]


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ("<x>y</x>", 'Unsupported start tag "x" at byte offset 0'),
        ("я<b>y", 'Can\'t find end tag corresponding to start tag "b"'),
        ("я</b>", "Unexpected end tag at byte offset 2"),
        ("<b>y</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("1 < 2", "Unclosed start tag at byte offset 2"),
    ],
)
async def test_broken_html_is_refused(chat: Chat, call: Call, html: str, problem: str) -> None:
    answer = await call("sendMessage", chat_id=chat.id, text=html, parse_mode="HTML")
    assert answer["description"] == f"Bad Request: can't parse entities: {problem}"


async def test_html_becomes_text_and_entities_in_utf16_units(chat: Chat, call: Call) -> None:
    await send(call, chat, '😀 <a href="https://e.org/?a&amp;b">&lt;file&gt;</a> &#33;', parse_mode="HTML")
    assert chat.messages[0]["text"] == "😀 <file> !"
    assert chat.messages[0]["entities"] == [
        {"type": "text_link", "url": "https://e.org/?a&b", "offset": 3, "length": 6}
    ]


async def test_an_unknown_parse_mode_is_refused(chat: Chat, call: Call) -> None:
    answer = await call("sendMessage", chat_id=chat.id, text="x", parse_mode="Fancy")
    assert answer["description"] == "Bad Request: unsupported parse_mode"


async def test_a_chat_nobody_knows_is_not_found(call: Call) -> None:
    assert (await call("sendMessage", chat_id=1, text="x"))["description"] == "Bad Request: chat not found"


async def test_a_reply_to_a_message_that_is_gone_needs_permission(chat: Chat, alice: User, call: Call) -> None:
    question = chat.say(alice, "question")["message_id"]
    await send(call, chat, "answer", reply_parameters={"message_id": question})
    assert chat.messages[-1]["reply_to_message"]["text"] == "question"
    chat.delete(question)
    refusal = await call("sendMessage", chat_id=chat.id, text="late", reply_parameters={"message_id": question})
    assert refusal["description"] == "Bad Request: message to be replied not found"
    allowed = {"message_id": question, "allow_sending_without_reply": True}
    await send(call, chat, "late", reply_parameters=allowed)
    assert "reply_to_message" not in chat.messages[-1]


@pytest.mark.parametrize(
    ("button", "refusal"),
    [
        ({"text": "x", "callback_data": "я" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "x"}, "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
    ],
    ids=["66 bytes", "no data", "no action"],
)
async def test_a_malformed_button_is_refused(chat: Chat, call: Call, button: dict[str, Any], refusal: str) -> None:
    markup = {"inline_keyboard": [[button]]}
    answer = await call("sendMessage", chat_id=chat.id, text="x", reply_markup=markup)
    assert answer["description"] == f"Bad Request: {refusal}"


async def test_more_than_8_buttons_in_a_row_are_refused(chat: Chat, call: Call) -> None:
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": "x"}] * 9]}
    assert not (await call("sendMessage", chat_id=chat.id, text="x", reply_markup=markup))["ok"]


async def test_an_edit_changes_the_text_and_drops_a_keyboard_it_does_not_repeat(chat: Chat, call: Call) -> None:
    message = await send(call, chat, reply_markup=keyboard())
    answer = await call("editMessageText", chat_id=chat.id, message_id=message, text="changed")
    assert chat.messages == [answer["result"]]
    assert chat.messages[0]["text"] == "changed"
    assert "reply_markup" not in chat.messages[0]


async def test_an_edit_that_changes_nothing_is_refused(chat: Chat, call: Call) -> None:
    message = await send(call, chat, reply_markup=keyboard())
    same = {"chat_id": chat.id, "message_id": message, "text": "hello"}
    answer = await call("editMessageText", **same, reply_markup=keyboard())
    assert answer["error_code"] == 400
    assert answer["description"].startswith("Bad Request: message is not modified: specified new message content")
    assert (await call("editMessageText", **same, reply_markup=keyboard("other")))["ok"]


async def test_an_edit_that_is_too_long_is_refused_with_the_raw_constant(chat: Chat, call: Call) -> None:
    message = await send(call, chat)
    answer = await call("editMessageText", chat_id=chat.id, message_id=message, text="x" * 4097)
    assert answer["description"] == "Bad Request: MESSAGE_TOO_LONG"


@pytest.mark.parametrize(
    "markup",
    [{"force_reply": True}, {"keyboard": [[{"text": "x"}]]}, {"remove_keyboard": True}],
    ids=["force reply", "reply keyboard", "removed keyboard"],
)
async def test_a_message_with_another_markup_can_never_be_edited(
    chat: Chat, call: Call, markup: dict[str, Any]
) -> None:
    message = await send(call, chat, reply_markup=markup)
    answer = await call("editMessageText", chat_id=chat.id, message_id=message, text="changed")
    assert answer["description"] == "Bad Request: message can't be edited"


async def test_force_reply_is_seen_in_the_chat_but_not_by_the_bot(chat: Chat, call: Call) -> None:
    answer = await call("sendMessage", chat_id=chat.id, text="name?", reply_markup={"force_reply": True})
    assert "reply_markup" not in answer["result"]
    assert chat.messages[0]["reply_markup"] == {"force_reply": True}


async def test_somebody_elses_message_cannot_be_edited(chat: Chat, alice: User, call: Call) -> None:
    message = chat.say(alice, "mine")["message_id"]
    answer = await call("editMessageText", chat_id=chat.id, message_id=message, text="yours")
    assert answer["description"] == "Bad Request: message can't be edited"


async def test_a_deleted_message_cannot_be_edited(chat: Chat, call: Call) -> None:
    message = await send(call, chat)
    assert (await call("deleteMessage", chat_id=chat.id, message_id=message))["ok"]
    assert chat.messages == []
    answer = await call("editMessageText", chat_id=chat.id, message_id=message, text="changed")
    assert answer["description"] == "Bad Request: message to edit not found"


async def test_only_the_keyboard_can_be_edited(chat: Chat, call: Call) -> None:
    message = await send(call, chat)
    await call("editMessageReplyMarkup", chat_id=chat.id, message_id=message, reply_markup=keyboard())
    assert chat.messages[0]["reply_markup"] == keyboard()
    await call("editMessageReplyMarkup", chat_id=chat.id, message_id=message)
    assert chat.messages[0]["text"] == "hello"
    assert "reply_markup" not in chat.messages[0]


async def test_the_history_tells_what_the_bot_did_in_order(chat: Chat, call: Call) -> None:
    message = await send(call, chat, "0 %")
    await call("editMessageText", chat_id=chat.id, message_id=message, text="50 %")
    await call("sendChatAction", chat_id=chat.id, action="upload_document")
    await call("deleteMessage", chat_id=chat.id, message_id=message)
    assert [(deed.method, deed.text, deed.message_id) for deed in chat.history] == [
        ("sendMessage", "0 %", message),
        ("editMessageText", "50 %", message),
        ("sendChatAction", "upload_document", None),
        ("deleteMessage", None, message),
    ]


async def test_waiting_for_a_message_sees_edits(chat: Chat, call: Call) -> None:
    message = await send(call, chat, "0 %")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: call("editMessageText", chat_id=chat.id, message_id=message, text="100 %"))
        with trio.fail_after(10):
            assert (await chat.wait_for("100 %"))["message_id"] == message


async def test_waiting_for_several_messages_gives_them_in_order(chat: Chat, call: Call) -> None:
    async with trio.open_nursery() as nursery:
        with trio.fail_after(10):
            nursery.start_soon(send, call, chat, "one")
            await chat.wait_for("one")
            nursery.start_soon(send, call, chat, "two")
            found = await chat.wait_for(lambda message: message["text"] in ("one", "two"), count=2)
    assert [message["text"] for message in found] == ["one", "two"]


async def test_a_pressed_button_can_be_answered_once(chat: Chat, alice: User, call: Call) -> None:
    press = chat.press(alice, await send(call, chat, reply_markup=keyboard()), "Go")
    query = (await call("getUpdates"))["result"][-1]["callback_query"]
    assert (query["id"], query["data"], query["message"]["text"]) == (press.id, "go", "hello")
    assert (await call("answerCallbackQuery", callback_query_id=press.id, text="Going"))["ok"]
    assert (await press.answered())["text"] == "Going"
    again = await call("answerCallbackQuery", callback_query_id=press.id)
    assert again["description"].startswith("Bad Request: query is too old")


@pytest.mark.parametrize("late", [True, False], ids=["too old", "unknown"])
async def test_an_old_or_unknown_query_is_refused(
    telegram: Telegram, chat: Chat, alice: User, call: Call, late: bool
) -> None:
    press = chat.press(alice, await send(call, chat, reply_markup=keyboard()), "go")
    telegram.callback_lifetime = -1.0 if late else 150.0
    answer = await call("answerCallbackQuery", callback_query_id=press.id if late else "1")
    expected = "query is too old and response timeout expired or query ID is invalid"
    assert answer["description"] == f"Bad Request: {expected}"


async def test_a_button_that_is_not_there_cannot_be_pressed(chat: Chat, alice: User, call: Call) -> None:
    message = await send(call, chat)
    with pytest.raises(ValueError, match="has no button 'go'"):
        chat.press(alice, message, "go")


async def test_a_press_on_a_deleted_message_tells_no_more_than_its_id(chat: Chat, alice: User, call: Call) -> None:
    chat.press(alice, 77, "go", forged=True)
    query = (await call("getUpdates"))["result"][0]["callback_query"]
    assert (query["message"]["message_id"], query["message"]["date"]) == (77, 0)


async def test_commands_are_kept_by_scope_and_language(call: Call) -> None:
    commands = [{"command": "help", "description": "How it works"}]
    scope = {"type": "all_private_chats"}
    assert (await call("setMyCommands", commands=commands, scope=scope, language_code="ru"))["ok"]
    assert (await call("getMyCommands", scope=scope, language_code="ru"))["result"] == commands
    assert (await call("getMyCommands"))["result"] == []


@pytest.mark.parametrize(
    "command",
    [{"command": "Help!", "description": "x"}, {"command": "help", "description": ""}],
    ids=["name", "description"],
)
async def test_a_malformed_command_is_refused(call: Call, command: dict[str, str]) -> None:
    assert (await call("setMyCommands", commands=[command]))["error_code"] == 400


async def test_a_wrong_chat_action_is_refused(chat: Chat, call: Call) -> None:
    answer = await call("sendChatAction", chat_id=chat.id, action="dance")
    assert answer["description"] == "Bad Request: wrong parameter action in request"


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"txt": "x"}, "sendMessage: unknown parameter txt"),
        ({"disable_notification": "true"}, "sendMessage: disable_notification: 'true' isn't a Boolean"),
        ({"reply_parameters": {"message_id": 1, "allow": True}}, "sendMessage: reply_parameters: unknown field allow"),
        ({"message_thread_id": "x"}, "sendMessage: message_thread_id: 'x' isn't an Integer"),
    ],
    ids=["unknown", "not a boolean", "unknown field", "not a number"],
)
async def test_a_parameter_the_documentation_does_not_allow_is_complained_of(
    telegram: Telegram, chat: Chat, call: Call, params: dict[str, Any], complaint: str
) -> None:
    await call("sendMessage", chat_id=chat.id, text="x", **params)
    assert telegram.complaints[0] == complaint
    telegram.complaints.clear()


async def test_a_null_is_complained_of_and_as_a_markup_refused(telegram: Telegram, chat: Chat, call: Call) -> None:
    assert (await call("sendMessage", chat_id=chat.id, text="x", parse_mode=None))["ok"]
    refused = await call("sendMessage", chat_id=chat.id, text="x", reply_markup=None)
    assert refused["description"] == "Bad Request: object expected as reply markup"
    complaint = "sendMessage: {} is null instead of left out"
    assert telegram.complaints == [complaint.format("parse_mode"), complaint.format("reply_markup")]
    telegram.complaints.clear()


async def test_a_form_carries_objects_as_json_strings(telegram: Telegram, chat: Chat, http: httpx.AsyncClient) -> None:
    form = {"chat_id": str(chat.id), "text": "x", "reply_markup": '{"inline_keyboard":[[{"text":"a","url":"b"}]]}'}
    assert (await http.post("sendMessage", data=form)).json()["ok"]
    broken = await http.post("sendMessage", data={**form, "reply_markup": "{"})
    assert broken.json()["description"] == "Bad Request: can't parse reply keyboard markup JSON object"
    assert telegram.calls("sendMessage")[0].params["chat_id"] == chat.id
