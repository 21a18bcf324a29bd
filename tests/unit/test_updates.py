"""The queue of updates: promise 7's order and fairness, and promise 1's "acknowledged means durable"."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.time.fakes import Disk, inbox_on, open_disk
from trio_s3_bot.conversation import ChatState, Decision, Say
from trio_s3_bot.errors import StateUnwritable
from trio_s3_bot.inbox import Claim, Updates
from trio_s3_bot.inbox.updates import REMEMBERED
from trio_s3_bot.messengers.base import Batch, Skipped
from trio_s3_bot.model import Chat, UpdateObj
from trio_s3_bot.notices import Greeting

ALICE, BOB, CAROL = (Chat("telegram", number) for number in (1, 2, 3))
NOTHING = Decision(ChatState(greeted=True))
PATIENCE = 20  # seconds after which a test is hopeless; the machines that run it are shared


@pytest.fixture
async def updates(disk: Disk) -> Updates:
    return (await inbox_on(disk)).updates


def said(chat: Chat, *update_ids: int) -> tuple[UpdateObj, ...]:
    """Messages of a chat."""
    return tuple(UpdateObj(chat.messenger, str(number), chat, message_id=number, text="hello") for number in update_ids)


async def store(updates: Updates, *batch: UpdateObj, cursor: str | None = None) -> int:
    return await updates.store(batch[0].messenger, Batch(batch, cursor))


async def take(updates: Updates, messenger: str = "telegram") -> Claim:
    """The next update, which must be there."""
    with trio.fail_after(PATIENCE):
        return await updates.claim(messenger)


async def none_is_handed_out(updates: Updates) -> bool:
    async with trio.open_nursery() as nursery:
        claims: list[Claim] = []

        async def claim() -> None:
            claims.append(await updates.claim("telegram"))

        nursery.start_soon(claim)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    return not claims


async def handle_all(updates: Updates) -> list[str]:
    """Handle everything that waits, one after the other; returns the ids in that order."""
    handled = []
    while await updates.unfinished():
        claim = await take(updates)
        handled.append(claim.update.update_id)
        await updates.finish(claim, NOTHING)
    return handled


async def test_updates_of_a_chat_are_handed_out_in_order_and_one_at_a_time(updates: Updates) -> None:
    await store(updates, *said(ALICE, 1, 2))
    first = await take(updates)
    assert first.update.update_id == "1"
    assert await none_is_handed_out(updates)
    await updates.finish(first, NOTHING)
    assert (await take(updates)).update.update_id == "2"


async def test_updates_of_different_chats_are_handed_out_in_parallel(updates: Updates) -> None:
    await store(updates, *said(ALICE, 1, 2), *said(BOB, 3))
    assert [(await take(updates)).update.update_id for _ in range(2)] == ["1", "3"]


async def test_a_chat_with_500_updates_does_not_starve_one_with_one(updates: Updates) -> None:
    await store(updates, *said(ALICE, *range(1, 501)))
    first = await take(updates)
    await store(updates, *said(BOB, 501))
    await updates.finish(first, NOTHING)
    assert (await take(updates)).update.chat == BOB


async def test_chats_take_turns_in_the_order_in_which_they_became_ready(updates: Updates) -> None:
    await store(updates, *said(ALICE, 1, 2, 3), *said(BOB, 4, 5), *said(CAROL, 6))
    assert await handle_all(updates) == ["1", "4", "6", "2", "5", "3"]


@pytest.mark.parametrize("chats", [[ALICE], [ALICE, BOB, CAROL]])
async def test_who_waits_for_an_update_gets_it_as_soon_as_it_is_stored(updates: Updates, chats: list[Chat]) -> None:
    got: list[int] = []

    async def wait() -> None:
        got.append((await updates.claim("telegram")).update.chat.id)

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            for _ in chats:
                nursery.start_soon(wait)
            await wait_all_tasks_blocked()
            await store(updates, *[message for chat in chats for message in said(chat, chat.id)])
    assert sorted(got) == [chat.id for chat in chats]


async def test_an_update_that_comes_while_its_chat_is_being_handled_is_not_forgotten(updates: Updates) -> None:
    await store(updates, *said(ALICE, 1))
    claim = await take(updates)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(updates.finish, claim, NOTHING)
        nursery.start_soon(lambda: store(updates, *said(ALICE, 2)))
    assert (await take(updates)).update.update_id == "2"


async def test_an_update_that_comes_twice_is_known(updates: Updates) -> None:
    assert await store(updates, *said(ALICE, 1, 2)) == 2
    assert await store(updates, *said(ALICE, 2, 3)) == 1
    assert await handle_all(updates) == ["1", "2", "3"]
    assert await store(updates, *said(ALICE, 1, 2, 3)) == 0
    assert await none_is_handed_out(updates)


async def test_an_update_that_comes_twice_in_one_batch_is_handled_once(updates: Updates) -> None:
    assert await store(updates, *said(ALICE, 1, 1)) == 1
    assert await handle_all(updates) == ["1"]


async def test_ids_may_jump_up_and_down(updates: Updates) -> None:
    await store(updates, *said(ALICE, 900))
    await store(updates, *said(ALICE, 7))
    await store(updates, *said(ALICE, 123_456_789_012))
    assert await handle_all(updates) == ["900", "7", "123456789012"]


async def test_the_same_id_of_another_messenger_is_another_update(updates: Updates) -> None:
    other = Chat("vk", 1)
    await store(updates, *said(ALICE, 1))
    assert await store(updates, *said(other, 1)) == 1
    assert (await take(updates, "vk")).update.chat == other
    assert (await take(updates, "telegram")).update.chat == ALICE


async def test_the_cursor_is_committed_with_its_batch(updates: Updates, disk: Disk) -> None:
    assert await updates.cursor("telegram") is None
    await store(updates, *said(ALICE, 1), cursor="2")
    assert await (await inbox_on(disk)).updates.cursor("telegram") == "2"
    disk.full = True
    with pytest.raises(StateUnwritable):
        await store(updates, *said(ALICE, 2), cursor="3")
    assert await updates.cursor("telegram") == "2"


async def test_an_answer_without_a_cursor_does_not_forget_the_one_there_is(updates: Updates) -> None:
    await store(updates, *said(ALICE, 1), cursor="2")
    await updates.store("telegram", Batch((), None))
    assert await updates.cursor("telegram") == "2"


async def test_each_messenger_has_its_own_cursor(updates: Updates) -> None:
    await store(updates, *said(ALICE, 1), cursor="2")
    await updates.store("vk", Batch((), "77"))
    assert (await updates.cursor("telegram"), await updates.cursor("vk")) == ("2", "77")


async def test_what_could_not_be_stored_is_not_handed_out(updates: Updates, disk: Disk) -> None:
    disk.full = True
    with pytest.raises(StateUnwritable):
        await store(updates, *said(ALICE, 1))
    assert await none_is_handed_out(updates)
    disk.full = False
    await store(updates, *said(ALICE, 1))
    assert await handle_all(updates) == ["1"]


async def test_a_skipped_update_is_on_record_and_never_handed_out(updates: Updates) -> None:
    await updates.store(
        "telegram", Batch((), "6", (Skipped("5", "a field is missing"), Skipped(None, "not an object")))
    )
    assert await updates.unfinished() == 0
    assert await none_is_handed_out(updates)


async def test_what_an_earlier_version_wrote_and_this_one_cannot_read_is_set_aside_alone(
    updates: Updates, disk: Disk
) -> None:
    await store(updates, *said(ALICE, 1, 2), *said(BOB, 3))
    disk.execute("UPDATE updates SET body = '{\"text\": 5}' WHERE update_id = '1'")
    with capture_logs() as logs:
        assert await handle_all(updates) == ["2", "3"]
    assert [(line["event"], line["update_id"]) for line in logs] == [
        ("an update on record can't be read and is set aside", "1")
    ]
    assert await store(updates, *said(ALICE, 1)) == 0


async def test_an_update_whose_facts_can_not_be_found_is_handed_out_with_the_reason(updates: Updates) -> None:
    (message,) = said(ALICE, 1)
    await store(updates, replace(message, text="/delete", reply_to=2**63), *said(BOB, 2))
    claims = [await take(updates), await take(updates)]
    assert [type(claim.trouble) for claim in claims] == [OverflowError, type(None)]
    await updates.fail(claims[0], "OverflowError")
    assert (await take(updates)).failures == 1


async def test_an_update_that_is_set_aside_is_over_and_known_again(updates: Updates) -> None:
    await store(updates, *said(ALICE, 1, 2))
    await updates.set_aside(await take(updates), "ValueError: no")
    assert await handle_all(updates) == ["2"]
    assert await store(updates, *said(ALICE, 1)) == 0


async def test_an_update_given_back_comes_up_again_before_the_later_ones_of_its_chat(updates: Updates) -> None:
    await store(updates, *said(ALICE, 1, 2))
    updates.give_back(await take(updates))
    assert await handle_all(updates) == ["1", "2"]


async def test_failures_are_counted_over_restarts(updates: Updates, disk: Disk) -> None:
    await store(updates, *said(ALICE, 1))
    for failures in range(3):
        claim = await take(updates)
        assert claim.failures == failures
        await updates.fail(claim, "ValueError: no")
        updates = (await inbox_on(disk)).updates
    assert (await take(updates)).failures == 3


async def test_a_claim_whose_end_could_not_be_written_is_handled_again(updates: Updates, disk: Disk) -> None:
    await store(updates, *said(ALICE, 1))
    claim = await take(updates)
    disk.full = True
    with pytest.raises(StateUnwritable):
        await updates.finish(claim, Decision(ChatState(greeted=True), (Say(Greeting()),)))
    disk.full = False
    updates.give_back(claim)
    again = await take(updates)
    assert again.update == claim.update
    assert again.state.greeted is False


async def test_the_state_of_a_chat_is_the_one_its_last_update_left(updates: Updates) -> None:
    await store(updates, *said(ALICE, 1, 2), *said(BOB, 3))
    await updates.finish(await take(updates), Decision(ChatState(greeted=True, language="ru")))
    claims = [await take(updates), await take(updates)]
    assert {claim.update.chat.id: claim.state.language for claim in claims} == {1: "ru", 2: "en"}


async def test_after_a_restart_what_is_unfinished_is_handed_out_the_longest_waiting_first(
    updates: Updates, disk: Disk
) -> None:
    await store(updates, *said(CAROL, 1, 2), *said(ALICE, 3), *said(BOB, 4))
    await updates.finish(await take(updates), NOTHING)
    await take(updates)  # was being handled when the process ended
    assert await handle_all((await inbox_on(disk)).updates) == ["2", "3", "4"]


@pytest.mark.parametrize("tasks_waiting", [0, 1])
async def test_a_claim_that_is_cancelled_loses_no_update(updates: Updates, tasks_waiting: int) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(tasks_waiting):
            nursery.start_soon(updates.claim, "telegram")
        await wait_all_tasks_blocked()
        await store(updates, *said(ALICE, 1))
        if not tasks_waiting:
            nursery.start_soon(updates.claim, "telegram")
        nursery.cancel_scope.cancel()
    assert (await take(updates)).update.update_id == "1"


async def test_finished_updates_are_forgotten_after_a_while_and_unfinished_ones_never(
    updates: Updates, disk: Disk
) -> None:
    await store(updates, *said(BOB, 1))
    for start in range(2, REMEMBERED + 1002, 1000):
        await store(updates, *said(ALICE, *range(start, start + 1000)))
    disk.execute("UPDATE updates SET body = NULL WHERE chat = ?", (ALICE.key,))
    await store(updates, *said(CAROL, 99_999))
    (count,) = disk.execute("SELECT count(*) FROM updates").fetchone()
    assert REMEMBERED <= count <= REMEMBERED + 3
    assert await updates.unfinished() == 2


@dataclass
class Model:
    """What the queue has to do, said in the plainest way: a row of chats, and a row of updates for each."""

    waiting: dict[int, deque[str]] = field(default_factory=dict)
    row: list[int] = field(default_factory=list)
    claimed: dict[int, Claim] = field(default_factory=dict)
    handled: dict[int, list[str]] = field(default_factory=dict)

    def stored(self, chat: int, update_id: str) -> None:
        self.waiting.setdefault(chat, deque()).append(update_id)
        if chat not in self.row and chat not in self.claimed:
            self.row.append(chat)

    def claims(self, claim: Claim) -> None:
        chat = claim.update.chat.id
        assert chat == self.row.pop(0)
        assert claim.update.update_id == self.waiting[chat][0]
        self.claimed[chat] = claim

    def ends(self, chat: int, *, done: bool) -> Claim:
        if done:
            self.handled.setdefault(chat, []).append(self.waiting[chat].popleft())
        if self.waiting[chat]:
            self.row.append(chat)
        return self.claimed.pop(chat)

    def restarts(self) -> None:
        self.claimed.clear()
        waiting = [chat for chat, ids in self.waiting.items() if ids]
        self.row = sorted(waiting, key=lambda chat: int(self.waiting[chat][0]))


Step = tuple[str, int]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["store", "store", "claim", "claim", "finish", "fail", "give back", "again", "restart"]),
            st.integers(1, 4),
        ),
        max_size=60,
    )
)
def test_whatever_happens_every_update_is_handled_once_in_the_order_of_its_chat(steps: list[Step]) -> None:
    async def run() -> None:
        async with open_disk() as disk:
            await follow(disk, Model(), steps)

    trio.run(run, clock=MockClock(autojump_threshold=0))


async def follow(disk: Disk, model: Model, steps: list[Step]) -> None:
    updates = (await inbox_on(disk)).updates
    sent: dict[int, list[str]] = {}
    for number, (what, chat) in enumerate(steps, start=1):
        match what:
            case "store":
                await store(updates, *said(Chat("telegram", chat), number))
                model.stored(chat, str(number))
                sent.setdefault(chat, []).append(str(number))
            case "again" if sent.get(chat):
                assert await store(updates, *said(Chat("telegram", chat), int(sent[chat][-1]))) == 0
            case "claim" if model.row:
                model.claims(await take(updates))
            case "finish" if chat in model.claimed:
                await updates.finish(model.ends(chat, done=True), NOTHING)
            case "fail" if chat in model.claimed:
                await updates.fail(model.ends(chat, done=False), "an error")
            case "give back" if chat in model.claimed:
                updates.give_back(model.ends(chat, done=False))
            case "restart":
                updates = (await inbox_on(disk)).updates
                model.restarts()
    updates = (await inbox_on(disk)).updates
    model.restarts()
    while model.row:
        model.claims(await take(updates))
        (chat,) = model.claimed
        await updates.finish(model.ends(chat, done=True), NOTHING)
    assert model.handled == sent
