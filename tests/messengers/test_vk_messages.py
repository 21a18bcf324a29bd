"""What is particular to saying something in VK: mentions, clients that know no callback buttons, refused parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
import trio

from tests.sides import Side
from trio_s3_bot.errors import (
    ChatUnreachable,
    MessageGone,
    OperatorNeeded,
    RequestRefused,
    RetryAfter,
    TokenRefused,
    Unavailable,
)
from trio_s3_bot.messengers.base import Messenger
from trio_s3_bot.model import Button, Chat, OutMessage, Press, UpdateObj
from trio_s3_bot.sandbox import vk as sandbox
from trio_s3_bot.sandbox.vk import ApiError, Response, User

from .talk import Listener

KEYBOARD = ((Button("Yes", "answer:yes"), Button("No", "answer:no")),)
WITHOUT_CALLBACKS = ("text", "open_link")


@pytest.fixture
async def messenger(vk: Side) -> AsyncIterator[Messenger]:
    async with vk.open() as messenger:
        await messenger.check()
        yield messenger


@pytest.fixture
def alice(vk: Side) -> User:
    alice: User = vk.world.user("Alice", language="ru")
    return alice


@pytest.fixture
def chat(vk: Side, alice: User) -> sandbox.Chat:
    chat: sandbox.Chat = vk.world.private_chat(alice)
    return chat


def kinds(message: dict[str, Any]) -> set[str]:
    """The kinds of a message's buttons."""
    return {button["action"]["type"] for row in message["keyboard"]["buttons"] for button in row}


async def heard(messenger: Messenger) -> UpdateObj:
    [update] = await Listener(messenger).updates()
    return update


@pytest.mark.parametrize(
    "name", ["[id1|admin].txt", "@id1 hello.txt", "*id1.txt", "[club1|all] @all *club2.txt", "@все.txt"]
)
async def test_a_file_name_never_mentions_anybody(
    vk: Side, messenger: Messenger, chat: sandbox.Chat, name: str
) -> None:
    """Not even in an edit, and even if VK did not heed `disable_mentions`."""
    message_id = await messenger.send(Chat("vk", chat.id), OutMessage(f"Saved: {name}"))
    await messenger.edit(Chat("vk", chat.id), message_id, OutMessage(f"Renamed: {name}"))
    said = chat.find(message_id)
    assert said is not None
    assert said["text"].replace("\u200b", "") == f"Renamed: {name}"
    assert sandbox.as_shown(said["text"]) == said["text"]
    assert {
        call.params["disable_mentions"]
        for method in ("messages.send", "messages.edit")
        for call in vk.world.calls(method)
    } == {True}


async def test_a_text_that_grows_too_long_by_separators_is_shortened_and_said(
    messenger: Messenger, chat: sandbox.Chat
) -> None:
    message_id = await messenger.send(Chat("vk", chat.id), OutMessage("@a" * 2048))
    said = chat.find(message_id)
    assert said is not None
    assert len(said["text"]) == 4096


async def test_buttons_are_callbacks_where_the_client_can_and_texts_otherwise(
    messenger: Messenger, chat: sandbox.Chat, alice: User
) -> None:
    for actions, kind in ((alice.button_actions, "callback"), (WITHOUT_CALLBACKS, "text")):
        alice.button_actions = actions
        chat.say(alice, "hello")
        await Listener(messenger).updates()
        message_id = await messenger.send(Chat("vk", chat.id), OutMessage("Really?", KEYBOARD, random_id=len(actions)))
        said = chat.find(message_id)
        assert said is not None
        assert kinds(said) == {kind}


async def test_a_client_that_shows_no_buttons_with_a_message_gets_them_below_its_input(
    messenger: Messenger, chat: sandbox.Chat, alice: User
) -> None:
    alice.inline_keyboard = False
    listener = Listener(messenger)
    chat.say(alice, "hello")
    await listener.updates()
    where = Chat("vk", chat.id)
    message_id = await messenger.send(where, OutMessage("Really?", KEYBOARD))
    await messenger.edit(where, message_id, OutMessage("Really??", KEYBOARD))
    said = chat.find(message_id)
    assert said is not None
    assert (said["text"], "keyboard" in said) == ("Really??", False)
    assert kinds({"keyboard": chat.keyboard}) == {"text"}
    chat.press(alice, None, "Yes")
    [update] = await listener.updates()
    assert update.press is not None
    assert (update.press.data, update.press.message_id) == ("answer:yes", None)
    assert chat.keyboard is None


