"""
The Bot API's shapes, with only the fields the bot uses, and their translation into `UpdateObj`.

Everything is optional but what the Bot API guarantees: an update of another shape is skipped and recorded, never fatal.
"""

from __future__ import annotations

import msgspec

from trio_s3_bot.messengers.base import Id, Moment, Size, Skipped
from trio_s3_bot.messengers.shapes import Discreet
from trio_s3_bot.model import Chat, Document, Press, Sender, UpdateObj

# Bot API, "Message": a message that has one of these is about the chat, not from a person to the bot.
SERVICE_FIELDS = frozenset(
    {
        "new_chat_members",
        "left_chat_member",
        "new_chat_title",
        "new_chat_photo",
        "delete_chat_photo",
        "group_chat_created",
        "supergroup_chat_created",
        "channel_chat_created",
        "message_auto_delete_timer_changed",
        "migrate_to_chat_id",
        "migrate_from_chat_id",
        "pinned_message",
        "successful_payment",
        "refunded_payment",
        "users_shared",
        "chat_shared",
        "connected_website",
        "write_access_allowed",
        "passport_data",
        "proximity_alert_triggered",
        "boost_added",
        "chat_background_set",
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_closed",
        "forum_topic_reopened",
        "general_forum_topic_hidden",
        "general_forum_topic_unhidden",
        "giveaway_created",
        "giveaway",
        "giveaway_winners",
        "giveaway_completed",
        "video_chat_scheduled",
        "video_chat_started",
        "video_chat_ended",
        "video_chat_participants_invited",
        "web_app_data",
        "direct_message_price_changed",
        "paid_message_price_changed",
        "checklist_tasks_done",
        "checklist_tasks_added",
        "gift",
        "unique_gift",
        "suggested_post_approved",
        "suggested_post_declined",
        "suggested_post_paid",
        "suggested_post_refunded",
        "suggested_post_approval_failed",
        "chat_owner_left",
        "chat_owner_changed",
    }
)


class TUser(msgspec.Struct):
    id: Id
    is_bot: bool = False
    username: str | None = None
    language_code: str | None = None


class TChat(msgspec.Struct):
    id: Id
    type: str = "private"


class TDocument(msgspec.Struct):
    file_id: str
    file_unique_id: str
    file_name: str | None = None
    mime_type: str | None = None
    file_size: Size | None = None


class TReply(msgspec.Struct):
    message_id: Id
    from_: TUser | None = msgspec.field(default=None, name="from")


class TMessage(msgspec.Struct):
    message_id: Id
    chat: TChat
    date: Moment = 0
    from_: TUser | None = msgspec.field(default=None, name="from")
    sender_chat: TChat | None = None
    message_thread_id: Id | None = None
    is_topic_message: bool = False
    is_automatic_forward: bool = False
    text: str | None = None
    caption: str | None = None
    document: TDocument | None = None
    media_group_id: str | None = None
    reply_to_message: TReply | None = None
    migrate_to_chat_id: Id | None = None


class TCallbackMessage(msgspec.Struct):
    message_id: Id
    chat: TChat
    message_thread_id: Id | None = None
    is_topic_message: bool = False


class TCallbackQuery(msgspec.Struct):
    id: str
    from_: TUser = msgspec.field(name="from")
    message: TCallbackMessage | None = None
    data: str | None = None


class TUpdateId(msgspec.Struct):
    update_id: Id


class TUpdate(msgspec.Struct):
    update_id: Id
    message: msgspec.Raw = msgspec.Raw()
    callback_query: TCallbackQuery | None = None


class TFile(Discreet):
    file_path: str | None = None
    file_size: Size | None = None


class TMe(msgspec.Struct):
    id: Id
    username: str = ""
    can_read_all_group_messages: bool = False


class TWebhookInfo(Discreet):
    url: str = ""


class TParameters(msgspec.Struct):
    retry_after: float | None = None
    migrate_to_chat_id: Id | None = None


class TAnswer(msgspec.Struct):
    """The envelope of every answer of the Bot API."""

    ok: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    error_code: int = 0
    description: str = ""
    parameters: TParameters = msgspec.field(default_factory=TParameters)


