"""The methods of the Bot API: what each does to the world, and what it refuses."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from .telegram_chats import Chat
from .telegram_replies import bad_request
from .telegram_room import Message, as_bot_sees
from .telegram_text import formatted, utf16_length
from .telegram_world import Telegram

Params = dict[str, Any]
Method = Callable[[Telegram, Params], Awaitable[Any]]

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
ACTIONS = {"typing", "choose_sticker", "find_location", "record_video", "record_voice", "record_video_note"}
ACTIONS |= {f"upload_{kind}" for kind in ("photo", "video", "voice", "video_note", "document")}
COMMAND = re.compile(r"[a-z0-9_]{1,32}")


async def get_me(telegram: Telegram, params: Params) -> Any:  # noqa: ARG001
    return {
        **telegram.bot.as_json(),
        "can_join_groups": True,
        "can_read_all_group_messages": not telegram.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": any(chat.topical and chat.kind == "private" for chat in telegram.chats.values()),
    }


async def get_updates(telegram: Telegram, params: Params) -> Any:
    if params.get("allowed_updates") is not None:
        telegram.updates.allow(params["allowed_updates"])
    return await telegram.updates.get(params.get("offset", 0), params.get("limit", 100), params.get("timeout", 0))


async def get_webhook_info(telegram: Telegram, params: Params) -> Any:  # noqa: ARG001
    return {
        "url": telegram.updates.webhook,
        "has_custom_certificate": False,
        "pending_update_count": len(telegram.updates.pending),
        "allowed_updates": sorted(telegram.updates.allowed),
    }


async def delete_webhook(telegram: Telegram, params: Params) -> Any:
    telegram.updates.webhook = ""
    if params.get("drop_pending_updates"):
        telegram.updates.pending.clear()
    return True


async def set_my_commands(telegram: Telegram, params: Params) -> Any:
    commands = params.get("commands") or []
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not COMMAND.fullmatch(command["command"].removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= utf16_length(command["description"]) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    telegram.commands[_scope(params)] = commands
    return True


async def get_my_commands(telegram: Telegram, params: Params) -> Any:
    return telegram.commands.get(_scope(params), [])


async def delete_my_commands(telegram: Telegram, params: Params) -> Any:
    telegram.commands.pop(_scope(params), None)
    return True


async def get_file(telegram: Telegram, params: Params) -> Any:
    return await telegram.files.get_file(params.get("file_id", ""), telegram.token)


async def send_message(telegram: Telegram, params: Params) -> Any:
    text = formatted(
        params.get("text", ""), params.get("parse_mode", ""), params.get("entities"), too_long="message is too long"
    )
    markup = _markup(telegram, params)
    chat = _writable(telegram, params)
    chat.check_thread(params.get("message_thread_id"))
    reply = _replied(chat, params.get("reply_parameters"))
    _spend(telegram, chat)
    thread = params.get("message_thread_id") or (reply or {}).get("message_thread_id")
    fields = {"from": telegram.bot.as_json(), **chat.thread_fields(thread), **text.as_json()}
    if reply:
        fields["reply_to_message"] = chat.quoted(reply["message_id"])
    message = chat.add({**fields, **markup})
    chat.record("sendMessage", text.text, message["message_id"])
    return as_bot_sees(message)


async def edit_message_text(telegram: Telegram, params: Params) -> Any:
    text = formatted(
        params.get("text", ""), params.get("parse_mode", ""), params.get("entities"), too_long="MESSAGE_TOO_LONG"
    )
    markup = _markup(telegram, params)
    chat = _writable(telegram, params)
    message = _editable(telegram, chat, params)
    if "text" not in message:
        raise bad_request("there is no text in the message to edit")
    return _edited(telegram, chat, message, {**text.as_json(), **markup}, ("text", "entities", "reply_markup"))


async def edit_message_reply_markup(telegram: Telegram, params: Params) -> Any:
    markup = _markup(telegram, params)
    chat = _writable(telegram, params)
    return _edited(telegram, chat, _editable(telegram, chat, params), markup, ("reply_markup",))


async def delete_message(telegram: Telegram, params: Params) -> Any:
    chat = _writable(telegram, params)
    message = chat.find(_message_id(params))
    if message is None:
        raise bad_request("message to delete not found")
    if time.time() - message["date"] > 48 * 3600 or (
        chat.id < 0 and message.get("from", {}).get("id") != telegram.bot.id
    ):
        raise bad_request("message can't be deleted")
    chat.remove(message["message_id"])
    chat.record("deleteMessage", None, message["message_id"])
    return True


async def answer_callback_query(telegram: Telegram, params: Params) -> Any:
    if utf16_length(params.get("text", "")) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    press = telegram.presses.get(params.get("callback_query_id", ""))
    if press is None or press.answer is not None or time.time() - press.time > telegram.callback_lifetime:
        raise bad_request(QUERY_TOO_OLD)
    press.answer = params
    telegram.changes.announce()
    return True


async def send_chat_action(telegram: Telegram, params: Params) -> Any:
    chat = _writable(telegram, params)
    if params.get("action") not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    if params.get("message_thread_id") != 1:
        chat.check_thread(params.get("message_thread_id"))
    chat.actions.append(params["action"])
    chat.record("sendChatAction", params["action"], None)
    return True


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "getUpdates": get_updates,
    "getWebhookInfo": get_webhook_info,
    "deleteWebhook": delete_webhook,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "getFile": get_file,
    "sendMessage": send_message,
    "editMessageText": edit_message_text,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_callback_query,
    "sendChatAction": send_chat_action,
}


def _scope(params: Params) -> tuple[str, str]:
    scope = params.get("scope") or {"type": "default"}
    place = ":".join(str(scope[key]) for key in ("type", "chat_id", "user_id") if key in scope)
    return place, params.get("language_code", "")


def _writable(telegram: Telegram, params: Params) -> Chat:
    """The chat that is meant, if the bot can write there."""
    chat_id = params.get("chat_id", "")
    if chat_id == "":
        raise bad_request("chat_id is empty")
    chat = telegram.chats.get(chat_id)
    if chat is None:
        raise bad_request("chat not found")
    chat.check_access()
    return chat


def _message_id(params: Params) -> int:
    if not params.get("message_id"):
        raise bad_request("message identifier is not specified")
    return int(params["message_id"])


def _replied(chat: Chat, reply: Params | None) -> Message | None:
    """The message that is replied to; one that is gone is refused, unless the bot allowed for that."""
    if reply is None:
        return None
    message = chat.find(reply["message_id"])
    if message is None and not reply.get("allow_sending_without_reply"):
        raise bad_request("message to be replied not found")
    return message


def _editable(telegram: Telegram, chat: Chat, params: Params) -> Message:
    """The bot's own message that is meant. Only inline keyboards leave a message editable."""
    message = chat.find(_message_id(params))
    if message is None:
        raise bad_request("message to edit not found")
    own = message.get("from", {}).get("id") == telegram.bot.id
    if not own or as_bot_sees(message) is not message:
        raise bad_request("message can't be edited")
    return message