async def test_a_client_without_any_keyboard_gets_none(
    vk: Side, messenger: Messenger, chat: sandbox.Chat, alice: User
) -> None:
    alice.inline_keyboard = alice.keyboard = False
    chat.say(alice, "hello")
    await Listener(messenger).updates()
    await messenger.send(Chat("vk", chat.id), OutMessage("Really?", KEYBOARD))
    assert ["keyboard" in call.params for call in vk.world.calls("messages.send")] == [False]


async def test_a_pressed_text_button_is_a_press_and_its_answer_is_let_go(
    vk: Side, messenger: Messenger, chat: sandbox.Chat, alice: User
) -> None:
    alice.button_actions = WITHOUT_CALLBACKS
    listener = Listener(messenger)
    chat.say(alice, "hello")
    await listener.updates()
    message_id = await messenger.send(Chat("vk", chat.id), OutMessage("Really?", KEYBOARD))
    chat.press(alice, message_id, "Yes")
    [update] = await listener.updates()
    assert update.press is not None
    assert (update.press.data, update.text) == ("answer:yes", None)
    await messenger.answer(update.chat, update.press, "Done")
    assert vk.world.calls("messages.sendMessageEventAnswer") == []


async def test_a_callback_button_that_the_client_does_not_know_is_a_press_all_the_same(
    messenger: Messenger, chat: sandbox.Chat, alice: User
) -> None:
    message_id = await messenger.send(Chat("vk", chat.id), OutMessage("Really?", KEYBOARD))
    alice.button_actions = WITHOUT_CALLBACKS
    chat.press(alice, message_id, "No")
    update = await heard(messenger)
    assert update.press is not None
    assert update.press.data == "answer:no"


async def test_without_message_event_all_buttons_are_texts(vk: Side, chat: sandbox.Chat) -> None:
    vk.world.settings.events.discard("message_event")
    async with vk.open() as messenger:
        await messenger.check()
        message_id = await messenger.send(Chat("vk", chat.id), OutMessage("Really?", KEYBOARD))
    said = chat.find(message_id)
    assert said is not None
    assert kinds(said) == {"text"}


async def test_a_payload_that_comes_as_a_text_is_understood_too(
    vk: Side, messenger: Messenger, chat: sandbox.Chat, alice: User
) -> None:
    vk.world.payload_as_string = True
    message_id = await messenger.send(Chat("vk", chat.id), OutMessage("Really?", KEYBOARD))
    chat.press(alice, message_id, "Yes")
    update = await heard(messenger)
    assert update.press is not None
    assert update.press.data == "answer:yes"


async def test_a_press_with_a_strange_payload_is_a_press_without_data(
    messenger: Messenger, chat: sandbox.Chat, alice: User
) -> None:
    for payload in ('{"other":"bot"}', '{"button":5}', "[]", "5", '"x"'):
        chat.press(alice, 1, payload, forged=True)
    updates = await Listener(messenger).updates(5)
    assert [update.press.data for update in updates if update.press] == [""] * 5


async def test_the_button_of_an_empty_chat_says_start(messenger: Messenger, chat: sandbox.Chat, alice: User) -> None:
    chat.start(alice)
    assert (await heard(messenger)).text == "/start"


async def test_a_message_is_said_without_its_buttons_where_the_community_may_not_have_any(
    vk: Side, messenger: Messenger, chat: sandbox.Chat
) -> None:
    vk.world.bot_features = False
    with structlog.testing.capture_logs() as logs:
        message_id = await messenger.send(Chat("vk", chat.id), OutMessage("Really?", KEYBOARD))
    assert "Switch the capabilities of bots on" in logs[0]["advice"]
    await messenger.edit(Chat("vk", chat.id), message_id, OutMessage("Yes.", KEYBOARD))
    said = chat.find(message_id)
    assert said is not None
    assert (said["text"], "keyboard" in said) == ("Yes.", False)


async def test_a_message_is_said_without_buttons_that_vk_finds_fault_with(
    vk: Side, messenger: Messenger, chat: sandbox.Chat
) -> None:
    for method in ("messages.send", "messages.edit"):
        vk.world.faults.add(answer=ApiError(911), method=method)
    message_id = await messenger.send(Chat("vk", chat.id), OutMessage("Really?", KEYBOARD))
    await messenger.edit(Chat("vk", chat.id), message_id, OutMessage("Yes.", KEYBOARD))
    said = chat.find(message_id)
    assert said is not None
    assert (said["text"], "keyboard" in said) == ("Yes.", False)


