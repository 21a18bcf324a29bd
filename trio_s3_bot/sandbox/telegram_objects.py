"""The objects a bot may send, with exactly the fields the Bot API documents."""

from __future__ import annotations

from typing import Any

import msgspec


class MessageEntity(msgspec.Struct):
    type: str
    offset: int
    length: int
    url: str | None = None
    user: dict[str, Any] | None = None
    language: str | None = None
    custom_emoji_id: str | None = None


class CopyTextButton(msgspec.Struct):
    text: str


class InlineKeyboardButton(msgspec.Struct):
    text: str
    icon_custom_emoji_id: str | None = None
    style: str | None = None
    url: str | None = None
    callback_data: str | None = None
    web_app: dict[str, Any] | None = None
    login_url: dict[str, Any] | None = None
    switch_inline_query: str | None = None
    switch_inline_query_current_chat: str | None = None
    switch_inline_query_chosen_chat: dict[str, Any] | None = None
    copy_text: CopyTextButton | None = None
    pay: bool | None = None


class InlineKeyboardMarkup(msgspec.Struct):
    inline_keyboard: list[list[InlineKeyboardButton]]


class KeyboardButton(msgspec.Struct):
    text: str
    icon_custom_emoji_id: str | None = None
    style: str | None = None
    request_contact: bool | None = None
    request_location: bool | None = None


class ReplyKeyboardMarkup(msgspec.Struct):
    keyboard: list[list[KeyboardButton]]
    is_persistent: bool | None = None
    resize_keyboard: bool | None = None
    one_time_keyboard: bool | None = None
    input_field_placeholder: str | None = None
    selective: bool | None = None


class ReplyKeyboardRemove(msgspec.Struct):
    remove_keyboard: bool
    selective: bool | None = None


class ForceReply(msgspec.Struct):
    force_reply: bool
    input_field_placeholder: str | None = None
    selective: bool | None = None


class ReplyParameters(msgspec.Struct):
    message_id: int
    chat_id: int | str | None = None
    allow_sending_without_reply: bool | None = None
    quote: str | None = None
    quote_parse_mode: str | None = None
    quote_entities: list[MessageEntity] | None = None
    quote_position: int | None = None


class LinkPreviewOptions(msgspec.Struct):
    is_disabled: bool | None = None
    url: str | None = None
    prefer_small_media: bool | None = None
    prefer_large_media: bool | None = None
    show_above_text: bool | None = None


class BotCommand(msgspec.Struct):
    command: str
    description: str


class BotCommandScope(msgspec.Struct):
    type: str
    chat_id: int | str | None = None
    user_id: int | None = None