def understand(raw: msgspec.Raw, me: TMe) -> UpdateObj | Skipped:
    """Translate one element of `getUpdates`' result; `me` is the bot itself, which mentions and replies name."""
    try:
        update = msgspec.json.decode(raw, type=TUpdate)
        if bytes(update.message):
            return _from_message(update.update_id, update.message, me)
        if update.callback_query is not None:
            return _from_press(update.update_id, update.callback_query)
        return Skipped(str(update.update_id), "not a kind of update that was asked for")
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return Skipped(_update_id(raw), f"{type(error).__name__}: {error}")


def _update_id(raw: msgspec.Raw) -> str | None:
    try:
        return str(msgspec.json.decode(raw, type=TUpdateId).update_id)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _from_message(update_id: int, raw: msgspec.Raw, me: TMe) -> UpdateObj:
    message = msgspec.json.decode(raw, type=TMessage)
    fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    text = _own_command(message.text, me)
    return UpdateObj(
        messenger="telegram",
        update_id=str(update_id),
        chat=_chat(message.chat, message.message_thread_id if message.is_topic_message else None),
        sender=_sender(message.from_) if message.sender_chat is None else None,
        message_id=message.message_id,
        date=message.date,
        text=text,
        caption=message.caption,
        documents=(_document(message.document),) if message.document else (),
        reply_to=answered.message_id if (answered := _answered(message)) else None,
        album=message.media_group_id,
        addressed=_is_addressed(message, text, me),
        silent=_is_silent(message) or not SERVICE_FIELDS.isdisjoint(fields),
        moved_to=message.migrate_to_chat_id,
    )


def _from_press(update_id: int, query: TCallbackQuery) -> UpdateObj | Skipped:
    if query.message is None or query.data is None:
        return Skipped(str(update_id), "a button press without a chat or without data")
    message = query.message
    return UpdateObj(
        messenger="telegram",
        update_id=str(update_id),
        chat=_chat(message.chat, message.message_thread_id if message.is_topic_message else None),
        sender=_sender(query.from_),
        press=Press(query.id, query.data, message.message_id),
        addressed=True,
    )


def _chat(chat: TChat, thread: int | None) -> Chat:
    return Chat("telegram", chat.id, thread, group=chat.type != "private")


def _sender(user: TUser | None) -> Sender | None:
    return Sender(user.id, user.username, user.language_code) if user else None


def _document(document: TDocument) -> Document:
    return Document(
        document.file_id, document.file_unique_id, document.file_name, document.mime_type, document.file_size
    )


def _is_silent(message: TMessage) -> bool:
    # A bot that answers bots may talk for ever; anonymous admins write as a bot, but with a sender_chat.
    from_a_bot = message.from_ is not None and message.from_.is_bot and message.sender_chat is None
    # A channel's post that Telegram puts into the channel's discussion group is a channel post still.
    return message.chat.type == "channel" or message.is_automatic_forward or from_a_bot


def _own_command(text: str | None, me: TMe) -> str | None:
    """`/list@ThisBot` is `/list` (Bot API, "Commands"); a command for another bot stays as it is."""
    if not text or not text.startswith("/"):
        return text
    command = text.split(maxsplit=1)[0]
    name, at, bot = command.partition("@")
    return name + text[len(command) :] if at and bot.casefold() == me.username.casefold() else text


def _answered(message: TMessage) -> TReply | None:
    """What a message replies to. In a topic, one that replies to nothing names the message that made the topic."""
    reply = message.reply_to_message
    in_topic_only = message.is_topic_message and reply and reply.message_id == message.message_thread_id
    return None if in_topic_only else reply


def _is_addressed(message: TMessage, text: str | None, me: TMe) -> bool:
    if message.chat.type == "private":
        return True
    if text and text.startswith("/"):
        return "@" not in text.split(maxsplit=1)[0]
    reply = _answered(message)
    return reply is not None and reply.from_ is not None and reply.from_.id == me.id
