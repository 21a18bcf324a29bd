"""What is over is forgotten after a while, so that the state file doesn't grow without bound; nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from tests.time.fakes import IN_MEMORY, Disk, inline
from tests.time.scenes import GREETED, begin, decide, document, end, person, take, tell, update
from trio_s3_bot.conversation import Decision, Say, Take
from trio_s3_bot.conversation.state import DAY, Ask, Usage
from trio_s3_bot.inbox import Book, Inbox, inbox_in
from trio_s3_bot.inbox.database import Database
from trio_s3_bot.inbox.endings import KEPT
from trio_s3_bot.inbox.messages import ALBUMS_KEPT, MENTIONS_KEPT
from trio_s3_bot.inbox.rows import QUESTIONS_KEPT
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import Button, Chat, OutMessage, Sender
from trio_s3_bot.notices import Accepted, AnyNotice, DocumentRequired, Saved

ALICE, BOB = person(1), person(2)
WITH_BUTTONS = OutMessage("[document]", ((Button("Cancel", "stop"),),))
WITHOUT = OutMessage("[document]")


@dataclass
class Calendar:
    """A clock in Unix seconds that is turned by hand."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
async def inbox(disk: Disk, calendar: Calendar) -> Inbox:
    return await inbox_in(Database(disk.connection, IN_MEMORY, inline), clock=calendar)


def ids(disk: Disk, table: str, column: str = "id") -> list[object]:
    found = disk.execute(f"SELECT {column} FROM {table} ORDER BY 1")  # noqa: S608 - the tests' own words
    return [row[0] for row in found]


def let_pass(disk: Disk, table: str, count: int) -> None:
    """Number what comes to a table next as if so many rows had come to it meanwhile."""
    disk.execute("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ?", (count, table))


async def save(inbox: Inbox, chat: Chat, name: str) -> None:
    await end(inbox, await begin(inbox, chat, name))


async def say(inbox: Inbox, chat: Chat, message: OutMessage = WITHOUT) -> int:
    """Send the next thing that there is to say in a chat; returns its number there."""

    def compose(_: Sequence[AnyNotice], __: str, ___: Book) -> OutMessage:
        return message

    composed = await inbox.messages.next_message(chat, compose)
    assert composed is not None
    await inbox.messages.sent(composed, 100 + composed.id)
    return 100 + composed.id


async def show_how_it_is(inbox: Inbox, chat: Chat) -> None:
    status = await inbox.messages.stale_status(chat)
    assert status is not None
    await inbox.messages.shown(status)


async def test_documents_that_ended_are_forgotten_and_those_on_their_way_never(inbox: Inbox, disk: Disk) -> None:
    await take(inbox, BOB, "on its way", say=False)
    claim = await inbox.uploads.claim()
    assert claim is not None
    await save(inbox, ALICE, "first")
    let_pass(disk, "uploads", KEPT - 2)
    await save(inbox, ALICE, "second")
    assert ids(disk, "uploads") == ["first", "on its way", "second"]
    await save(inbox, ALICE, "third")
    await save(inbox, ALICE, "fourth")
    assert ids(disk, "uploads") == ["fourth", "on its way", "second", "third"]
    assert set(ids(disk, "files")) == {"first", "second", "third", "fourth"}


async def test_a_document_that_has_waited_longer_than_others_are_kept_ends_like_any_other(
    inbox: Inbox, disk: Disk
) -> None:
    await take(inbox, ALICE, "patient", say=False)
    let_pass(disk, "uploads", 2 * KEPT)
    await take(inbox, BOB, "later", say=False)
    claim = await inbox.uploads.claim()
    assert claim is not None
    await end(inbox, claim)
    assert ids(disk, "files") == ["patient"]
    await save(inbox, BOB, "last")
    assert "patient" not in ids(disk, "uploads")


async def test_a_document_is_kept_until_its_message_shows_how_it_ended(inbox: Inbox, disk: Disk) -> None:
    claim = await begin(inbox, ALICE, "a")
    await say(inbox, ALICE, WITH_BUTTONS)
    await end(inbox, claim)
    let_pass(disk, "uploads", 2 * KEPT)
    await save(inbox, BOB, "b")
    assert ids(disk, "uploads") == ["a", "b"]
    await show_how_it_is(inbox, ALICE)
    await save(inbox, BOB, "c")
    assert ids(disk, "uploads") == ["b", "c"]
    assert ids(disk, "messages") == []


