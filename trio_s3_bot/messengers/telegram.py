"""
Telegram through the Bot API: the hosted one, or a server of one's own.

The token is part of every URL, so no URL of it is ever logged or put into an error.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec

from trio_s3_bot.config import TelegramConfig
from trio_s3_bot.errors import (
    ChatMoved,
    ChatUnreachable,
    DocumentRefused,
    MessageGone,
    MessengerError,
    OperatorNeeded,
    OutOfOrder,
    PollConflict,
    Reason,
    RequestRefused,
    RetryAfter,
    SourceUnavailable,
    TokenRefused,
    Unavailable,
)
from trio_s3_bot.messengers.base import Account, Batch, Capabilities, Command, Remark, Skipped
from trio_s3_bot.messengers.http import Connections, open_connections, sound_unicode
from trio_s3_bot.messengers.lengths import cut
from trio_s3_bot.messengers.telegram_types import TAnswer, TFile, TMe, TWebhookInfo, understand
from trio_s3_bot.model import Chat, Document, Keyboard, OutMessage, Press, Secret, Source, UpdateObj
from trio_s3_bot.patience import SHIPPED, Timeouts

LONG_POLL = 60  # seconds asked for; the server answers after 50 at the latest
CLOUD_DOWNLOAD_LIMIT = 20 * 1024 * 1024  # bytes, Bot API "getFile"
PLACEHOLDER_LIMIT = 64
TOAST_LIMIT = 200  # Bot API, "answerCallbackQuery"
ALLOWED_UPDATES = ("message", "callback_query")
CONNECTIONS = 16
LOCAL_DOWNLOAD = 3600  # seconds that a local server may take to get a document ready

# What the Bot API says (lower case) when nothing can be said in a chat any more.
_CHAT_GONE = (
    "chat not found",
    "have no rights to send",
    "not enough rights to send",
    "chat_write_forbidden",
    "chat_restricted",
    "topic_closed",
    "message thread not found",
    "user is deactivated",
    "peer_id_invalid",
)
_MESSAGE_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid", "no text in the message")
_FILE_GONE = ("invalid file_id", "wrong file identifier", "file_reference", "wrong remote file")

T = TypeVar("T")


class Telegram:
    """One bot account; fulfils `messengers.base.Messenger`. Made by `open_telegram`."""

    name = "telegram"

    def __init__(
        self, config: TelegramConfig, *, polling: Connections, calling: Connections, timeouts: Timeouts
    ) -> None:
        self._config = config
        self._timeouts = timeouts
        self._polling = polling
        self._calling = calling
        self._me: TMe | None = None
        self.capabilities = Capabilities()

    async def check(self) -> Account:
        """Ask `getMe` and `getWebhookInfo`; neither disturbs a poller that runs elsewhere."""
        self._me = await self._call("getMe", {}, TMe)
        webhook = await self._call("getWebhookInfo", {}, TWebhookInfo)
        if webhook.url:
            raise PollConflict("a webhook is set for this bot", _NO_WEBHOOK)
        remarks = [] if self._me.can_read_all_group_messages else [_PRIVACY_MODE]
        if self._config.local_root is not None and not _can_be_read(self._config.local_root):
            remarks.append(Remark("local_root", ". ".join(_no_local_root(self._config.local_root)), fatal=True))
        return Account(self._me.id, f"@{self._me.username}", tuple(remarks))

    async def poll(self, cursor: str | None) -> Batch:
        """One `getUpdates`; the cursor is the offset, the last update's id plus one."""
        if self._me is None:
            self._me = await self._call("getMe", {}, TMe)
        params: dict[str, object] = {"timeout": LONG_POLL, "allowed_updates": ALLOWED_UPDATES}
        if cursor is not None:
            params["offset"] = int(cursor)
        answer = await self._post(self._polling, "getUpdates", params, read=self._timeouts.poll)
        return _batch(_result(answer, list[msgspec.Raw]), self._me, cursor)

    async def whole(self, update: UpdateObj) -> UpdateObj:
        """Nothing is ever left out of an update."""
        return update

    async def send(self, chat: Chat, message: OutMessage) -> int:
        """`sendMessage` as plain text: no markup, so that a file name can't break it."""
        params: dict[str, object] = {"chat_id": chat.id, **_content(message)}
        if chat.thread is not None:
            params["message_thread_id"] = chat.thread
        if message.reply_to is not None:
            params["reply_parameters"] = {"message_id": message.reply_to, "allow_sending_without_reply": True}
        return (await self._call("sendMessage", params, _Sent)).message_id

    async def edit(self, chat: Chat, message_id: int, message: OutMessage) -> None:
        """`editMessageText`; "message is not modified" is a success."""
        params = {"chat_id": chat.id, "message_id": message_id, **_content(message)}
        try:
            await self._call("editMessageText", params, msgspec.Raw)
        except RequestRefused as error:
            if "message is not modified" not in str(error).lower():
                raise

    async def answer(self, chat: Chat, press: Press, text: str = "") -> None:  # noqa: ARG002 - the contract's
        """`answerCallbackQuery`; a press that is too old to be answered is let go."""
        try:
            params = {"callback_query_id": press.id, "text": cut(text, TOAST_LIMIT)}
            await self._call("answerCallbackQuery", params, msgspec.Raw)
        except RequestRefused:
            return

    async def resolve(self, document: Document) -> Source:
        """`getFile`, which answers once the server has the file: on a local server that may take minutes."""
        read = self._timeouts.file if self._config.local_root is None else LOCAL_DOWNLOAD
        try:
            file = await self._call("getFile", {"file_id": document.file_id}, TFile, read=read)
        except (RequestRefused, ChatUnreachable) as error:  # 403 would be about this file, as there is no chat here
            raise _file_error(str(error)) from error
        if file.file_path is None:
            raise SourceUnavailable("getFile gave no file_path")
        return self._source(file.file_path, file.file_size if file.file_size is not None else document.size)

    async def announce(self, commands: tuple[Command, ...]) -> None:
        """`setMyCommands`, once for each language and once for everybody else (English)."""
        for language in sorted({language for command in commands for language in command.descriptions}):
            listed = [{"command": c.name, "description": c.descriptions[language]} for c in commands]
            params: dict[str, object] = {"commands": listed}
            if language != "en":
                params["language_code"] = language
            await self._call("setMyCommands", params, msgspec.Raw)

    def _source(self, file_path: str, size: int | None) -> Source:
        if file_path.startswith("/"):
            return Source(path=str(self._inside_local_root(file_path)), size=size)
        url = f"{self._config.api_url}/file/bot{self._config.token.reveal()}/{quote(file_path)}"
        return Source(url=Secret(url), size=size)

    def _inside_local_root(self, file_path: str) -> Path:
        """Where the local server's file is on this machine; the server is not trusted to name any other file."""
        if self._config.local_root is None:
            raise OperatorNeeded("getFile gave a path on its server", "Set [telegram] local_root to that folder.", 60)
        if not _can_be_read(self._config.local_root):
            raise OperatorNeeded(*_no_local_root(self._config.local_root), 60)
        server_root = self._config.local_server_root or str(self._config.local_root)
        relative = posixpath.relpath(posixpath.normpath(file_path), posixpath.normpath(server_root))
        path = (self._config.local_root / relative).resolve()
        if not path.is_relative_to(self._config.local_root.resolve()):
            raise DocumentRefused(Reason.NOT_READABLE, "the server named a file outside local_server_root")
        return path

    async def _call(
        self, method: str, params: Mapping[str, object], answer: type[T], *, read: float | None = None
    ) -> T:
        read = self._timeouts.call if read is None else read
        return _result(await self._post(self._calling, method, params, read=read), answer)

    async def _post(
        self, connections: Connections, method: str, params: Mapping[str, object], *, read: float
    ) -> TAnswer:
        return _envelope(method, await connections.request(method, "POST", method, read=read, json=dict(params)))


