"""
The parameters of VK's methods, as the published schema has them (VKCOM/vk-api-schema, 5.199).

VK takes forms: numbers, flags that are 0 or 1, lists with commas, objects as JSON. It ignores a name it doesn't know;
here that is error 100 and a complaint, as a value of the wrong type is, because it is a mistake of the bot's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from .vk_keyboard import check_keyboard
from .vk_replies import Refusal, invalid
from .vk_settings import API_VERSION, EVENTS, version_of
from .vk_text import utf16_length

Complain = Callable[[str], None]
Kind = Callable[[str], Any]

INTEGER = re.compile(r"-?\d{1,18}")
PEERS_MAX = 100
IDS_MAX = 100
EVENT_DATA_MAX = 1000
SNACKBAR_MAX = 90
ACTIVITIES = ("typing", "file", "photo", "video", "audiomessage")


class Forward(msgspec.Struct, forbid_unknown_fields=True):
    """The object `messages_forward` of the schema."""

    peer_id: int | None = None
    owner_id: int | None = None
    conversation_message_ids: list[int] = []
    cmids: list[int] = []
    message_ids: list[int] = []
    is_reply: bool = False


class EventData(msgspec.Struct, forbid_unknown_fields=True):
    """What a callback button does in the client."""

    type: str
    text: str | None = None
    link: str | None = None


def string(value: str) -> str:
    return value


def integer(value: str) -> int:
    if not INTEGER.fullmatch(value):
        raise ValueError("not integer")
    return int(value)


def natural(value: str) -> int:
    if integer(value) < 0:
        raise ValueError("should be positive")
    return int(value)


def int32(value: str) -> int:
    if not -(2**31) <= integer(value) < 2**31:
        raise ValueError("should fit into 32 bits")
    return int(value)


def flag(value: str) -> bool:
    if value not in ("0", "1"):
        raise ValueError("should be 0 or 1")
    return value == "1"


def integers(value: str) -> list[int]:
    numbers = [integer(number.strip()) for number in value.split(",")]
    if len(numbers) > IDS_MAX:
        raise ValueError(f"should have no more than {IDS_MAX} elements")
    return numbers


def strings(value: str) -> list[str]:
    return value.split(",")


def activity(value: str) -> str:
    if value not in ACTIVITIES:
        raise ValueError(f"should be one of {', '.join(ACTIVITIES)}")
    return value


def forward(value: str) -> Forward:
    try:
        return msgspec.json.decode(value, type=Forward)
    except msgspec.DecodeError as error:
        raise ValueError(f"contains incorrect JSON: {error}") from None


def event_data(value: str) -> dict[str, Any]:
    """The field of the same name in messages.sendMessageEventAnswer; apps aren't emulated."""
    if utf16_length(value) > EVENT_DATA_MAX:
        raise ValueError(f"should be no longer than {EVENT_DATA_MAX}")
    try:
        data = msgspec.json.decode(value, type=EventData)
    except msgspec.DecodeError as error:
        raise ValueError(f"contains incorrect JSON: {error}") from None
    needed = {"show_snackbar": data.text, "open_link": data.link}.get(data.type)
    if not needed:
        raise ValueError("is of an unknown type or incomplete")
    if data.type == "show_snackbar" and utf16_length(needed) > SNACKBAR_MAX:
        raise ValueError(f"text should be no longer than {SNACKBAR_MAX}")
    return {name: part for name, part in msgspec.structs.asdict(data).items() if part is not None}


def keyboard(value: str) -> dict[str, Any]:
    try:
        decoded = json.loads(value)
    except ValueError:
        raise ValueError("contains incorrect JSON") from None
    return check_keyboard(decoded)


COMMON: dict[str, Kind] = {"v": string, "access_token": string, "lang": string, "group_id": natural}
TEXT: dict[str, Kind] = {
    "message": string,
    "keyboard": keyboard,
    "dont_parse_links": flag,
    "disable_mentions": flag,
}
PEERS: dict[str, Kind] = {"peer_id": integer, "peer_ids": integers, "user_id": integer, "chat_id": natural}

METHODS: dict[str, dict[str, Kind]] = {
    "groups.getById": {"group_id": string, "group_ids": strings},
    "groups.getTokenPermissions": {},
    "groups.getLongPollServer": {},
    "groups.getLongPollSettings": {},
    "groups.setLongPollSettings": {"enabled": flag, "api_version": string, **dict.fromkeys(EVENTS, flag)},
    "messages.send": {**PEERS, **TEXT, "random_id": int32, "reply_to": natural, "forward": forward, "payload": string},
    "messages.edit": {
        **TEXT,
        "peer_id": integer,
        "message_id": natural,
        "cmid": natural,
        "conversation_message_id": natural,
        "keep_forward_messages": flag,
        "keep_snippets": flag,
    },
    "messages.sendMessageEventAnswer": {
        "event_id": string,
        "user_id": integer,
        "peer_id": integer,
        "event_data": event_data,
    },
    "messages.setActivity": {"peer_id": integer, "user_id": integer, "type": activity},
    "messages.getByConversationMessageId": {"peer_id": integer, "conversation_message_ids": integers},
    "messages.getById": {"message_ids": integers, "cmids": integers, "peer_id": integer},
}
REQUIRED = {
    "groups.getLongPollServer": ("group_id",),
    "groups.getLongPollSettings": ("group_id",),
    "groups.setLongPollSettings": ("group_id",),
    "messages.send": ("random_id",),
    "messages.edit": ("peer_id",),
    "messages.sendMessageEventAnswer": ("event_id", "user_id", "peer_id"),
    "messages.getByConversationMessageId": ("peer_id", "conversation_message_ids"),
}


def read_params(query: str, content_type: str, body: bytes, complain: Complain) -> dict[str, str]:
    """The parameters of a request, not yet decoded, from its query string and its form."""
    pairs = parse_qsl(query, keep_blank_values=True)
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        pairs += parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
    elif body:
        complain(f"a body of the type {kind or 'missing'} is not read")
    params = dict(pairs)
    if len(params) < len(pairs):
        complain(f"a parameter was given twice: {sorted(name for name, _ in pairs)}")
    return params


def check_version(raw: Mapping[str, str], complain: Complain) -> None:
    """Refuse a call without a version, and one of a version whose shapes are not emulated."""
    given = raw.get("v", "")
    if not given:
        raise Refusal(8, "v is required")
    if given != API_VERSION:
        complain(f"version {given} isn't emulated, only {API_VERSION}")
        try:
            version_of(given)
        except ValueError:
            raise Refusal(8, "v is invalid") from None
        raise Refusal(8, "versions other than that of the sandbox are deprecated")


def decode(method: str, raw: Mapping[str, str], complain: Complain) -> dict[str, Any]:
    """The parameters of `method` as Python values, those left empty left out. Raises `Refusal`."""
    spec = {**COMMON, **METHODS[method]}
    params: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in spec:
            complain(f"{method}: unknown parameter {name}, or one that isn't emulated")
            raise invalid(f"{name} is not a parameter of {method}")
        if value:
            params[name] = _decode_one(method, name, value, spec[name], complain)
    for name in REQUIRED.get(method, ()):
        if name not in params:
            raise invalid(f"{name} is a required parameter")
    return {name: value for name, value in params.items() if name != "access_token"}


def _decode_one(method: str, name: str, value: str, kind: Kind, complain: Complain) -> Any:
    try:
        return kind(value)
    except ValueError as error:
        complain(f"{method}: {name} {error}: {value!r}")
        raise invalid(f"{name} {error}") from None
