"""The Bots Long Poll API as VK documents it: keys run out, histories are lost, events come twice."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import structlog

from tests.sides import Side
from trio_s3_bot.errors import MessageGone, Unavailable
from trio_s3_bot.messengers.base import Messenger
from trio_s3_bot.sandbox.replies import Html502, Status
from trio_s3_bot.sandbox.vk import LONG_POLL, ApiError, Chat, LongPollFailed, User

from .talk import Listener

LOOK_UP = "messages.getByConversationMessageId"

SERVER = "groups.getLongPollServer"


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
def chat(vk: Side, alice: User) -> Chat:
    chat: Chat = vk.world.private_chat(alice)
    return chat


async def listening(messenger: Messenger, chat: Chat, alice: User) -> Listener:
    """A listener that has heard a first message, so that its session is in use."""
    listener = Listener(messenger)
    chat.say(alice, "first")
    [update] = await listener.updates()
    assert update.text == "first"
    return listener


async def test_the_first_cursor_comes_without_waiting_and_is_that_of_the_start(
    messenger: Messenger, chat: Chat, alice: User
) -> None:
    """Once it is committed, what is said from now on survives a crash."""
    chat.say(alice, "after the check")
    batch = await messenger.poll(None)
    assert batch.updates == ()
    assert batch.cursor is not None
    [update] = await Listener(messenger, batch.cursor).updates()
    assert update.text == "after the check"


async def test_a_cursor_of_an_earlier_run_brings_what_was_said_meanwhile(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    listener = await listening(messenger, chat, alice)
    chat.say(alice, "while the bot was down")
    async with vk.open() as restarted:
        [update] = await Listener(restarted, listener.cursor).updates()
    assert update.text == "while the bot was down"


async def test_an_expired_key_is_renewed_and_nothing_is_lost(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    """The ts that comes with the new key would pass over what was said between the two."""
    listener = await listening(messenger, chat, alice)
    vk.world.events.expire_keys()
    chat.say(alice, "in between")
    [update] = await listener.updates()
    assert update.text == "in between"
    assert len(vk.world.calls(SERVER)) == 2


async def test_a_gap_in_the_history_is_logged_and_passed_over(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    listener = await listening(messenger, chat, alice)
    chat.say(alice, "lost")
    vk.world.events.lose_history()
    with structlog.testing.capture_logs() as logs:
        await listener.poll()
    assert [entry["log_level"] for entry in logs] == ["warning"]
    assert "lost" in logs[0]["event"]
    chat.say(alice, "after the gap")
    [update] = await listener.updates()
    assert update.text == "after the gap"
    assert len(vk.world.calls(SERVER)) == 1


async def test_a_history_that_begins_anew_is_logged_and_followed(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    listener = await listening(messenger, chat, alice)
    vk.world.events.lose_everything()
    with structlog.testing.capture_logs() as logs:
        await listener.poll()
    assert "lost" in logs[0]["event"]
    chat.say(alice, "in the new history")
    [update] = await listener.updates()
    assert update.text == "in the new history"
    assert len(vk.world.calls(SERVER)) == 2


@pytest.mark.parametrize("failed", [2, 4, 77])
async def test_any_other_failure_asks_for_a_new_key_and_keeps_the_cursor(
    vk: Side, messenger: Messenger, chat: Chat, alice: User, failed: int
) -> None:
    listener = await listening(messenger, chat, alice)
    before = listener.cursor
    vk.world.faults.add(answer=LongPollFailed(failed), method=LONG_POLL)
    await listener.poll()
    assert listener.cursor == before
    chat.say(alice, "hello")
    await listener.updates()
    assert len(vk.world.calls(SERVER)) == 2


async def test_a_cursor_that_comes_as_a_number_is_kept_as_a_text(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    listener = await listening(messenger, chat, alice)
    vk.world.faults.add(answer=LongPollFailed(1, 12345), method=LONG_POLL)
    await listener.poll()
    assert listener.cursor == "12345"


async def test_a_server_that_is_gone_is_asked_for_anew_after_three_failures(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    listener = await listening(messenger, chat, alice)
    vk.world.faults.add(answer=Html502(), method=LONG_POLL, times=2)
    vk.world.faults.add(answer=Status(404), method=LONG_POLL)
    chat.say(alice, "meanwhile")
    for _ in range(3):
        assert len(vk.world.calls(SERVER)) == 1
        with pytest.raises(Unavailable):
            await listener.poll()
    [update] = await listener.updates()
    assert update.text == "meanwhile"
    assert len(vk.world.calls(SERVER)) == 2


async def test_an_event_that_comes_again_is_known_by_its_id_whatever_id_its_event_has(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    vk.world.events.repeats = 2
    chat.say(alice, "hello")
    vk.world.events.replay(1, new_ids=True)
    updates = await Listener(messenger).updates(3)
    assert len({update.update_id for update in updates}) == 1


async def test_a_press_that_comes_again_is_known_by_its_id(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    listener = await listening(messenger, chat, alice)
    for _ in range(2):
        chat.press(alice, 1, "data", forged=True)
    vk.world.events.replay(2, new_ids=True)
    first, second, *again = [update.update_id for update in await listener.updates(4)]
    assert first != second
    assert again == [first, second]


async def test_events_that_are_not_for_a_bot_are_no_news(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    """Which types come is up to the settings; the bot's own messages are among them."""
    vk.world.settings.events |= {"message_reply", "message_edit", "wall_post_new"}
    vk.world.push({"type": "wall_post_new", "event_id": "1", "object": {"id": 1}})
    said = chat.say(alice, "hello")
    chat.edit(said["message_id"], text="hello!")
    listener = Listener(messenger)
    [update] = await listener.updates()
    assert update.text == "hello"
    assert listener.skipped == []