class _Sent(msgspec.Struct):
    message_id: int


_NO_WEBHOOK = "Delete the webhook with the Bot API's deleteWebhook, or use another bot."


def _can_be_read(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)


def _no_local_root(folder: Path) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    return f"There is no folder {folder} that can be read", "Correct [telegram] local_root, or the rights there."


_PRIVACY_MODE = Remark(
    "privacy mode",
    "Telegram's privacy mode is on: in groups the bot sees only commands and replies. To save documents from "
    "groups, switch it off in @BotFather (/setprivacy) and add the bot to the group again.",
)


@asynccontextmanager
async def open_telegram(
    config: TelegramConfig, proxy: Secret | None = None, timeouts: Timeouts = SHIPPED.timeouts
) -> AsyncIterator[Telegram]:
    """Open the account's connections: one for the long poll, a pool for everything else."""
    base_url = f"{config.api_url}/bot{config.token.reveal()}/"
    connect = timeouts.connect
    async with (
        open_connections(1, proxy=proxy, connect=connect, base_url=base_url) as polling,
        open_connections(CONNECTIONS, proxy=proxy, connect=connect, base_url=base_url) as calling,
    ):
        yield Telegram(config, polling=polling, calling=calling, timeouts=timeouts)


def _content(message: OutMessage) -> dict[str, object]:
    content: dict[str, object] = {"text": message.text, "link_preview_options": {"is_disabled": True}}
    if message.keyboard:
        content["reply_markup"] = _inline_keyboard(message.keyboard)
    elif message.ask is not None:
        # Bot API, "ForceReply": the client opens an answer to this very message, so it can't be taken for another one.
        placeholder = message.ask[:PLACEHOLDER_LIMIT] or None
        hint = {"input_field_placeholder": placeholder} if placeholder else {}
        content["reply_markup"] = {"force_reply": True, "selective": True, **hint}
    return content


