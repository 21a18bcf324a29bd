"""Which document is next, and what stands on record about each: over attempts, ends and restarts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.time.fakes import Disk, inbox_on, open_disk
from tests.time.scenes import take
from trio_s3_bot.errors import Reason, StateUnwritable
from trio_s3_bot.inbox import Inbox, UploadClaim
from trio_s3_bot.model import Attempts, Chat, Part, SavedFile, UploadState
from trio_s3_bot.notices import Delayed, Failed, Saved

ALICE, BOB, CAROL = (Chat("telegram", number) for number in (1, 2, 3))
VK = Chat("vk", 1)
PART_SIZE = 8 * 2**20
PATIENCE = 20  # seconds after which a test is hopeless; the machines that run it are shared


async def claim(inbox: Inbox) -> UploadClaim:
    """The next document, which must be there."""
    claim = await inbox.uploads.claim()
    assert claim is not None
    return claim


async def claim_all(inbox: Inbox) -> list[str]:
    found = []
    while (claim := await inbox.uploads.claim()) is not None:
        found.append(claim.job.id)
    return found


async def save(inbox: Inbox, claim: UploadClaim) -> None:
    job = claim.job
    notice = Saved(upload=job.id, key=job.name, name=job.name, size=7)
    file = SavedFile(job.id, job.chat, job.owner, job.name, job.name, 7, '"etag"', job.document.unique_id, 1.5)
    await inbox.uploads.finish(job, UploadState.SAVED, notice, file)
    inbox.uploads.give_back(claim)


def waiting_kinds(disk: Disk, chat: Chat) -> list[str]:
    return [kind for (kind,) in disk.execute("SELECT kind FROM notices WHERE chat = ? ORDER BY seq", (chat.key,))]


async def test_documents_of_a_chat_come_in_the_order_in_which_they_were_sent(inbox: Inbox) -> None:
    await take(inbox, ALICE, "c", "a", "b")
    assert await claim_all(inbox) == ["c", "a", "b"]


async def test_the_chat_with_the_fewest_running_documents_is_next(inbox: Inbox) -> None:
    await take(inbox, ALICE, "a1", "a2", "a3")
    await take(inbox, BOB, "b1", "b2")
    await take(inbox, CAROL, "c1")
    assert await claim_all(inbox) == ["a1", "b1", "c1", "a2", "b2", "a3"]


async def test_a_chat_with_fewer_running_documents_is_next_even_if_its_turn_was_just_now(inbox: Inbox) -> None:
    await take(inbox, ALICE, "a1", "a2", "a3")
    assert [(await claim(inbox)).job.id for _ in range(2)] == ["a1", "a2"]
    await take(inbox, BOB, "b1", "b2")
    await save(inbox, await claim(inbox))
    assert (await claim(inbox)).job.id == "b2"


async def test_of_several_chats_with_as_few_the_one_that_came_later_is_next_if_it_had_no_turn_yet(
    inbox: Inbox,
) -> None:
    await take(inbox, ALICE, "a1", "a2")
    await save(inbox, await claim(inbox))
    await take(inbox, BOB, "b1", "b2")
    turns = []
    for _ in range(3):
        claimed = await claim(inbox)
        turns.append(claimed.job.id)
        await save(inbox, claimed)
    assert turns == ["b1", "a2", "b2"]


async def test_topics_of_a_group_are_chats_of_their_own(inbox: Inbox) -> None:
    topics = [Chat("telegram", -9, thread, group=True) for thread in (1, 2)]
    await take(inbox, topics[0], "a1", "a2")
    await take(inbox, topics[1], "b1")
    assert await claim_all(inbox) == ["a1", "b1", "a2"]


async def test_a_document_is_handed_out_once(inbox: Inbox) -> None:
    await take(inbox, ALICE, "a")
    assert (await claim(inbox)).job.id == "a"
    assert await inbox.uploads.claim() is None


async def test_two_slots_that_ask_at_the_same_time_get_two_documents(inbox: Inbox) -> None:
    await take(inbox, ALICE, "a", "b")
    got: list[str] = []

    async def ask() -> None:
        got.append((await claim(inbox)).job.id)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        nursery.start_soon(ask)
    assert sorted(got) == ["a", "b"]


async def test_a_document_given_back_waits_again_and_a_finished_one_does_not(inbox: Inbox) -> None:
    await take(inbox, ALICE, "a", "b")
    inbox.uploads.give_back(await claim(inbox))
    first = await claim(inbox)
    assert first.job.id == "a"
    await save(inbox, first)
    assert await claim_all(inbox) == ["b"]
    assert await inbox.uploads.open_count() == 1


async def test_documents_that_have_to_wait_are_passed_over(inbox: Inbox) -> None:
    await take(inbox, ALICE, "a", "b")
    found = await inbox.uploads.claim(but_not=["a"])
    assert found is not None
    assert found.job.id == "b"
    assert await inbox.uploads.claim(but_not=["a"]) is None


async def test_documents_of_a_messenger_that_is_out_of_order_are_passed_over(inbox: Inbox) -> None:
    await take(inbox, ALICE, "a")
    await take(inbox, VK, "v")
    found = await inbox.uploads.claim(of=["vk"])
    assert found is not None
    assert found.job.id == "v"
    assert await inbox.uploads.claim(of=["vk"]) is None


async def test_a_message_that_comes_twice_is_one_document(inbox: Inbox) -> None:
    await take(inbox, ALICE, "a")
    await take(inbox, ALICE, "a")
    assert await claim_all(inbox) == ["a"]


async def test_slots_hear_of_new_documents_and_of_those_given_back(inbox: Inbox) -> None:
    rings = inbox.uploads.bell.rings
    await take(inbox, ALICE, "a")
    with trio.fail_after(PATIENCE):
        await inbox.uploads.bell.after(rings)
    rings = inbox.uploads.bell.rings
    inbox.uploads.give_back(await claim(inbox))
    with trio.fail_after(PATIENCE):
        await inbox.uploads.bell.after(rings)


async def test_what_an_attempt_left_is_there_after_a_restart(inbox: Inbox, disk: Disk) -> None:
    await take(inbox, ALICE, "a")
    job = (await claim(inbox)).job
    parts = (Part(1, PART_SIZE, '"one"', 123), Part(2, PART_SIZE, '"two"'))
    await inbox.uploads.try_key(job, "a (1)")
    await inbox.uploads.creating(job, PART_SIZE, {"somebody's"})
    await inbox.uploads.created(job, "ours")
    for part in reversed(parts):
        await inbox.uploads.part_done(job, part)
    await inbox.uploads.failed(job, 1, "cut")
    again = await claim(await inbox_on(disk))
    assert again.job == job
    assert again.attempts == Attempts(
        key="a (1)",
        upload_id="ours",
        part_size=PART_SIZE,
        creating=frozenset({"somebody's"}),
        parts=parts,
        failures=1,
    )


async def test_an_upload_whose_creation_was_never_answered_is_known_to_have_been_intended(
    inbox: Inbox, disk: Disk
) -> None:
    await take(inbox, ALICE, "a")
    job = (await claim(inbox)).job
    await inbox.uploads.try_key(job, "a")
    await inbox.uploads.creating(job, PART_SIZE, ())
    attempts = (await claim(await inbox_on(disk))).attempts
    assert (attempts.creating, attempts.upload_id) == (frozenset(), None)


async def test_the_parts_of_a_multipart_upload_that_is_over_are_forgotten(inbox: Inbox) -> None:
    await take(inbox, ALICE, "a")
    job = (await claim(inbox)).job
    await inbox.uploads.try_key(job, "a")
    await inbox.uploads.creating(job, PART_SIZE, ())
    await inbox.uploads.created(job, "ours")
    await inbox.uploads.part_done(job, Part(1, PART_SIZE, '"one"'))
    assert await inbox.uploads.multiparts() == {"ours"}
    await inbox.uploads.multipart_over(job)
    assert await inbox.uploads.multiparts() == set()
    assert await inbox.uploads.attempts(job) == Attempts(key="a", part_size=PART_SIZE)


async def test_the_end_of_a_document_is_one_transaction(inbox: Inbox, disk: Disk) -> None:
    await take(inbox, ALICE, "a", say=False)
    claimed = await claim(inbox)
    disk.full = True
    with pytest.raises(StateUnwritable):
        await save(inbox, claimed)
    assert waiting_kinds(disk, ALICE) == []
    assert disk.execute("SELECT count(*) FROM files").fetchone() == (0,)
    assert await inbox.uploads.open_count() == 1
    disk.full = False
    await save(inbox, claimed)
    assert waiting_kinds(disk, ALICE) == ["Saved"]
    assert disk.execute("SELECT id, key, size, etag, saved_at FROM files").fetchall() == [("a", "a", 7, '"etag"', 1.5)]
    assert await inbox.uploads.open_count() == 0


async def test_a_document_that_failed_is_told_of_and_leaves_no_file(inbox: Inbox, disk: Disk) -> None:
    await take(inbox, ALICE, "a", say=False)
    claimed = await claim(inbox)
    notice = Failed(upload="a", name="a", reason=Reason.GONE)
    await inbox.uploads.finish(claimed.job, UploadState.FAILED, notice)
    assert waiting_kinds(disk, ALICE) == ["Failed"]
    assert disk.execute("SELECT count(*) FROM files").fetchone() == (0,)
    assert await inbox.uploads.open_count() == 0


async def test_a_chat_is_announced_when_it_has_something_to_hear(inbox: Inbox) -> None:
    announced: list[Chat] = []
    inbox.when_something_to_say(announced.append)
    await take(inbox, ALICE, "a", say=False)
    assert announced == []
    await save(inbox, await claim(inbox))
    assert announced == [ALICE]


async def test_every_document_that_waits_is_told_of_once(inbox: Inbox, disk: Disk) -> None:
    announced: list[Chat] = []
    await take(inbox, ALICE, "a1", "a2", say=False)
    await take(inbox, BOB, "b1", say=False)
    inbox.when_something_to_say(announced.append)
    await inbox.uploads.tell_delays()
    assert Counter(announced) == {ALICE: 1, BOB: 1}
    assert waiting_kinds(disk, ALICE) == [Delayed.__name__] * 2
    await inbox.uploads.tell_delays()
    await take(inbox, BOB, "b2", say=False)
    await (await inbox_on(disk)).uploads.tell_delays()
    assert waiting_kinds(disk, ALICE) == [Delayed.__name__] * 2
    assert waiting_kinds(disk, BOB) == [Delayed.__name__] * 2


async def test_a_chat_that_can_not_be_written_to_gets_no_notices(inbox: Inbox, disk: Disk) -> None:
    await take(inbox, ALICE, "a", say=False)
    await inbox.messages.unreachable(ALICE)
    await save(inbox, await claim(inbox))
    assert waiting_kinds(disk, ALICE) == []
    assert await inbox.uploads.open_count() == 0


@dataclass
class Model:
    """What the slots have to be handed, said in the plainest way."""

    documents: dict[str, int] = field(default_factory=dict)
    running: dict[str, UploadClaim] = field(default_factory=dict)
    turns: dict[int, int] = field(default_factory=dict)
    turn: int = 0

    def claimed(self, claim: UploadClaim | None) -> None:
        waiting = [name for name in self.documents if name not in self.running]
        if claim is None:
            assert waiting == []
            return
        name, chat = claim.job.id, claim.job.chat.id
        running = Counter(self.documents[other] for other in self.running)
        chats = {self.documents[other] for other in waiting}
        fewest = [other for other in chats if running[other] == min(running[chat] for chat in chats)]
        assert chat in fewest
        assert self.turns.get(chat, 0) == min(self.turns.get(other, 0) for other in fewest)
        assert name == next(other for other in waiting if self.documents[other] == chat)
        self.running[name] = claim
        self.turns = {other: turn for other, turn in self.turns.items() if other in chats}
        self.turn += 1
        self.turns[chat] = self.turn


Step = tuple[str, int]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["send", "send", "claim", "claim", "save", "give back", "restart"]), st.integers(1, 5)
        ),
        max_size=60,
    )
)
def test_whatever_happens_slots_are_shared_evenly_and_no_document_is_lost(steps: list[Step]) -> None:
    async def run() -> None:
        async with open_disk() as disk:
            await follow(disk, Model(), steps)

    trio.run(run)


async def follow(disk: Disk, model: Model, steps: list[Step]) -> None:
    inbox = await inbox_on(disk)
    for number, (what, chat) in enumerate(steps):
        match what:
            case "send":
                await take(inbox, Chat("telegram", chat), f"{number}")
                model.documents[f"{number}"] = chat
            case "claim":
                model.claimed(await inbox.uploads.claim())
            case "save" if model.running:
                name = list(model.running)[chat % len(model.running)]
                await save(inbox, model.running.pop(name))
                del model.documents[name]
            case "give back" if model.running:
                inbox.uploads.give_back(model.running.pop(list(model.running)[chat % len(model.running)]))
            case "restart":
                inbox = await inbox_on(disk)
                model.running, model.turns = {}, {}
    assert await inbox.uploads.open_count() == len(model.documents)