@pytest.mark.parametrize("left", [0, 1])
async def test_a_cropped_message_is_told_as_such_and_fetched_whole_when_that_is_asked_for(
    vk: Side, messenger: Messenger, chat: Chat, alice: User, left: int
) -> None:
    chat.send_documents(alice, [("a.txt", b"a"), ("b.txt", b"b")], cropped=True, left=left, caption="both")
    [update] = await Listener(messenger).updates()
    assert (update.cropped, len(update.documents)) == (True, left)
    assert vk.world.calls(LOOK_UP) == []
    whole = await messenger.whole(update)
    assert [document.file_name for document in whole.documents] == ["a.txt", "b.txt"]
    assert (whole.cropped, whole.caption, whole.update_id) == (False, "both", update.update_id)
    assert whole.sender is not None
    assert whole.sender.language == "ru"


async def test_a_cropped_message_of_a_group_is_fetched_by_its_number_there(
    vk: Side, messenger: Messenger, alice: User
) -> None:
    group = vk.world.group("Friends", [alice])
    group.send_document(alice, "a.txt", b"a", cropped=True)
    [update] = await Listener(messenger).updates()
    whole = await messenger.whole(update)
    assert [document.file_name for document in whole.documents] == ["a.txt"]
    assert whole.chat == update.chat


async def test_a_cropped_message_that_can_not_be_fetched_now_is_not_one_without_documents(
    vk: Side, messenger: Messenger, chat: Chat, alice: User
) -> None:
    chat.send_document(alice, "a.txt", b"a", cropped=True)
    [update] = await Listener(messenger).updates()
    vk.world.faults.add(answer=ApiError(10), method=LOOK_UP)
    with pytest.raises(Unavailable):
        await messenger.whole(update)
    assert [document.file_name for document in (await messenger.whole(update)).documents] == ["a.txt"]


async def test_a_cropped_message_that_is_gone_is_told_as_such(messenger: Messenger, chat: Chat, alice: User) -> None:
    sent = chat.say(alice, "cropped", cropped=True)
    [update] = await Listener(messenger).updates()
    chat.delete(sent["message_id"])
    with pytest.raises(MessageGone):
        await messenger.whole(update)


async def test_a_cropped_message_that_gets_no_answer_anyway_is_not_asked_for(
    vk: Side, messenger: Messenger, alice: User
) -> None:
    group = vk.world.group("Friends", [alice])
    group.post(alice, {"action": {"type": "chat_title_update", "text": "Team"}}, cropped=True)
    [update] = await Listener(messenger).updates()
    assert (update.silent, update.cropped) == (True, False)