@pytest.mark.parametrize("code", [910, 914])
async def test_of_a_text_that_vk_finds_too_long_the_beginning_is_said(
    vk: Side, messenger: Messenger, chat: sandbox.Chat, code: int
) -> None:
    for method in ("messages.send", "messages.edit"):
        vk.world.faults.add(answer=ApiError(code), method=method, times=2)
    message_id = await messenger.send(Chat("vk", chat.id), OutMessage(f"[document] {'a' * 4000}"))
    said = chat.find(message_id)
    assert said is not None
    assert (said["text"][:12], len(said["text"])) == ("[document] a", 1002)
    await messenger.edit(Chat("vk", chat.id), message_id, OutMessage(f"[document] {'b' * 4000}", KEYBOARD))
    said = chat.find(message_id)
    assert said is not None
    assert (said["text"][:12], len(said["text"]), "keyboard" in said) == ("[document] b", 1002, True)


async def test_a_text_that_vk_finds_too_long_however_short_it_is_is_refused(
    vk: Side, messenger: Messenger, chat: sandbox.Chat
) -> None:
    vk.world.faults.add(answer=ApiError(914), method="messages.send", times=None)
    with pytest.raises(RequestRefused):
        await messenger.send(Chat("vk", chat.id), OutMessage("a" * 4000))
    assert len(vk.world.calls("messages.send")) == 5


async def test_an_edit_that_is_denied_to_the_token_waits_for_the_operator(
    vk: Side, messenger: Messenger, chat: sandbox.Chat
) -> None:
    message_id = await messenger.send(Chat("vk", chat.id), OutMessage("Hello"))
    vk.world.permissions.discard("messages")
    with pytest.raises(OperatorNeeded):
        await messenger.edit(Chat("vk", chat.id), message_id, OutMessage("Bye"))


async def test_a_keyboard_that_is_too_large_keeps_its_first_rows_and_its_last(
    vk: Side, messenger: Messenger, chat: sandbox.Chat
) -> None:
    rows = [(Button(f"{number}: {'long ' * 20}", f"file:{number}"), Button("X", f"x:{number}")) for number in range(8)]
    last = (Button("Back", "page:1"), Button("On", "page:3"))
    message_id = await messenger.send(Chat("vk", chat.id), OutMessage("Files", (*rows, last)))
    said = chat.find(message_id)
    assert said is not None
    labels = vk.buttons(said)
    assert [row[0][0] for row in labels] == ["0", "1", "2", "3", "B"]
    assert labels[-1] == ["Back", "On"]


async def test_a_row_that_is_too_wide_is_broken(vk: Side, messenger: Messenger, chat: sandbox.Chat) -> None:
    row = tuple(Button(str(number), str(number)) for number in range(7))
    message_id = await messenger.send(Chat("vk", chat.id), OutMessage("Pages", (row,)))
    said = chat.find(message_id)
    assert said is not None
    assert vk.buttons(said) == [list("01234"), list("56")]


@pytest.mark.parametrize("code", [18, 900, 901, 902, 917, 922, 925, 927, 932, 936, 945, 946, 950, 1012, 104])
async def test_a_chat_that_is_closed_to_the_bot_is_told_as_such(vk: Side, messenger: Messenger, code: int) -> None:
    """Some codes are an error of the call, others of its one peer."""
    alice = vk.world.user("Alice")
    vk.world.block(alice, code)
    with pytest.raises(ChatUnreachable):
        await messenger.send(Chat("vk", alice.id), OutMessage("Hello"))
    vk.world.unblock(alice)
    vk.world.faults.add(answer=ApiError(code), method="messages.send")
    with pytest.raises(ChatUnreachable):
        await messenger.send(Chat("vk", alice.id), OutMessage("Hello"))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, Unavailable),
        (3, Unavailable),
        (10, Unavailable),
        (6, RetryAfter),
        (9, RetryAfter),
        (29, RetryAfter),
        (5, TokenRefused),
        (27, TokenRefused),
        (28, TokenRefused),
        (7, OperatorNeeded),
        (14, OperatorNeeded),
        (15, OperatorNeeded),
        (17, OperatorNeeded),
        (985, OperatorNeeded),
        (8, RequestRefused),
        (100, RequestRefused),
    ],
)
async def test_errors_are_told_apart_by_what_to_do_about_them(
    vk: Side, messenger: Messenger, chat: sandbox.Chat, code: int, kind: type[Exception]
) -> None:
    vk.world.faults.add(answer=ApiError(code), method="messages.send")
    with pytest.raises(kind) as caught:
        await messenger.send(Chat("vk", chat.id), OutMessage("Hello"))
    assert str(code) in str(caught.value)
    assert vk.world.token not in str(caught.value)


