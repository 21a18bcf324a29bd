"""What every messenger promises about what the bot says (`messengers.base`), on both of them."""

from __future__ import annotations

import pytest

from tests.sides import Side
from trio_s3_bot import texts
from trio_s3_bot.errors import ChatUnreachable, MessageGone, RequestRefused, RetryAfter, Unavailable
from trio_s3_bot.messengers.base import Command, Messenger
from trio_s3_bot.model import Button, Chat, OutMessage, Press, UpdateObj

from .talk import Listener

KEYBOARD = ((Button("Yes", "answer:yes"), Button("No", "answer:no")), (Button("Later", "answer:\N{PILE OF POO}\"'"),))
LABELS = [["Yes", "No"], ["Later"]]


async def press_of(side: Side, messenger: Messenger, data: str) -> tuple[UpdateObj, Press, object]:
    """Let the bot say something with buttons and a person press one: the update, its press, and the person's side."""
    alice = side.world.user("Alice", language="ru")
    chat, listener = side.world.private_chat(alice), Listener(messenger)
    chat.say(alice, "hello")
    await listener.updates()
    message_id = await messenger.send(Chat(side.name, alice.id), OutMessage("Really?", KEYBOARD, random_id=alice.id))
    pressed = chat.press(alice, message_id, data)
    [update] = await listener.updates()
    assert update.press is not None
    assert update.press.message_id == message_id
    return update, update.press, pressed


