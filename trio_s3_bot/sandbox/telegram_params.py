"""
The parameters of the Bot API methods, decoded as the real server does it and judged more strictly.

The server takes a query string, a form and JSON, and is lenient: garbage for a number is 0, an unknown name is
ignored. Here every leniency that was needed becomes a complaint, because it is a mistake of the bot's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec

from .telegram_objects import (
    BotCommand,
    BotCommandScope,
    ForceReply,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MessageEntity,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)
from .telegram_replies import bad_request

Complain = Callable[[str], None]
ReplyMarkup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove | ForceReply
MARKUPS: dict[str, type[msgspec.Struct]] = {
    "inline_keyboard": InlineKeyboardMarkup,
    "keyboard": ReplyKeyboardMarkup,
    "remove_keyboard": ReplyKeyboardRemove,
    "force_reply": ForceReply,
}
CHAT = "Integer or String"
TARGET = {"business_connection_id": str, "chat_id": CHAT, "message_thread_id": int}
EDITED = {"business_connection_id": str, "chat_id": CHAT, "message_id": int, "inline_message_id": str}
TEXT = {"text": str, "parse_mode": str, "entities": list[MessageEntity], "link_preview_options": LinkPreviewOptions}

METHODS: dict[str, dict[str, Any]] = {
    "getMe": {},
    "getUpdates": {"offset": int, "limit": int, "timeout": int, "allowed_updates": list[str]},
    "getWebhookInfo": {},
    "deleteWebhook": {"drop_pending_updates": bool},
    "setMyCommands": {"commands": list[BotCommand], "scope": BotCommandScope, "language_code": str},
    "getMyCommands": {"scope": BotCommandScope, "language_code": str},
    "deleteMyCommands": {"scope": BotCommandScope, "language_code": str},
    "getFile": {"file_id": str},
    "sendMessage": {
        **TARGET,
        **TEXT,
        "disable_notification": bool,
        "protect_content": bool,
        "allow_paid_broadcast": bool,
        "message_effect_id": str,
        "reply_parameters": ReplyParameters,
        "reply_markup": ReplyMarkup,
    },
    "editMessageText": {**EDITED, **TEXT, "reply_markup": InlineKeyboardMarkup},
    "editMessageReplyMarkup": {**EDITED, "reply_markup": InlineKeyboardMarkup},
    "deleteMessage": {"chat_id": CHAT, "message_id": int},
    "answerCallbackQuery": {
        "callback_query_id": str,
        "text": str,
        "show_alert": bool,
        "url": str,
        "cache_time": int,
    },
    "sendChatAction": {**TARGET, "action": str},
}
NAMES = {name.lower(): name for name in METHODS}
LABELS = {
    "reply_markup": "reply keyboard markup",
    "reply_parameters": "reply parameters",
    "link_preview_options": "link preview options",
    "allowed_updates": "allowed updates",
}


def read_params(query: str, content_type: str, body: bytes) -> dict[str, Any]:
    """The parameters of a request, not yet decoded: strings from a query or form, anything from JSON."""
    params: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        params.update(parse_qsl(body.decode(), keep_blank_values=True))
    elif kind == "application/json" and body:
        try:
            values = json.loads(body)
        except ValueError:
            raise bad_request("can't parse JSON object") from None
        if not isinstance(values, dict):
            raise bad_request("JSON object expected")
        params.update(values)
    elif body:
        raise bad_request(f"content type {kind or 'missing'} isn't emulated by the sandbox")
    return params


def decode(method: str, raw: Mapping[str, Any], complain: Complain, *, typed: bool) -> dict[str, Any]:
    """
    The parameters of `method` as Python values; objects are dicts and lists of their JSON.

    `typed` says that they came as JSON, where a number has to be a number. A value that the real server refuses
    raises `Refusal`; what it lets pass although the documentation doesn't is left to `complain`.
    """
    spec = METHODS[method]
    params: dict[str, Any] = {}
    for name, value in raw.items():
        kind = spec.get(name)
        if kind is None:
            complain(f"{method}: unknown parameter {name}")
        elif value is None:
            complain(f"{method}: {name} is null instead of left out")
            if name == "reply_markup":
                raise bad_request("object expected as reply markup")
        else:
            params[name] = _decode_one(f"{method}: {name}", name, value, kind, complain, typed=typed)
    return params


def _decode_one(where: str, name: str, value: Any, kind: Any, complain: Complain, *, typed: bool) -> Any:
    if kind is int:
        return _integer(where, value, complain, typed=typed)
    if kind is bool:
        return _boolean(where, value, complain, typed=typed)
    if kind is str or kind is CHAT:
        return _string(where, value, kind, complain)
    return _object(where, name, value, kind, complain)


def _integer(where: str, value: Any, complain: Complain, *, typed: bool) -> int:
    if isinstance(value, bool) or (typed and not isinstance(value, int)):
        complain(f"{where}: {value!r} isn't an Integer")
    try:
        return int(value)
    except (TypeError, ValueError):
        complain(f"{where}: {value!r} isn't a number and counts as 0")
        return 0


def _boolean(where: str, value: Any, complain: Complain, *, typed: bool) -> bool:
    if typed and not isinstance(value, bool):
        complain(f"{where}: {value!r} isn't a Boolean")
    if not isinstance(value, bool) and str(value).lower() not in ("true", "false", "1", "0"):
        complain(f"{where}: {value!r} isn't a Boolean and counts as false")
    return str(value).lower() in ("true", "yes", "1")


def _string(where: str, value: Any, kind: Any, complain: Complain) -> int | str:
    if kind is CHAT:
        return int(value) if str(value).lstrip("-").isdecimal() else str(value)
    if not isinstance(value, str):
        complain(f"{where}: {value!r} isn't a String")
    return str(value)


def _object(where: str, name: str, value: Any, kind: Any, complain: Complain) -> Any:
    """A nested object: a string of JSON, or in a JSON body the object itself. An empty string is none."""
    label = LABELS.get(name, name)
    if isinstance(value, str):
        if not value:
            return None
        try:
            value = json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {label} JSON object") from None
    target = _markup_type(value) if kind is ReplyMarkup else kind
    try:
        msgspec.convert(value, target, strict=True)
    except msgspec.ValidationError as error:
        complain(f"{where}: {error}")
        raise bad_request(f"can't parse {label}: {error}") from None
    for unknown in _unknown_fields(value, target):
        complain(f"{where}: unknown field {unknown}")
    return value


def _markup_type(value: Any) -> type[msgspec.Struct]:
    if not isinstance(value, dict):
        raise bad_request("object expected as reply markup")
    return next((kind for name, kind in MARKUPS.items() if name in value), InlineKeyboardMarkup)


def _unknown_fields(value: Any, kind: Any) -> Iterator[str]:
    """Names in `value` that the type `kind` doesn't have, at any depth."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(member for member in get_args(kind) if member is not type(None))
    if isinstance(value, list):
        for item in value:
            yield from _unknown_fields(item, get_args(kind)[0])
    elif isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
        for name, item in value.items():
            if name in fields:
                yield from _unknown_fields(item, fields[name])
            else:
                yield name
