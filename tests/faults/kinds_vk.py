"""
The faults of the matrix in VK's words.

The columns are named as Telegram's are, and hold what VK says where the Bot API says that. `odd` is what nobody has
heard of: an error of an unknown code, an unknown `failed` of the long poll, a web page in place of a document.
"""

from __future__ import annotations

import json

from trio_s3_bot.sandbox.faults import Fault, Status, vk_error

Words = dict[str, Fault]

VK_TOO_FAST = vk_error(6, "Too many requests per second")
"""The bot keeps still for a second; after error 9, flood control, for a minute."""

_NOT_TO_THEM = (901, "Can't send messages for users without permission")
_NO_SCOPE = vk_error(15, "Access denied: no access to call this method. It cannot be called with current scopes.")
_NOT_IN_THE_CHAT = vk_error(917, "You don't have access to this chat")


def long_poll_failed(code: int, **fields: int) -> Status:
    """What the long poll says of trouble; a `ts` comes with 1 only."""
    return Status(200, json.dumps({"failed": code, **fields}).encode(), "application/json")


def words_of_vk(call: str) -> Words:
    """The faults that only VK has, or has its own words for."""
    if call in _SERVERS:
        return _HTTP | _SERVERS[call]
    return _API | {"403": _REFUSED.get(call, _NO_SCOPE)}


def _not_sent(code: int, text: str) -> Status:
    """How one of `peer_ids` is refused: the call itself has succeeded."""
    refused = {"peer_id": 0, "message_id": 0, "error": {"code": code, "description": text}}
    return Status(200, json.dumps({"response": [refused]}).encode(), "application/json")


def _page(status: int, title: str) -> Status:
    return Status(status, f"<html><body><h1>{status} {title}</h1></body></html>".encode(), "text/html")


_UNAVAILABLE = _page(503, "Service Temporarily Unavailable")
_ERROR_PAGE = Status(200, "<title>Ошибка | ВКонтакте</title>".encode("windows-1251"), "text/html; charset=windows-1251")

_API: Words = {
    "429": VK_TOO_FAST,
    "500": vk_error(10, "Internal server error"),
    "503": _UNAVAILABLE,
    "odd": vk_error(9999, "Something new"),
}
_REFUSED: Words = {
    "messages.send": _not_sent(*_NOT_TO_THEM),
    "messages.edit": vk_error(*_NOT_TO_THEM),
    "messages.sendMessageEventAnswer": vk_error(*_NOT_TO_THEM),
    "messages.getByConversationMessageId": _NOT_IN_THE_CHAT,
    "messages.getById": _NOT_IN_THE_CHAT,
}
"""What is wrong with the chat, where another method speaks of the token."""

_HTTP: Words = {
    "429": _page(429, "Too Many Requests"),
    "500": _page(500, "Internal Server Error"),
    "503": _UNAVAILABLE,
    "403": _page(403, "Forbidden"),
}
_SERVERS: dict[str, Words] = {
    "a_check": {
        "odd": long_poll_failed(4),
        "failed1": long_poll_failed(1),
        "failed2": long_poll_failed(2),
        "failed3": long_poll_failed(3),
    },
    "doc": {"odd": _ERROR_PAGE},
    "file": {"odd": _ERROR_PAGE},
}
"""What is no method of the API and knows only the errors of HTTP: the long poll, vk.com and the storage host."""