async def test_what_is_said_stands_in_the_chat_under_the_id_that_is_returned(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    for number, chat in enumerate((side.world.private_chat(alice), side.world.group("Friends", [alice])), 1):
        where = Chat(side.name, chat.id, group=chat.id != alice.id)
        message_id = await messenger.send(where, OutMessage("Hello\nworld, 5 < 6 & _this_ *that*", random_id=number))
        assert message_id > 0
        said = chat.find(message_id)
        assert said["text"].replace("\u200b", "") == "Hello\nworld, 5 < 6 & _this_ *that*"


async def test_an_answer_names_the_message_that_it_answers(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    for number, chat in enumerate((side.world.private_chat(alice), side.world.group("Friends", [alice])), 1):
        asked = chat.say(alice, "hello")
        where = Chat(side.name, chat.id, group=chat.id != alice.id)
        message_id = await messenger.send(where, OutMessage("Hello", reply_to=asked["message_id"], random_id=number))
        assert side.answered(chat.find(message_id)) == asked["message_id"]


async def test_an_answer_to_a_message_that_is_gone_is_said_all_the_same(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    chat = side.world.private_chat(alice)
    asked = chat.say(alice, "hello")
    chat.delete(asked["message_id"])
    said = OutMessage("Hello", KEYBOARD, reply_to=asked["message_id"])
    message_id = await messenger.send(Chat(side.name, chat.id), said)
    assert chat.find(message_id)["text"] == "Hello"
    assert side.buttons(chat.find(message_id)) == LABELS


async def test_a_random_id_is_said_once_where_the_messenger_knows_such(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    chat = side.world.private_chat(alice)
    message = OutMessage("Hello", random_id=2**31 - 1)
    ids = {await messenger.send(Chat(side.name, alice.id), message) for _ in range(2)}
    assert len(chat.bot_messages) == len(ids) == (1 if side.name == "vk" else 2)


async def test_a_text_may_be_as_long_as_texts_get(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    chat = side.world.private_chat(alice)
    longest = "\N{PILE OF POO}" * (texts.LIMIT // 2)
    message_id = await messenger.send(Chat(side.name, alice.id), OutMessage(longest))
    assert chat.find(message_id)["text"] == longest


async def test_an_edit_replaces_text_and_buttons_and_leaves_what_was_answered(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    for number, chat in enumerate((side.world.private_chat(alice), side.world.group("Friends", [alice])), 1):
        asked = chat.say(alice, "hello")
        where = Chat(side.name, chat.id, group=chat.id != alice.id)
        message_id = await messenger.send(where, OutMessage("10 %", reply_to=asked["message_id"], random_id=number))
        await messenger.edit(where, message_id, OutMessage("20 %", KEYBOARD))
        assert chat.find(message_id)["text"] == "20 %"
        assert side.buttons(chat.find(message_id)) == LABELS
        await messenger.edit(where, message_id, OutMessage("30 %", KEYBOARD[:1]))
        assert side.buttons(chat.find(message_id)) == LABELS[:1]
        await messenger.edit(where, message_id, OutMessage("100 %"))
        assert (chat.find(message_id)["text"], side.buttons(chat.find(message_id))) == ("100 %", [])
        assert side.answered(chat.find(message_id)) == asked["message_id"]


async def test_a_message_may_have_as_many_buttons_as_the_capabilities_say(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    chat = side.world.private_chat(alice)
    most, rows = messenger.capabilities.buttons, messenger.capabilities.button_rows
    wide = tuple(tuple(Button("x", f"{row}") for _ in range(5)) for row in range(most // 5))
    high = tuple((Button("x", f"{row}"),) for row in range(min(rows, most)))
    for keyboard in (wide, high):
        message_id = await messenger.send(
            Chat(side.name, chat.id), OutMessage("Files", keyboard, random_id=len(keyboard))
        )
        assert side.buttons(chat.find(message_id)) == [["x"] * len(row) for row in keyboard]


async def test_an_edit_that_changes_nothing_is_a_success(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    side.world.private_chat(alice)
    message_id = await messenger.send(Chat(side.name, alice.id), OutMessage("Hello", KEYBOARD))
    await messenger.edit(Chat(side.name, alice.id), message_id, OutMessage("Hello", KEYBOARD))


async def test_a_message_that_was_deleted_can_not_be_edited(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    chat = side.world.private_chat(alice)
    message_id = await messenger.send(Chat(side.name, alice.id), OutMessage("Hello"))
    chat.delete(message_id)
    with pytest.raises(MessageGone):
        await messenger.edit(Chat(side.name, alice.id), message_id, OutMessage("Bye"))


async def test_nothing_can_be_said_to_who_has_blocked_the_bot_or_thrown_it_out(
    side: Side, messenger: Messenger
) -> None:
    alice = side.world.user("Alice")
    chat, group = side.world.private_chat(alice), side.world.group("Friends", [alice])
    side.world.block(alice)
    side.world.kick(group)
    for where in (Chat(side.name, chat.id), Chat(side.name, group.id, group=True)):
        with pytest.raises(ChatUnreachable):
            await messenger.send(where, OutMessage("Hello"))


async def test_nothing_can_be_said_to_who_never_wrote_or_is_not_there(side: Side, messenger: Messenger) -> None:
    side.world.private_chat(side.world.user("Alice", id=77), started=False)
    for stranger in (77, 78):
        with pytest.raises(ChatUnreachable):
            await messenger.send(Chat(side.name, stranger), OutMessage("Hello"))


async def test_outages_and_floods_are_told_apart_for_sends_and_edits(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    side.world.private_chat(alice)
    where = Chat(side.name, alice.id)
    message_id = await messenger.send(where, OutMessage("Hello"))
    side.world.faults.add(answer=side.names.flood, method=side.names.send)
    side.world.faults.add(answer=side.names.flood, method=side.names.edit)
    with pytest.raises(RetryAfter):
        await messenger.send(where, OutMessage("Hello", random_id=2))
    with pytest.raises(RetryAfter):
        await messenger.edit(where, message_id, OutMessage("Bye"))
    side.world.faults.add(answer=side.names.out_of_order, method=side.names.send)
    side.world.faults.add(answer=side.names.out_of_order, method=side.names.edit)
    with pytest.raises(Unavailable):
        await messenger.send(where, OutMessage("Hello", random_id=3))
    with pytest.raises(Unavailable):
        await messenger.edit(where, message_id, OutMessage("Bye"))


async def test_a_text_that_can_not_be_sent_is_refused(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    side.world.private_chat(alice)
    with pytest.raises(RequestRefused):
        await messenger.send(Chat(side.name, alice.id), OutMessage(""))


@pytest.mark.parametrize("data", ["answer:yes", "answer:no", "answer:\N{PILE OF POO}\"'"])
async def test_a_pressed_button_is_an_update_with_what_the_button_carried(
    side: Side, messenger: Messenger, data: str
) -> None:
    update, press, _ = await press_of(side, messenger, data)
    assert press.data == data
    assert update.sender is not None
    assert (update.chat.id, update.sender.language) == (update.sender.id, "ru")
    assert update.addressed
    assert (update.text, update.documents) == (None, ())


async def test_a_press_is_answered_with_a_notice_or_without(side: Side, messenger: Messenger) -> None:
    for text in ("", "Done"):
        update, press, pressed = await press_of(side, messenger, "answer:yes")
        await messenger.answer(update.chat, press, text)
        answer = await pressed.answered()  # type: ignore[attr-defined]
        assert answer.get("text", "") == text


async def test_a_notice_that_is_too_long_is_shortened(side: Side, messenger: Messenger) -> None:
    update, press, pressed = await press_of(side, messenger, "answer:yes")
    await messenger.answer(update.chat, press, "\N{PILE OF POO}" * 500)
    answer = await pressed.answered()  # type: ignore[attr-defined]
    assert answer["text"].startswith("\N{PILE OF POO}" * 40)


async def test_a_press_that_is_too_old_to_be_answered_is_let_go(side: Side, messenger: Messenger) -> None:
    side.world.callback_lifetime = 0
    update, press, _ = await press_of(side, messenger, "answer:yes")
    await messenger.answer(update.chat, press, "Done")
    assert side.world.calls(side.names.press)


async def test_announcing_commands_is_no_error(messenger: Messenger) -> None:
    await messenger.announce((Command("list", {"en": "Saved files", "ru": "Сохранённые файлы"}),))
