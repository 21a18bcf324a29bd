"""Unit tests: VK's events become updates, whatever their version, or are passed over with a reason."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import NO_IDS
from trio_s3_bot.messengers.base import Skipped
from trio_s3_bot.messengers.lengths import cut
from trio_s3_bot.messengers.vk_types import Incoming, read, understand
from trio_s3_bot.messengers.vk_words import plain
from trio_s3_bot.model import Chat, Sender, UpdateObj

GROUP = 200_000_001
UNREAD = ("peer_id", "date")  # of what a message answers
# A message and its client as they were recorded from the real service.
MESSAGE = {
    "date": 1_791_200_000,
    "from_id": 77,
    "id": 1234,
    "version": 10_000_004,
    "out": 0,
    "fwd_messages": [],
    "important": False,
    "is_hidden": False,
    "attachments": [],
    "conversation_message_id": 9,
    "text": "hello",
    "peer_id": 77,
    "random_id": 0,
}
CLIENT = {"button_actions": ["text", "callback"], "keyboard": True, "inline_keyboard": True, "lang_id": 0}
DOC = {
    "id": 446688157,
    "owner_id": 207690737,
    "title": "PDF.pdf",
    "size": 179,
    "ext": "pdf",
    "url": "https://vk.com/doc207690737_446688157?hash=a&dl=b&api=1&no_preview=1",
    "date": 1_791_200_000,
    "type": 1,
    "access_key": "ab",
}


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def event(object_: Any, kind: str = "message_new", **envelope: Any) -> msgspec.Raw:
    return raw({"group_id": GROUP, "type": kind, "event_id": "e1", "v": "5.199", "object": object_, **envelope})


def update(event: msgspec.Raw, language: str | None = None) -> UpdateObj:
    incoming = read(event)
    assert isinstance(incoming, Incoming)
    return understand(incoming, GROUP, language)


def message(**fields: Any) -> UpdateObj:
    """What becomes of the recorded message with other fields."""
    return update(event({"message": {**MESSAGE, **fields}, "client_info": CLIENT}))


def test_a_message_of_today_is_understood() -> None:
    assert update(event({"message": MESSAGE, "client_info": CLIENT}), "ru") == UpdateObj(
        messenger="vk",
        update_id=f"{GROUP}/77/9",
        chat=Chat("vk", 77),
        sender=Sender(77, None, "ru"),
        message_id=9,
        date=1_791_200_000,
        text="hello",
        addressed=True,
    )


def test_a_message_of_a_version_before_5_103_is_understood_the_same() -> None:
    assert update(event(MESSAGE, v="5.81")) == message()


@pytest.mark.parametrize(
    ("number", "language"), [(0, "ru"), (3, "en"), (1, "uk"), (6, "de"), (777, "ru"), (12345, None), ("0", "ru")]
)
def test_the_language_is_that_of_the_client(number: int | str, language: str | None) -> None:
    incoming = read(event({"message": MESSAGE, "client_info": {**CLIENT, "lang_id": number}}))
    assert isinstance(incoming, Incoming)
    assert incoming.client is not None
    assert incoming.client.language == language


def test_a_client_that_tells_nothing_has_no_language() -> None:
    incoming = read(event({"message": MESSAGE, "client_info": {}}))
    assert isinstance(incoming, Incoming)
    assert incoming.client is not None
    assert incoming.client.language is None


def test_a_message_without_a_number_is_known_by_its_event() -> None:
    found = message(conversation_message_id=0)
    assert (found.update_id, found.message_id) == ("e1", None)


def test_a_chat_of_several_is_a_group_and_a_chat_of_two_is_not() -> None:
    assert message(peer_id=2_000_000_001, id=0).chat == Chat("vk", 2_000_000_001, group=True)
    assert message().chat == Chat("vk", 77)


@pytest.mark.parametrize(
    "fields", [{"from_id": -5}, {"from_id": -GROUP, "out": 1}, {"action": {"type": "chat_invite_user"}}, {"out": 1}]
)
def test_communities_own_messages_and_what_a_chat_says_about_itself_are_silent(fields: dict[str, Any]) -> None:
    assert message(**fields).silent
    assert not message().silent


def test_attachments_other_than_documents_are_none() -> None:
    kinds = ["photo", "video", "audio", "audio_message", "graffiti", "sticker", "wall", "link", "unheard_of"]
    attachments = [{"type": kind, kind: {"id": 1, "owner_id": 2}} for kind in kinds]
    assert message(attachments=attachments).documents == ()
    [document] = message(attachments=[*attachments, {"type": "doc", "doc": DOC}]).documents
    assert (document.unique_id, document.file_name, document.size) == ("207690737_446688157", "PDF.pdf", 179)
    assert document.mime_type == "application/pdf"


def test_a_text_with_documents_is_their_caption() -> None:
    found = message(attachments=[{"type": "doc", "doc": DOC}], text="Look")
    assert (found.text, found.caption) == (None, "Look")


@pytest.mark.parametrize(
    ("payload", "data"),
    [
        ('{"button":"a"}', "a"),
        ({"button": "a"}, "a"),
        ('{"command":"not_supported_button","payload":"{\\"button\\":\\"a\\"}"}', "a"),
        ('{"command":"not_supported_button","payload":{"button":"a"}}', "a"),
        ('{"command":"not_supported_button"}', None),
        ('{"command":"start"}', None),
        ("not JSON", None),
        ("[1]", None),
        (None, None),
    ],
)
def test_the_payload_of_an_own_button_makes_a_message_a_press(payload: object, data: str | None) -> None:
    press = message(payload=payload).press
    assert (press.data if press else None) == data


def test_a_group_that_is_mentioned_is_addressed_wherever_the_mention_stands() -> None:
    for text in (f"[club{GROUP}|@bot] hello", f"hello [club{GROUP}|@bot]", f"[public{GROUP}|Bot], hello"):
        found = message(peer_id=2_000_000_001, text=text)
        assert (found.addressed, found.text) == (True, "hello")
    for text in (f"[club{GROUP}1|@bot] hello", f"[id{GROUP}|@bot] hello", "hello"):
        found = message(peer_id=2_000_000_001, text=text)
        assert (found.addressed, found.text) == (False, text)


@pytest.mark.parametrize("kind", ["message_reply", "message_typing_state", "wall_post_new", "unheard_of"])
def test_events_that_are_not_for_a_bot_are_nothing(kind: str) -> None:
    assert read(event({"anything": 1}, kind)) is None


@pytest.mark.parametrize("shape", [{"message": {}}, {"message": {**MESSAGE, "peer_id": "x"}}, {}, [], None, 5])
def test_a_message_of_another_shape_is_passed_over_with_its_id_and_the_reason(shape: object) -> None:
    skipped = read(event(shape))
    assert isinstance(skipped, Skipped)
    assert skipped.update_id == "e1"
    assert skipped.why


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted({*MESSAGE, "payload", "action", "reply_message"})), json_values))
def test_any_message_is_an_update_or_passed_over(fields: dict[str, Any]) -> None:
    incoming = read(event({"message": {**MESSAGE, **fields}, "client_info": CLIENT}))
    assert isinstance(incoming, (Incoming, Skipped))
    if isinstance(incoming, Incoming):
        assert understand(incoming, GROUP, None).messenger == "vk"


@given(json_values, st.sampled_from(["message_new", "message_event", "other"]))
def test_any_event_is_an_update_or_passed_over(object_: object, kind: str) -> None:
    incoming = read(event(object_, kind))
    assert incoming is None or isinstance(incoming, (Incoming, Skipped))


@given(st.dictionaries(st.sampled_from(sorted(DOC)), json_values))
def test_any_document_is_a_document_or_its_message_is_passed_over(fields: dict[str, Any]) -> None:
    attached = {**MESSAGE, "attachments": [{"type": "doc", "doc": {**DOC, **fields}}]}
    incoming = read(event({"message": attached, "client_info": CLIENT}))
    if isinstance(incoming, Incoming):
        assert len(understand(incoming, GROUP, None).documents) == 1


def test_deeply_nested_forwards_are_passed_over_or_understood() -> None:
    nested = b'{"fwd_messages":[' * 5000 + b"]}" * 5000
    body = b'{"type":"message_new","event_id":"e1","object":{"peer_id":1,"from_id":1,"fwd_messages":[%s]}}' % nested
    assert isinstance(read(msgspec.Raw(body)), (Incoming, Skipped))


@given(st.text(alphabet=st.sampled_from("[]|@*idclub1 а\n")))
def test_a_plain_text_reads_the_same_and_holds_no_mention(text: str) -> None:
    written = plain(text)
    assert written.replace("\u200b", "") == text
    assert not any(f"{mark}{letter}" in written for mark in "@*" for letter in "idclub1а")
    assert not any(
        f"[{kind}" in written and "|" in written.split(f"[{kind}", 1)[1].split("]")[0] for kind in ("id", "club")
    )


@given(st.text(), st.integers(2, 40))
def test_a_text_is_cut_to_so_many_utf_16_units_between_characters(text: str, limit: int) -> None:
    shortened = cut(text, limit)
    assert len(shortened.encode("utf-16-le", "surrogatepass")) <= 2 * limit
    assert shortened == text or (shortened.endswith("…") and text.startswith(shortened[:-1]))


@pytest.mark.parametrize(
    ("said", "meant"),
    [("list", "/list"), ("Список", "/list"), ("ОТМЕНА!", "/cancel"), ("list it", None), ("/status", None), ("", None)],
)
def test_a_single_word_may_stand_for_a_command_and_stays_what_it_is(said: str, meant: str | None) -> None:
    update = message(text=said)
    assert (update.text or "", update.meant) == (said, meant)


@pytest.mark.parametrize("field", ["peer_id", "from_id", "conversation_message_id", "date"])
def test_a_number_that_the_state_file_has_no_room_for_is_passed_over(field: str) -> None:
    for number in NO_IDS:
        said = {**MESSAGE, field: number}
        assert isinstance(read(event({"message": said, "client_info": CLIENT})), Skipped)
        assert isinstance(read(event({"message": {**MESSAGE, "reply_message": said}})), Skipped) or field in UNREAD
    assert isinstance(read(event({"message": {**MESSAGE, "from_id": 2**63 - 1}})), Incoming)


@pytest.mark.parametrize("field", ["id", "owner_id", "size"])
def test_a_document_with_a_number_that_the_state_file_has_no_room_for_is_passed_over(field: str) -> None:
    for number in NO_IDS:
        attachment = {"type": "doc", "doc": {**DOC, field: number}}
        assert isinstance(read(event({"message": {**MESSAGE, "attachments": [attachment]}})), Skipped)