def _inline_keyboard(keyboard: Keyboard) -> dict[str, object]:
    rows = [[{"text": button.label, "callback_data": button.data} for button in row] for row in keyboard]
    return {"inline_keyboard": rows}


def _batch(raw_updates: list[msgspec.Raw], me: TMe, cursor: str | None) -> Batch:
    understood = [understand(raw, me) for raw in raw_updates]
    ids = [int(u.update_id) for u in understood if u.update_id is not None]
    return Batch(
        updates=tuple(u for u in understood if isinstance(u, UpdateObj)),
        cursor=str(ids[-1] + 1) if ids else cursor,
        skipped=tuple(u for u in understood if isinstance(u, Skipped)),
    )


def _envelope(method: str, response: httpx.Response) -> TAnswer:
    """Read the answer; whatever is no JSON of the Bot API is a gateway's error page and passes."""
    try:
        answer = msgspec.json.decode(sound_unicode(response.content), type=TAnswer)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Unavailable(f"{method}: HTTP {response.status_code} without JSON") from None
    if not answer.ok:
        raise _error(method, answer)
    return answer


def _result(answer: TAnswer, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.result, type=type_)
    except msgspec.MsgspecError as error:
        raise Unavailable(f"an answer of another shape than the Bot API's: {error}") from error


def _error(method: str, answer: TAnswer) -> MessengerError:
    """Classify an error answer by its code and the words the Bot API uses."""
    said = f"{method}: {answer.error_code} {answer.description}"
    words = answer.description.lower()
    if answer.parameters.migrate_to_chat_id is not None:
        return ChatMoved(said, answer.parameters.migrate_to_chat_id)
    match answer.error_code:
        case 401 if "api-id" in words:
            return OperatorNeeded(said, "Correct --api-id and --api-hash of your Bot API server.", 60)
        case 401 | 404 if method in ("getMe", "getUpdates", "getWebhookInfo") or answer.error_code == 401:
            return TokenRefused(said)
        case 403:
            return ChatUnreachable(said)
        case 409:
            return PollConflict(said, _NO_WEBHOOK if "webhook" in words else "")
        case 429:
            return RetryAfter(said, answer.parameters.retry_after or 5)
        case code if code >= 500:
            return OutOfOrder(said)
        case 408 | 421:
            return Unavailable(said)
    if any(gone in words for gone in _CHAT_GONE):
        return ChatUnreachable(said)
    if any(gone in words for gone in _MESSAGE_GONE):
        return MessageGone(said)
    return RequestRefused(said)


def _file_error(said: str) -> DocumentRefused | SourceUnavailable:
    words = said.lower()
    if "file is too big" in words:
        return DocumentRefused(Reason.TOO_BIG_FOR_MESSENGER, said, limit=CLOUD_DOWNLOAD_LIMIT)
    if any(gone in words for gone in _FILE_GONE) and "temporarily unavailable" not in words:
        return DocumentRefused(Reason.GONE, said)
    return SourceUnavailable(said)
