"""Promise 11, all the way: whatever a messenger sends, the bot lives, ends all of it, and serves the next person."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from trio.testing import MockClock

from tests.hostile import spoilt, with_each_number_too_large
from tests.time.fakes import ScriptedMessenger, StoreInMemory, TimedTransfer, inbox_on, open_disk
from tests.time.scenes import bot, person, update
from trio_s3_bot.messengers import telegram_types, vk_types
from trio_s3_bot.messengers.base import Batch, Skipped
from trio_s3_bot.model import UpdateObj

Understand = Callable[[msgspec.Raw], UpdateObj | Skipped | None]
Samples = list[dict[str, Any]]

ME = telegram_types.TMe(id=123456, username="sandbox_bot")
SOMEBODY = {"id": 77, "is_bot": False, "first_name": "A", "username": "a", "language_code": "ru"}
GROUP = {"id": -1_001_234, "type": "supergroup", "title": "Friends", "is_forum": True}
DOCUMENT = {"file_id": "BQAC", "file_unique_id": "AgAD", "file_name": "a.pdf", "mime_type": "a/b", "file_size": 7}
HELLO = {"message_id": 9, "from": SOMEBODY, "chat": {"id": 77, "type": "private"}, "date": 1, "text": "hello"}
REPLY = {"message_id": 8, "from": SOMEBODY, "chat": {"id": 77, "type": "private"}, "date": 1}
TELEGRAM: Samples = [
    {"update_id": 1, "message": HELLO},
    {"update_id": 1, "message": {**HELLO, "text": "/delete", "reply_to_message": REPLY}},
    {"update_id": 1, "message": {**HELLO, "text": "/cancel"}},
    {"update_id": 1, "message": {**HELLO, "document": DOCUMENT, "caption": "b.pdf", "media_group_id": "1"}},
    {"update_id": 1, "message": {**HELLO, "chat": GROUP, "message_thread_id": 3, "is_topic_message": True}},
    {"update_id": 1, "message": {**HELLO, "chat": GROUP, "migrate_to_chat_id": -1_009}},
    {"update_id": 1, "callback_query": {"id": "4", "from": SOMEBODY, "message": HELLO, "data": "card:1"}},
    {"update_id": 1, "callback_query": {"id": "4", "from": SOMEBODY, "message": HELLO, "data": "list:0:"}},
]

COMMUNITY = 200_000_001
SAID = {"date": 1, "from_id": 77, "peer_id": 77, "out": 0, "text": "hello", "conversation_message_id": 9}
DOC = {"id": 4, "owner_id": 77, "title": "a.pdf", "size": 179, "ext": "pdf", "url": "https://vk.com/doc77_4?hash=a"}
CLIENT = {"button_actions": ["text", "callback"], "lang_id": 0}
ATTACHED = [{"type": "doc", "doc": DOC}]
PRESSED = {"user_id": 77, "peer_id": 77, "event_id": "p", "payload": {"button": "card:1"}, "conversation_message_id": 9}


def event(object_: Any, kind: str = "message_new") -> dict[str, Any]:
    return {"group_id": COMMUNITY, "type": kind, "event_id": "e", "v": "5.199", "object": object_}


VK: Samples = [
    event({"message": SAID, "client_info": CLIENT}),
    event({"message": {**SAID, "text": "/delete", "reply_message": SAID}, "client_info": CLIENT}),
    event({"message": {**SAID, "text": "/cancel"}, "client_info": CLIENT}),
    event({"message": {**SAID, "attachments": ATTACHED}, "client_info": CLIENT}),
    event({"message": {**SAID, "fwd_messages": [{**SAID, "attachments": ATTACHED}]}, "client_info": CLIENT}),
    event({"message": {**SAID, "peer_id": 2_000_000_001, "text": f"[club{COMMUNITY}|bot] hi"}}),
    event(PRESSED, "message_event"),
]


def from_telegram(raw: msgspec.Raw) -> UpdateObj | Skipped:
    return telegram_types.understand(raw, ME)


def from_vk(raw: msgspec.Raw) -> UpdateObj | Skipped | None:
    incoming = vk_types.read(raw)
    return vk_types.understand(incoming, COMMUNITY, None) if isinstance(incoming, vk_types.Incoming) else incoming


BOTH = pytest.mark.parametrize(
    ("name", "understand", "samples"), [("telegram", from_telegram, TELEGRAM), ("vk", from_vk, VK)], ids=["tg", "vk"]
)


async def outlive(name: str, understand: Understand, hostile: Iterable[dict[str, Any]]) -> None:
    """Give a bot all of it, one batch for each; then a person of good will comes, and the bot starts once more."""
    stranger = person(1, name)
    found = [understand(msgspec.Raw(json.dumps(one).encode())) for one in hostile]
    messenger, store = ScriptedMessenger(name), StoreInMemory()
    messenger.answers.extend(batch(one, number) for number, one in enumerate(found))
    messenger.answers.append(Batch((update(stranger, update_id=1_000_000),), "1000001"))
    with capture_logs() as logs:
        async with open_disk() as disk:
            inbox = await inbox_on(disk)
            async with bot(inbox, messenger, store, TimedTransfer(store)):
                await trio.sleep(3600)
            again = await inbox_on(disk)
            async with bot(again, messenger, store, TimedTransfer(store)):
                await trio.sleep(60)
            assert not await again.has_unfinished_work()
    assert len([text for text in messenger.texts(stranger) if text.startswith("[greeting]")]) == 1
    assert [line for line in logs if line["log_level"] == "error"] == []


def batch(found: UpdateObj | Skipped | None, number: int) -> Batch:
    """One poll's answer; an update that was understood is not one that came before."""
    if isinstance(found, UpdateObj):
        return Batch((replace(found, update_id=f"{number}"),), f"{number}")
    return Batch((), f"{number}", (found,) if found is not None else ())


@BOTH
async def test_updates_as_they_should_be_are_handled(name: str, understand: Understand, samples: Samples) -> None:
    await outlive(name, understand, samples)


@BOTH
async def test_numbers_that_the_state_file_has_no_room_for_are_outlived(
    name: str, understand: Understand, samples: Samples
) -> None:
    await outlive(name, understand, [hostile for sample in samples for hostile in with_each_number_too_large(sample)])


def updates_of(samples: Samples) -> st.SearchStrategy[Sequence[dict[str, Any]]]:
    return st.lists(spoilt(samples), min_size=1, max_size=8)


@settings(max_examples=40)
@given(updates_of(TELEGRAM))
def test_anything_from_telegram_is_outlived(hostile: Samples) -> None:
    trio.run(outlive, "telegram", from_telegram, hostile, clock=MockClock(autojump_threshold=0))


@settings(max_examples=40)
@given(updates_of(VK))
def test_anything_from_vk_is_outlived(hostile: Samples) -> None:
    trio.run(outlive, "vk", from_vk, hostile, clock=MockClock(autojump_threshold=0))
