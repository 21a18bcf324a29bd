"""Promise 9: flood limits are kept, not hit; all of them at once, and edits count as messages."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.time.fakes import ScriptedMessenger
from tests.time.scenes import ask, group, most_within, person, speaking
from trio_s3_bot.inbox import Inbox


async def test_a_chat_gets_a_short_burst_and_then_one_message_a_second(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, person(1), times=12)
        await outbox.until_all_is_said()
    times = [request.at for request in messenger.said]
    assert times[:5] == [0] * 5
    assert [later - earlier for earlier, later in pairwise(times[4:])] == pytest.approx([1 / 0.95] * 7)


async def test_all_chats_together_get_thirty_messages_a_second_and_not_many_fewer(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    async with speaking(inbox, messenger) as outbox:
        for number in range(300):
            await ask(inbox, person(number))
        await outbox.until_all_is_said()
    times = [request.at for request in messenger.said]
    assert len(times) == 300
    assert most_within(times, 1) <= 30
    assert times[-1] < 13


@pytest.mark.parametrize("topics", [1, 2, 10])
async def test_a_group_gets_twenty_messages_a_minute_however_many_topics_it_has(
    inbox: Inbox, messenger: ScriptedMessenger, topics: int
) -> None:
    async with speaking(inbox, messenger) as outbox:
        for number in range(60):
            await ask(inbox, group(1, thread=number % topics))
        await outbox.until_all_is_said()
    times = [request.at for request in messenger.said]
    assert len(times) == 60
    assert times[:5] == [0] * 5
    assert most_within(times, 60) <= 20
    assert times[-1] < 240


async def test_two_groups_have_a_limit_each(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    async with speaking(inbox, messenger) as outbox:
        for number in (1, 2):
            await ask(inbox, group(number), times=5)
        await outbox.until_all_is_said()
    assert messenger.said[-1].at < 1


async def test_a_chat_that_has_used_up_its_limit_holds_up_no_other(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, person(1), times=50)
        await ask(inbox, person(2))
        await outbox.until_all_is_said()
    (said,) = [request for request in messenger.said if request.chat == person(2)]
    assert said.at < 1


async def test_a_slow_messenger_is_asked_for_eight_things_at_a_time(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.latency = 10
    async with speaking(inbox, messenger) as outbox:
        for number in range(24):
            await ask(inbox, person(number))
        await outbox.until_all_is_said()
    assert most_within([request.at for request in messenger.tried], 10) == 8
    assert [request.at for request in messenger.tried][-1] < 21