def _edited(telegram: Telegram, chat: Chat, message: Message, fields: Params, replaced: tuple[str, ...]) -> Message:
    """Replace fields of a message; what of them isn't given is removed, such as a keyboard."""
    if all(message.get(name) == fields.get(name) for name in replaced):
        raise bad_request(NOT_MODIFIED)
    _spend(telegram, chat)
    kept = {key: value for key, value in message.items() if key not in replaced}
    new = {**kept, **fields, "edit_date": int(time.time())}
    chat.replace(new)
    method = "editMessageText" if "text" in replaced else "editMessageReplyMarkup"
    chat.record(method, new.get("text"), new["message_id"])
    return new


def _spend(telegram: Telegram, chat: Chat) -> None:
    if telegram.flood_limits:
        telegram.limits.spend(chat.id)


def _markup(telegram: Telegram, params: Params) -> Params:
    """The field `reply_markup` of the new message, checked; none for an empty keyboard."""
    markup = params.get("reply_markup")
    if not markup:
        return {}
    if "inline_keyboard" in markup:
        return _inline_keyboard(markup)
    if utf16_length(markup.get("input_field_placeholder", "")) > 64:
        telegram.complain("input_field_placeholder is longer than 64 characters")
    return {"reply_markup": markup}


def _inline_keyboard(markup: Params) -> Params:
    rows = [row for row in markup["inline_keyboard"] if row]
    if any(len(row) > 8 for row in rows) or sum(map(len, rows)) > 100:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    for button in (button for row in rows for button in row):
        _check_button(button)
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def _check_button(button: Params) -> None:
    actions = button.keys() - {"text", "style", "icon_custom_emoji_id"}
    if not button["text"].strip():
        raise bad_request("BUTTON_TEXT_EMPTY")
    if len(actions) != 1:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")