async def test_a_chat_that_is_lost_while_its_progress_is_shown_keeps_nothing_for_ever(inbox: Inbox, disk: Disk) -> None:
    first = await begin(inbox, ALICE, "a")
    await take(inbox, ALICE, "still open")
    await say(inbox, ALICE, WITH_BUTTONS)
    status = await inbox.messages.status_of(ALICE, "a")
    assert status is not None
    assert await inbox.messages.progress_will_show(status)
    await inbox.messages.unreachable(ALICE)
    await end(inbox, first)
    await save(inbox, BOB, "b")
    assert ids(disk, "uploads") == ["a", "b", "still open"]
    let_pass(disk, "uploads", KEPT)
    await save(inbox, BOB, "c")
    assert ids(disk, "uploads") == ["c", "still open"]
    assert len(ids(disk, "messages")) == 1  # of what is still open
    last = await inbox.uploads.claim()
    assert last is not None
    await end(inbox, last)
    let_pass(disk, "uploads", KEPT)
    await save(inbox, BOB, "d")
    assert ids(disk, "uploads") == ["d"]
    assert ids(disk, "messages") == []


async def test_who_comes_back_in_time_sees_how_it_ended(inbox: Inbox, disk: Disk) -> None:
    claim = await begin(inbox, ALICE, "a")
    await say(inbox, ALICE, WITH_BUTTONS)
    status = await inbox.messages.status_of(ALICE, "a")
    assert status is not None
    assert await inbox.messages.progress_will_show(status)
    await inbox.messages.unreachable(ALICE)
    await end(inbox, claim)
    assert await inbox.messages.stale_status(ALICE) is None
    await tell(inbox, ALICE, DocumentRequired())
    await show_how_it_is(inbox, ALICE)
    assert ids(disk, "messages") == []


async def test_what_old_messages_were_about_is_forgotten(inbox: Inbox, disk: Disk) -> None:
    await take(inbox, ALICE, "a")
    first = await say(inbox, ALICE)
    let_pass(disk, "mentions", MENTIONS_KEPT - 2)
    await tell(inbox, ALICE, Saved(upload="a", key="a", name="a", size=1))
    second = await say(inbox, ALICE)
    assert ids(disk, "mentions", "message_id") == [1, first, second]
    await tell(inbox, ALICE, Saved(upload="a", key="a", name="a", size=1))
    third = await say(inbox, ALICE)
    assert ids(disk, "mentions", "message_id") == [first, second, third]


async def test_messages_of_albums_that_nothing_joins_any_more_are_forgotten(inbox: Inbox, disk: Disk) -> None:
    for name in ("a", "b"):
        accepted = Accepted(upload=name, name=name, album=name)
        await decide(inbox, ALICE, [Take(name, document(name), name, None, 1, album=name), Say(accepted)])
        claim = await inbox.uploads.claim()
        assert claim is not None
        await end(inbox, claim)
        await say(inbox, ALICE)
        await say(inbox, ALICE)
    assert len(ids(disk, "messages")) == 2
    let_pass(disk, "messages", ALBUMS_KEPT - 4)
    await tell(inbox, BOB, DocumentRequired())
    await say(inbox, BOB)
    assert len(ids(disk, "messages")) == 2
    for left in (1, 1, 0):
        await tell(inbox, BOB, DocumentRequired())
        await say(inbox, BOB)
        assert len(ids(disk, "messages")) == left


async def test_what_a_person_sent_is_counted_for_a_day(inbox: Inbox, disk: Disk, calendar: Calendar) -> None:
    async def send(name: str) -> None:
        await decide(inbox, ALICE, [Take(name, document(name), name, None, 1, owner=1)])

    await send("first")
    calendar.now += DAY
    await send("second")
    assert ids(disk, "usage", "upload") == ["first", "second"]
    calendar.now += 1
    await send("third")
    assert ids(disk, "usage", "upload") == ["second", "third"]


async def test_what_was_counted_while_the_clock_was_ahead_uses_up_no_later_day(
    inbox: Inbox, calendar: Calendar
) -> None:
    right, calendar.now = calendar.now, calendar.now + 1000 * DAY
    await decide(inbox, ALICE, [Take("a", document("a"), "a", None, 1, owner=1)])
    calendar.now = right
    again = replace(update(ALICE), documents=(document("b"),), sender=Sender(1))
    await inbox.updates.store("telegram", Batch((again,), None))
    claim = await inbox.updates.claim("telegram")
    assert claim.facts.usage == Usage()


async def test_a_question_that_nobody_answers_is_forgotten_after_a_month(
    inbox: Inbox, disk: Disk, calendar: Calendar
) -> None:
    async def say_something_else() -> None:
        await inbox.updates.store("telegram", Batch((update(ALICE),), None))
        claim = await inbox.updates.claim("telegram")
        await inbox.updates.finish(claim, Decision(claim.state))

    await decide(inbox, ALICE, [], GREETED.asking("a", Ask.NEW_NAME))
    calendar.now += QUESTIONS_KEPT
    await say_something_else()
    assert ids(disk, "questions", "item") == ["a"]
    calendar.now += 1
    await say_something_else()
    assert ids(disk, "questions", "item") == []
