"""Promises 7 and 11: what workers do with updates that fail, with many of them, and with a state they can't write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import trio
from structlog.testing import capture_logs

from tests.time.fakes import Disk, Request, ScriptedMessenger, StoreInMemory, TimedTransfer, no_fault, until
from tests.time.scenes import answering, document, person, update, uploading
from trio_s3_bot.errors import (
    ChatUnreachable,
    MessageGone,
    OperatorNeeded,
    RequestRefused,
    RetryAfter,
    TokenRefused,
    Unavailable,
)
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.model import Chat, Press, Sender, UpdateObj
from trio_s3_bot.worker import ANSWERED_WITHIN

ALICE, BOB = person(1), person(2)
SOMEBODY, UNLUCKY = Sender(1), Sender(13)


class Superstitious:
    """Rules with a bug: they fail for one sender, and `then` is done. `asked` are the times at which they did."""

    everybody = False

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.asked: list[float] = []
        self._then = then

    def allows(self, messenger: str, user_id: int, username: str | None) -> bool:
        if user_id == UNLUCKY.id:
            self.asked.append(trio.current_time())
            if self.asked[-10:] == [trio.current_time()] * 10:
                pytest.fail("a busy loop: no time passes")
            self._then()
            raise ValueError(f"{messenger} user 13, {username}")
        return True


class Hangs(ScriptedMessenger):
    """Presses are answered there in vain."""

    async def answer(self, chat: Chat, press: Press, text: str = "") -> None:
        await super().answer(chat, press, text)
        await trio.sleep(15)
        raise Unavailable("no answer in time")


def message(chat: Chat, update_id: int, sender: Sender = SOMEBODY) -> UpdateObj:
    return replace(update(chat, update_id=update_id), sender=sender)


def markers(messenger: ScriptedMessenger, chat: Chat) -> list[str]:
    return [text.split("]")[0] for text in messenger.texts(chat)]


async def test_an_update_that_fails_three_times_is_set_aside_with_words_and_the_next_one_handled(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    rules = Superstitious()
    messenger.deliver([message(ALICE, 1, UNLUCKY), message(ALICE, 2)])
    with capture_logs() as logs:
        async with answering(inbox, messenger, access=rules):
            await trio.sleep(1)
    assert len(rules.asked) == 3
    assert [text[:20] for text in messenger.texts(ALICE)] == ["Something in your me", "[greeting] Hello! Se"]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        *["an update could not be handled"] * 3,
        "an update failed again and again and is set aside",
    ]
    assert await inbox.updates.unfinished() == 0


async def test_an_update_that_can_not_even_be_looked_up_is_set_aside_with_words_and_the_next_one_handled(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    """It holds a number that sqlite has no room for."""
    hostile = replace(message(ALICE, 1), text="/delete", reply_to=2**64)
    messenger.deliver([hostile, message(ALICE, 2), message(BOB, 3)])
    with capture_logs() as logs:
        async with answering(inbox, messenger):
            await trio.sleep(1)
    assert [text[:20] for text in messenger.texts(ALICE)] == ["Something in your me", "[greeting] Hello! Se"]
    assert markers(messenger, BOB) == ["[greeting"]
    assert [line["event"] for line in logs if line["log_level"] == "error"][-1] == (
        "an update failed again and again and is set aside"
    )
    assert await inbox.updates.unfinished() == 0


async def test_an_update_that_can_not_even_be_given_up_is_over_without_a_word(
    inbox: Inbox, messenger: ScriptedMessenger, disk: Disk
) -> None:
    disk.execute(
        "CREATE TRIGGER mute BEFORE INSERT ON notices WHEN NEW.chat = 'telegram:1' "
        "BEGIN SELECT RAISE(ABORT, 'nothing is said here'); END"
    )
    messenger.deliver([message(ALICE, 1), message(BOB, 2)])
    async with answering(inbox, messenger):
        await trio.sleep(1)
    assert (messenger.texts(ALICE), markers(messenger, BOB)) == ([], ["[greeting"])
    assert await inbox.updates.unfinished() == 0


async def test_an_update_that_fails_holds_up_no_other_chat(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.deliver([message(ALICE, 1, UNLUCKY), *[message(person(number), number) for number in range(2, 12)]])
    async with answering(inbox, messenger, workers=1, access=Superstitious()):
        await trio.sleep(1)
    assert len(messenger.sent) == 11


@pytest.mark.parametrize("workers", [1, 4])
async def test_while_the_disk_is_full_updates_wait_and_afterwards_each_is_answered_once(
    inbox: Inbox, messenger: ScriptedMessenger, disk: Disk, workers: int
) -> None:
    messenger.deliver(message(person(number % 5), number) for number in range(1, 11))
    async with answering(inbox, messenger, workers=workers) as outbox:
        disk.full = True
        await trio.sleep_until(600)
        assert messenger.tried == []
        disk.full = False
        await trio.sleep_until(700)
        await outbox.until_all_is_said()
    for number in range(5):
        assert markers(messenger, person(number)) == ["[greeting", "[document is required"]


async def test_a_disk_that_fills_up_while_updates_are_handled_loses_none(
    inbox: Inbox, messenger: ScriptedMessenger, disk: Disk
) -> None:
    def fill(_: Request) -> None:
        disk.full = True

    messenger.fault = fill
    messenger.deliver(message(person(number), number) for number in range(1, 201))
    async with answering(inbox, messenger) as outbox:
        await trio.sleep_until(600)
        assert await inbox.updates.unfinished() > 0
        disk.full, messenger.fault = False, no_fault
        await trio.sleep_until(700)
        await outbox.until_all_is_said()
    assert sorted(request.chat.id for request in messenger.sent) == list(range(1, 201))


async def test_a_failure_that_can_not_even_be_recorded_is_not_tried_again_in_a_tight_loop(
    inbox: Inbox, messenger: ScriptedMessenger, disk: Disk
) -> None:
    def fill() -> None:
        disk.full = True

    rules = Superstitious(then=fill)
    messenger.deliver([message(ALICE, 1, UNLUCKY)])
    async with answering(inbox, messenger, access=rules):
        await trio.sleep(59)
        assert rules.asked == [5.0 * number for number in range(12)]


async def test_ten_thousand_documents_at_once_are_taken_at_polling_speed_and_told_of_in_few_messages(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    transfer = TimedTransfer(store, seconds=3600, steps=1)
    messenger.deliver(
        replace(update(ALICE, update_id=number), text=None, documents=(document(f"{number}.txt"),))
        for number in range(1, 10_001)
    )
    async with answering(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await trio.sleep(1)
        assert messenger.unacknowledged == []
        assert await inbox.updates.unfinished() == 0
        assert await inbox.uploads.open_count() == 10_000
        messenger.deliver([message(BOB, 10_001)])
        await trio.sleep(1)
        assert markers(messenger, BOB) == ["[greeting"]
        await outbox.until_all_is_said()
    assert len(messenger.texts(ALICE)) <= 30
    assert trio.current_time() <= 60


def cropped(chat: Chat, update_id: int) -> UpdateObj:
    return replace(message(chat, update_id), cropped=True)


async def test_a_message_that_did_not_come_whole_is_answered_for_what_was_left_out(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.deliver([cropped(ALICE, 1)])
    async with answering(inbox, messenger):
        await trio.sleep(5)
    assert markers(messenger, ALICE) == ["[greeting", "[document"]
    assert messenger.fetched == [0]


async def test_while_it_can_not_be_fetched_its_chat_waits_in_order_and_no_other_chat_does(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fetching = until(600, Unavailable("502"))
    messenger.deliver([cropped(ALICE, 1), message(ALICE, 2), *[cropped(person(n), n) for n in range(3, 9)]])
    messenger.deliver([message(BOB, 9)])
    with capture_logs() as logs:
        async with answering(inbox, messenger, workers=1):
            await trio.sleep(1)
            assert markers(messenger, BOB) == ["[greeting"]
            assert markers(messenger, ALICE) == []
            await trio.sleep_until(1000)
    assert markers(messenger, ALICE) == ["[greeting", "[document", "[document is required"]
    assert len(messenger.fetched) <= 7 * 11
    assert {line["event"] for line in logs} == {"a message can't be fetched whole; its chat waits"}
    assert await inbox.updates.unfinished() == 0


async def test_one_that_comes_second_in_an_outage_is_waited_for_as_long_as_the_first(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fetching = until(3600, Unavailable("502"))
    messenger.deliver([cropped(ALICE, 1), cropped(ALICE, 2)])
    async with answering(inbox, messenger):
        await trio.sleep(2400)
        messenger.deliver([cropped(ALICE, 3), cropped(BOB, 4)])
        await trio.sleep_until(4000)
    assert sum(text.count(".txt") for text in messenger.texts(ALICE)) == 3
    assert sum(text.count(".txt") for text in messenger.texts(BOB)) == 1


async def test_one_that_can_never_be_fetched_is_answered_with_words_and_the_next_one_handled(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fetching = lambda update: Unavailable("502") if update.update_id == "1" else None
    messenger.deliver([cropped(ALICE, 1), cropped(ALICE, 2)])
    async with answering(inbox, messenger):
        await trio.sleep(2 * 3600)
    assert [text[:20] for text in messenger.texts(ALICE)][:2] == ["Only a part of your ", "[greeting] Hello! Se"]
    assert 3600 <= messenger.fetched[-1] <= 2 * 3600
    assert await inbox.updates.unfinished() == 0


@pytest.mark.parametrize(
    ("error", "tries"), [(MessageGone("gone"), 1), (ChatUnreachable("917"), 6), (RequestRefused("100"), 6)]
)
async def test_one_that_is_gone_or_refused_again_and_again_is_answered_with_words_soon(
    inbox: Inbox, messenger: ScriptedMessenger, error: Exception, tries: int
) -> None:
    messenger.fetching = lambda _: error
    messenger.deliver([cropped(ALICE, 1)])
    async with answering(inbox, messenger):
        await trio.sleep(100)
    assert [text[:20] for text in messenger.texts(ALICE)] == ["Only a part of your "]
    assert len(messenger.fetched) == tries


@pytest.mark.parametrize("error", [ChatUnreachable("917"), RequestRefused("100")])
async def test_one_that_is_refused_once_is_not_given_up(
    inbox: Inbox, messenger: ScriptedMessenger, error: Exception
) -> None:
    messenger.fetching = until(1, error)
    messenger.deliver([cropped(ALICE, 1)])
    async with answering(inbox, messenger):
        await trio.sleep(100)
    assert markers(messenger, ALICE) == ["[greeting", "[document"]


@pytest.mark.parametrize("error", [TokenRefused("5"), OperatorNeeded("15", "Give it back.", 60)])
async def test_what_the_operator_has_to_mend_is_waited_for_however_long_it_takes(
    inbox: Inbox, messenger: ScriptedMessenger, error: Exception
) -> None:
    messenger.fetching = until(12 * 3600, error)
    messenger.deliver([cropped(ALICE, 1)])
    async with answering(inbox, messenger):
        await trio.sleep_until(12 * 3600 + 400)
    assert markers(messenger, ALICE) == ["[greeting", "[document"]
    assert len(messenger.fetched) <= 12 * 3600 / 300 + 2


async def test_as_long_as_a_server_asks_for_no_message_is_fetched(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.fetching = until(1, RetryAfter("29", 300))
    messenger.deliver([cropped(ALICE, 1)])
    async with answering(inbox, messenger):
        await trio.sleep(400)
    assert messenger.fetched == [0, 300]


async def test_a_messenger_that_hangs_hardly_holds_up_the_people_of_another(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    hangs = Hangs("vk")
    presses = [Press(str(number), "now", 5) for number in range(8)]
    async with answering(inbox, messenger, hangs):
        hangs.deliver([replace(update(person(n, "vk")), text=None, press=press) for n, press in enumerate(presses)])
        await trio.sleep(1)
        messenger.deliver([message(ALICE, 1)])
        await trio.sleep(10)
    assert messenger.sent[0].at <= 2 * ANSWERED_WITHIN
