"""
What an earlier version has left on the disk is gone on with by this one.

`states/N.sql` is a state file of schema N with something of every kind in it, and is never changed. Whoever adds a
migration adds the next one:

    python -m tests.time.test_old_states > tests/time/states/2.sql
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import MockClock

from tests.time.fakes import PART_SIZE, ScriptedMessenger, StoreInMemory, TimedTransfer, inbox_on, inline, open_disk
from tests.time.scenes import GREETED, MIB, begin, bot, decide, document, end, person, take, tell
from trio_s3_bot.conversation import Delete, Rename, Take
from trio_s3_bot.conversation.state import Ask
from trio_s3_bot.errors import Reason
from trio_s3_bot.inbox import Inbox, inbox_in
from trio_s3_bot.inbox.database import open_database
from trio_s3_bot.inbox.schema import APPLICATION_ID, MIGRATIONS
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import Button, Document, OutMessage, Part, Press, Sender, StoredObject, UpdateObj
from trio_s3_bot.notices import (
    Accepted,
    AnyNotice,
    AskName,
    Busy,
    Card,
    ChoreDelayed,
    ChoreFailed,
    ConfirmDelete,
    Conflict,
    Delayed,
    Deleted,
    DocumentRequired,
    Failed,
    FileList,
    GivenUp,
    Greeting,
    Help,
    Link,
    NameProblem,
    NameSet,
    NoSuchFile,
    NotAllowed,
    NothingToCancel,
    NotSavedYet,
    NotYours,
    OverLimit,
    Place,
    QuestionSettled,
    Renamed,
    Saved,
    StatusList,
    StillThere,
    Stopped,
    WhichQuestion,
)

STATES = Path(__file__).with_name("states")
ALICE, BOB, CAROL, DAN, EVE = (person(number) for number in range(1, 6))

SAID = (
    Greeting(),
    DocumentRequired(reply_to=1),
    NotAllowed(user_id=7),
    GivenUp(reply_to=1),
    Accepted(upload="gone", name="report.pdf", asked_name="re/port.pdf", album="album", asking=True),
    Saved(upload="gone", key="report (1).pdf", name="report.pdf", size=1, name_was_taken=True, same_as="file"),
    Failed(upload="gone", name="report.pdf", reason=Reason.TOO_BIG_FOR_OPERATOR, limit=1),
    Delayed(upload="gone", name="report.pdf"),
    Help(renames=False),
    OverLimit(name="report.pdf", opens_at=60.0, now=0.0, limit=1),
    AskName(upload="gone", name="report.pdf", problem=NameProblem.TAKEN),
    NameSet(upload="gone", name="report.pdf"),
    Conflict(upload="gone", name="report.pdf"),
    Renamed(upload="gone", old="report.pdf", new="final.pdf"),
    ConfirmDelete(upload="gone", name="report.pdf", place=Place(1, "rep")),
    Deleted(upload="gone", name="report.pdf", was_gone=True, place=Place(1, "rep")),
    StillThere(name="report.pdf"),
    NoSuchFile(name="report.pdf"),
    NotYours(),
    Busy(name="report.pdf"),
    NotSavedYet(name="report.pdf"),
    ChoreDelayed(upload="gone", name="report.pdf"),
    ChoreFailed(upload="gone", name="report.pdf", new="final.pdf"),
    Stopped(name="report.pdf"),
    WhichQuestion(),
    QuestionSettled(),
    NothingToCancel(),
    FileList(page=0, query="rep"),
    StatusList(page=0),
    Card(upload="gone", place=Place(0)),
    Link(upload="gone", name="report.pdf", url="https://example.org/", lifetime=3600),
)


async def leave_something_of_every_kind(inbox: Inbox) -> None:
    """What stands in the inbox when the power fails at the busiest moment."""
    await save_some(inbox)
    await put_documents_on_their_way(inbox)
    await speak(inbox)
    await tell(inbox, BOB, *SAID)
    await come(inbox)
    await inbox.probes.begin("probe")
    await inbox.accounts.record("telegram", 1)
    await inbox.place.settle("files")


async def come(inbox: Inbox) -> None:
    """Updates with all that an update can have."""
    sender = Sender(1, "alice", "ru")
    file = Document("file", "unique", "report.pdf", "application/pdf", MIB)
    updates = (
        UpdateObj("telegram", "101", ALICE, sender, 11, 1, text="/list", reply_to=10, addressed=True),
        UpdateObj(
            "telegram", "102", ALICE, sender, 12, 2, caption="a.pdf", documents=(file,), album="a", addressed=True
        ),
        UpdateObj("telegram", "103", ALICE, sender, press=Press("press", "card:gone", 9)),
        UpdateObj("telegram", "104", ALICE, silent=True),
    )
    await inbox.updates.store("telegram", Batch(updates, "105"))


async def put_documents_on_their_way(inbox: Inbox) -> None:
    """One in the middle of its parts, one that waits, one that is asked about."""
    claim = await begin(inbox, EVE, "running", size=3 * PART_SIZE)
    await inbox.uploads.creating(claim.job, PART_SIZE, {"somebody's"})
    await inbox.uploads.created(claim.job, "upload 1")
    await inbox.uploads.part_done(claim.job, Part(1, PART_SIZE, '"etag"', 5))
    await take(inbox, CAROL, "waiting")
    asked = Take(
        "asking", document("asking"), "asking", "as/king", 1, owner=3, caption_name="b.pdf", album="a", ask=True
    )
    await decide(inbox, CAROL, [asked], GREETED.asking("asking", Ask.KEEP_NAME))


async def save_some(inbox: Inbox) -> None:
    """Saved documents; one is to be renamed, one to be deleted, and one is asked about."""
    for name in ("kept", "old", "unwanted"):
        await end(inbox, await begin(inbox, DAN, name))
    await decide(inbox, DAN, [Rename("old", "new"), Delete("unwanted", edit_of=3, place=Place(1, "rep"))])
    await decide(inbox, DAN, [], GREETED.asking("kept", Ask.NEW_NAME))


async def speak(inbox: Inbox) -> None:
    """A message that was sent and shows progress, and one that is composed and not known to be sent."""
    out = OutMessage("[document] running", ((Button("Cancel", "stop:running"),),), 1)
    shown = await inbox.messages.next_message(EVE, lambda *_: out)
    assert shown is not None
    await inbox.messages.sent(shown, 70)
    status = await inbox.messages.status_of(EVE, "running")
    assert status is not None
    await inbox.messages.progress_will_show(status)
    await tell(inbox, EVE, DocumentRequired(reply_to=2))
    await inbox.messages.next_message(EVE, lambda *_: OutMessage("composed before the end", reply_to=2))


def as_it_was_left(store: StoreInMemory) -> None:
    """What the bucket held by then."""
    store.open_uploads["upload 1"] = "running"
    for key in ("kept", "old", "unwanted"):
        store.objects[key] = StoredObject(MIB, '"etag"', {"job": key})


def dump(connection: sqlite3.Connection) -> Iterator[str]:
    yield f"PRAGMA application_id={APPLICATION_ID};"
    yield f"PRAGMA user_version={len(MIGRATIONS)};"
    yield from connection.iterdump()


def schema_in(path: Path) -> list[tuple[str]]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").fetchall()
    connection.close()
    return found


def restored(state: Path, folder: Path) -> Path:
    """The state file that a dump was made of."""
    path = folder / "bot.sqlite3"
    connection = sqlite3.connect(path)
    connection.executescript(state.read_text("utf-8"))
    connection.close()
    return path


def test_there_is_something_of_every_kind() -> None:
    assert {type(notice) for notice in SAID} == set(get_args(AnyNotice))
    assert {int(state.stem) for state in STATES.iterdir()} == set(range(1, len(MIGRATIONS) + 1))


async def test_a_migrated_file_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    new, old = tmp_path / "new.sqlite3", restored(STATES / "1.sql", tmp_path)
    for path in (new, old):
        async with open_database(path, inline):
            pass
    assert schema_in(old) == schema_in(new)


@pytest.mark.parametrize("state", sorted(STATES.iterdir()), ids=lambda state: f"schema {state.stem}")
async def test_what_an_earlier_version_left_is_gone_on_with(
    state: Path, tmp_path: Path, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    as_it_was_left(store)
    async with open_database(restored(state, tmp_path), inline) as database:
        inbox = await inbox_in(database, clock=trio.current_time)
        with capture_logs() as logs:
            async with bot(inbox, messenger, store, TimedTransfer(store)):
                await trio.sleep(600)
        assert [line for line in logs if line["log_level"] not in ("info", "debug")] == []
        assert not await inbox.has_unfinished_work()
        assert await inbox.messages.chats_to_serve("telegram") == []
    assert set(store.objects) == {"report.pdf", "waiting", "asking", "running", "kept", "new"}
    assert store.open_uploads == {}
    assert messenger.polls[0][1] == "105"
    assert "composed before the end" in messenger.texts(EVE)
    assert messenger.texts(EVE)[-1].startswith("[document] running\nsaved")
    assert messenger.texts(ALICE)[0].startswith("[greeting] Здравствуйте!")


async def main() -> None:
    async with open_disk() as disk:
        await leave_something_of_every_kind(await inbox_on(disk))
        sys.stdout.writelines(f"{line}\n" for line in dump(disk.connection))


if __name__ == "__main__":
    trio.run(main, clock=MockClock(autojump_threshold=0))
