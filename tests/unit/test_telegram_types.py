"""Whatever Telegram sends becomes an update or is passed over with a reason; nothing of it is fatal."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import example, given

from tests.hostile import ANY_JSON, spoilt, with_each_number_too_large
from trio_s3_bot.config import AccessConfig
from trio_s3_bot.conversation import ChatState, Rules, Say, Take, decide, wants
from trio_s3_bot.messengers.base import Skipped
from trio_s3_bot.messengers.telegram_types import SERVICE_FIELDS, TMe, understand
from trio_s3_bot.model import Chat, Press, Sender, UpdateObj
from trio_s3_bot.texts import compose

ME = TMe(id=123456, username="sandbox_bot")
ALICE = {"id": 5_000_000_001, "is_bot": False, "first_name": "Alice", "username": "alice", "language_code": "en"}
PRIVATE = {"id": 5_000_000_001, "type": "private", "first_name": "Alice", "username": "alice"}
GROUP = {"id": -1_001_234_567_890, "type": "supergroup", "title": "Friends", "is_forum": True}
DOCUMENT = {"file_id": "BQAC", "file_unique_id": "AgAD", "file_name": "a.pdf", "mime_type": "a/b", "file_size": 7}
MESSAGE = {"message_id": 9, "from": ALICE, "chat": PRIVATE, "date": 1_700_000_000, "text": "hello"}
IN_A_TOPIC = {
    **MESSAGE,
    "chat": GROUP,
    "message_thread_id": 3,
    "is_topic_message": True,
    "reply_to_message": {"message_id": 3, "from": ALICE, "chat": GROUP, "date": 0, "forum_topic_created": {}},
}
WITH_DOCUMENT = {**MESSAGE, "document": DOCUMENT, "caption": "see", "media_group_id": "1"}
QUERY = {"id": "4", "from": ALICE, "message": MESSAGE, "chat_instance": "5", "data": "stop:1"}
UPDATES: list[dict[str, Any]] = [
    {"update_id": 1, "message": MESSAGE},
    {"update_id": 1, "message": IN_A_TOPIC},
    {"update_id": 1, "message": WITH_DOCUMENT},
    {"update_id": 1, "callback_query": QUERY},
]

spoilt_updates = partial(spoilt, UPDATES)


def raw(update: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(update, ensure_ascii=True).encode())


def understood(update: dict[str, Any]) -> UpdateObj:
    found = understand(raw(update), ME)
    assert isinstance(found, UpdateObj)
    return found


@given(spoilt_updates())
@example({"update_id": 10**5000, "message": MESSAGE})
@example({"update_id": 1, "message": {**MESSAGE, "text": "/"}})
@example({"update_id": 1, "message": {**MESSAGE, "chat": GROUP, "text": "/\u2028"}})
def test_an_update_of_any_shape_is_understood_or_passed_over_with_a_reason(update: dict[str, Any]) -> None:
    try:
        body = raw(update)
    except ValueError:  # Python itself writes no number of 5,000 digits
        body = msgspec.Raw(b'{"update_id": ' + b"9" * 5000 + b"}")
    found = understand(body, ME)
    if isinstance(found, Skipped):
        assert found.why
    if type(update.get("update_id")) is int and abs(update["update_id"]) < 2**63:
        assert found.update_id == str(update["update_id"])


@given(spoilt_updates())
def test_what_was_understood_survives_the_disk_and_can_be_answered(update: dict[str, Any]) -> None:
    found = understand(raw(update), ME)
    if isinstance(found, Skipped):
        return
    assert msgspec.json.decode(msgspec.json.encode(found), type=UpdateObj) == found
    rules = Rules(AccessConfig(everybody=True, allowed=frozenset()))
    assert wants(ChatState(), found) is not None
    for effect in decide(ChatState(greeted=True), found, rules).effects:
        if isinstance(effect, Take):
            assert 0 < len(effect.name.encode()) <= 1024
        if isinstance(effect, Say) and found.press is None and found.documents:
            compose([effect.notice], "en").encode()


@given(ANY_JSON)
def test_what_is_no_update_at_all_is_passed_over(value: object) -> None:
    found = understand(raw(value), ME)
    assert isinstance(found, Skipped)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"update_id":1,"message":' + b"[" * 100_000])
def test_what_is_no_json_is_passed_over(body: bytes) -> None:
    assert isinstance(understand(msgspec.Raw(body), ME), Skipped)


@pytest.mark.parametrize("update", UPDATES)
def test_no_number_that_the_state_file_has_no_room_for_is_understood(update: dict[str, Any]) -> None:
    for hostile in with_each_number_too_large(update):
        found = understand(raw(hostile), ME)
        assert isinstance(found, Skipped) or largest_number_in(found) < 2**63


def largest_number_in(update: UpdateObj) -> int:
    """The largest number in an update that is kept as one."""
    return max(abs(number) for number in _numbers(json.loads(msgspec.json.encode(update))))


def _numbers(value: Any) -> list[int]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value] if isinstance(value, int) else [number for found in inner for number in _numbers(found)]


def test_a_text_is_read_with_its_chat_and_sender() -> None:
    update = understood(UPDATES[0])
    assert update.chat == Chat("telegram", 5_000_000_001)
    assert update.sender == Sender(5_000_000_001, "alice", "en")
    assert (update.update_id, update.message_id, update.text, update.addressed) == ("1", 9, "hello", True)


def test_a_document_is_read_with_all_that_its_sender_claims() -> None:
    (document,) = understood(UPDATES[2]).documents
    assert (document.file_id, document.unique_id, document.file_name) == ("BQAC", "AgAD", "a.pdf")
    assert (document.mime_type, document.size) == ("a/b", 7)


def test_a_document_needs_nothing_but_its_ids() -> None:
    bare = {"file_id": "BQAC", "file_unique_id": "AgAD"}
    (document,) = understood({"update_id": 1, "message": {**MESSAGE, "document": bare}}).documents
    assert (document.file_name, document.mime_type, document.size) == (None, None, None)


def test_a_topic_is_a_chat_of_its_own_and_a_thread_of_replies_is_not() -> None:
    assert understood(UPDATES[1]).chat == Chat("telegram", GROUP["id"], 3, group=True)  # type: ignore[arg-type]
    thread = {**IN_A_TOPIC, "is_topic_message": False}
    assert understood({"update_id": 1, "message": thread}).chat.thread is None


def test_the_first_message_of_a_topic_does_not_make_every_other_one_a_reply_to_the_bot() -> None:
    assert not understood(UPDATES[1]).addressed


def test_a_press_is_read_with_what_its_button_carried() -> None:
    update = understood(UPDATES[3])
    assert update.press == Press("4", "stop:1", 9)
    assert update.sender is not None


@pytest.mark.parametrize("gone", ["message", "data"])
def test_a_press_that_tells_no_chat_or_no_data_is_passed_over(gone: str) -> None:
    query = {name: value for name, value in QUERY.items() if name != gone}
    assert isinstance(understand(raw({"update_id": 1, "callback_query": query}), ME), Skipped)


def test_a_press_below_a_message_too_old_for_telegram_is_read() -> None:
    """Bot API, "InaccessibleMessage": a date of 0 and hardly anything else."""
    query = {**QUERY, "message": {"chat": PRIVATE, "message_id": 9, "date": 0}}
    assert understood({"update_id": 1, "callback_query": query}).press == Press("4", "stop:1", 9)


@pytest.mark.parametrize("field", sorted(SERVICE_FIELDS))
def test_a_service_message_is_silent(field: str) -> None:
    content: object = 7 if field.startswith("migrate") else {}
    service = {"message_id": 9, "from": ALICE, "chat": PRIVATE, "date": 0, field: content}
    assert understood({"update_id": 1, "message": service}).silent


@pytest.mark.parametrize(
    ("text", "addressed"),
    [
        ("/start", True),
        ("/start@sandbox_bot", True),
        ("/start@Sandbox_BOT x", True),
        ("/start@sandbox_bot\nplease", True),
        ("/start@other_bot", False),
        ("/start@sandbox_bot2", False),
        ("hello", False),
        ("hello /start", False),
        ("@sandbox_bot hello", False),
        ("", False),
    ],
)
def test_in_a_group_commands_are_for_the_bot_unless_they_name_another(text: str, addressed: bool) -> None:
    update = understood({"update_id": 1, "message": {**MESSAGE, "chat": GROUP, "text": text}})
    assert update.addressed is addressed


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/list@sandbox_bot", "/list"),
        ("/list@SANDBOX_BOT a b", "/list a b"),
        ("/list@sandbox_bot\na", "/list\na"),
        ("/list", "/list"),
        ("/list@other_bot a", "/list@other_bot a"),
        ("a /list@sandbox_bot", "a /list@sandbox_bot"),
    ],
)
def test_the_bots_own_name_is_taken_off_a_command(text: str, command: str) -> None:
    assert understood({"update_id": 1, "message": {**MESSAGE, "text": text}}).text == command


@pytest.mark.parametrize(
    ("replied", "addressed"), [({"id": 123456, "is_bot": True}, True), (ALICE, False), (None, False)]
)
def test_in_a_group_a_reply_is_for_the_bot_if_the_bot_wrote_what_it_replies_to(
    replied: dict[str, Any] | None, addressed: bool
) -> None:
    reply = {"message_id": 8, "date": 0, "chat": GROUP, **({"from": replied} if replied else {})}
    update = understood({"update_id": 1, "message": {**MESSAGE, "chat": GROUP, "reply_to_message": reply}})
    assert (update.addressed, update.reply_to) == (addressed, 8)


def test_a_group_that_becomes_a_supergroup_tells_its_new_id() -> None:
    message = {
        "message_id": 9,
        "from": ALICE,
        "chat": {**GROUP, "type": "group"},
        "date": 0,
        "migrate_to_chat_id": -1007,
    }
    update = understood({"update_id": 1, "message": message})
    assert (update.moved_to, update.silent) == (-1007, True)


@pytest.mark.parametrize(
    "message",
    [
        {**MESSAGE, "from": {**ALICE, "is_bot": True}},
        {**MESSAGE, "chat": {"id": -1007, "type": "channel"}},
        {**MESSAGE, "chat": {"id": -1008, "type": "supergroup"}, "is_automatic_forward": True},
        {**{name: value for name, value in MESSAGE.items() if name != "from"}, "chat": {"id": -1, "type": "channel"}},
    ],
)
def test_other_bots_and_channels_are_silent(message: dict[str, Any]) -> None:
    assert understood({"update_id": 1, "message": message}).silent


def test_an_anonymous_admin_has_no_name_and_is_not_silent() -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    update = understood(
        {"update_id": 1, "message": {**MESSAGE, "chat": GROUP, "from": anonymous, "sender_chat": GROUP}}
    )
    assert (update.sender, update.silent) == (None, False)


@pytest.mark.parametrize("kind", ["edited_message", "channel_post", "my_chat_member", "poll", "business_message"])
def test_kinds_of_updates_that_were_not_asked_for_are_passed_over(kind: str) -> None:
    found = understand(raw({"update_id": 7, kind: MESSAGE}), ME)
    assert isinstance(found, Skipped)
    assert found.update_id == "7"