@pytest.mark.parametrize("code", [15, 909, 920])
async def test_a_message_that_can_not_be_edited_any_more_is_told_as_such(
    vk: Side, messenger: Messenger, chat: sandbox.Chat, code: int
) -> None:
    message_id = await messenger.send(Chat("vk", chat.id), OutMessage("Hello"))
    vk.world.faults.add(answer=ApiError(code), method="messages.edit")
    with pytest.raises(MessageGone):
        await messenger.edit(Chat("vk", chat.id), message_id, OutMessage("Bye"))


async def test_a_message_whose_number_is_not_told_is_looked_up(
    vk: Side, messenger: Messenger, chat: sandbox.Chat, alice: User
) -> None:
    said = chat.say(alice, "hello")
    told = [{"peer_id": alice.id, "message_id": said["id"], "conversation_message_id": 0}]
    vk.world.faults.add(answer=Response(told), method="messages.send")
    assert await messenger.send(Chat("vk", chat.id), OutMessage("Hello")) == said["message_id"]


async def test_a_message_whose_number_can_not_be_known_is_not_edited(
    vk: Side, messenger: Messenger, chat: sandbox.Chat
) -> None:
    told = [{"peer_id": chat.id, "message_id": 0, "conversation_message_id": 0}]
    vk.world.faults.add(answer=Response(told), method="messages.send")
    message_id = await messenger.send(Chat("vk", chat.id), OutMessage("Hello"))
    with pytest.raises(MessageGone):
        await messenger.edit(Chat("vk", chat.id), message_id, OutMessage("Bye"))
    assert vk.world.calls("messages.edit") == []


async def test_in_a_group_a_mention_addresses_the_bot_and_is_not_part_of_the_text(
    vk: Side, messenger: Messenger, alice: User
) -> None:
    group, other = vk.world.group("Friends", [alice]), vk.world.group_id + 1
    for text in (
        f"[club{vk.world.group_id}|@sandbox] hello",
        f"[public{vk.world.group_id}|Bot], hello",
        f"[club{other}|Other] hello",
    ):
        group.say(alice, text)
    updates = await Listener(messenger).updates(3)
    assert [update.addressed for update in updates] == [True, True, False]
    assert [update.text for update in updates] == ["hello", "hello", f"[club{other}|Other] hello"]


async def test_a_button_pressed_in_a_group_is_answered_to_who_pressed_it(
    vk: Side, messenger: Messenger, alice: User
) -> None:
    group = vk.world.group("Friends", [vk.world.user("Bob"), alice])
    where = Chat("vk", group.id, group=True)
    pressed = group.press(alice, await messenger.send(where, OutMessage("Really?", KEYBOARD)), "Yes")
    update = await heard(messenger)
    assert (update.chat, update.addressed) == (where, True)
    assert update.press is not None
    await messenger.answer(update.chat, update.press, "Done")
    assert (await pressed.answered())["text"] == "Done"


@pytest.mark.parametrize("code", [8, 100, 901, 917])
async def test_a_press_that_can_not_be_answered_is_let_go(
    vk: Side, messenger: Messenger, chat: sandbox.Chat, code: int
) -> None:
    vk.world.faults.add(answer=ApiError(code), method="messages.sendMessageEventAnswer")
    await messenger.answer(Chat("vk", chat.id), Press(f"{chat.id}:event", "data"), "Done")
    assert len(vk.world.calls("messages.sendMessageEventAnswer")) == 1


async def test_vks_limit_of_20_requests_a_second_is_kept_whoever_asks_at_once(
    vk: Side, messenger: Messenger, chat: sandbox.Chat
) -> None:
    where = Chat("vk", chat.id)
    message_id = await messenger.send(where, OutMessage("0 %"))
    async with trio.open_nursery() as nursery:
        for number in range(45):
            nursery.start_soon(messenger.edit, where, message_id, OutMessage(f"{number} %"))
    assert vk.world.limits.hits == 0
