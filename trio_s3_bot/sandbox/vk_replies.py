"""
The answers of the VK API: HTTP 200 in any case, and the errors it is known for.

The texts are those of VK's published schema, but for 915 and 916, of which only the documentation of conversations
speaks; what follows the colon is the real server's where it is publicly known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .replies import Instead, Reply, json_reply
from .world import Content

TEXTS = {
    1: "Unknown error occurred",
    3: "Unknown method passed",
    5: "User authorization failed",
    6: "Too many requests per second",
    7: "Permission to perform this action is denied",
    8: "Invalid request",
    9: "Flood control",
    10: "Internal server error",
    14: "Captcha needed",
    15: "Access denied",
    17: "Validation required",
    18: "User was deleted or banned",
    24: "Confirmation required",
    25: "Token confirmation required",
    27: "Group authorization failed",
    28: "Application authorization failed",
    29: "Rate limit reached",
    32: "Need wait",
    36: "Method execution was interrupted due to timeout",
    37: "User was banned",
    42: "IP is not allowed",
    43: "This section is temporary unavailable",
    100: "One of the parameters specified was missing or invalid",
    104: "Not found",
    113: "Invalid user id",
    125: "Invalid group id",
    203: "Access to group denied",
    900: "Can't send messages for users from blacklist",
    901: "Can't send messages for users without permission",
    902: "Can't send messages to this user due to their privacy settings",
    909: "Can't edit this message, because it's too old",
    910: "Can't sent this message, because it's too big",
    911: "Keyboard format is invalid",
    912: "This is a chat bot feature, change this status in settings",
    913: "Too many forwarded messages",
    914: "Message is too long",
    915: "Messages are disabled in this community",
    916: "Messages are blocked in this community",
    917: "You don't have access to this chat",
    920: "Can't edit this kind of message",
    921: "Can't forward these messages",
    922: "You left this chat",
    925: "You are not admin of this chat",
    927: "Chat does not exist",
    932: "Your community can't interact with this peer",
    936: "Contact not found",
    940: "Too many posts in messages",
    945: "Chat was disabled",
    946: "Chat not supported",
    949: "Can't edit pinned message yet",
    950: "Can't send message, reply timed out",
    962: "You can't access donut chat without subscription",
    969: "Message cannot be forwarded",
    985: "Cannot write to notifications only groups",
    987: "Need message request",
    988: "Pending message request",
    1012: "Writing is disabled for this chat",
    1117: "Access token has expired",
    1150: "Invalid document id",
    3300: "Recaptcha needed",
    3301: "Phone validation needed",
    3302: "Password validation needed",
    3303: "Otp app validation needed",
    3304: "Email confirmation needed",
    3609: "Token extension required",
    3610: "User is deactivated",
}
NO_SCOPE = "no access to call this method. It cannot be called with current scopes."
NO_SCOPE_SUBCODE = 1133
CAPTCHA = {"captcha_sid": "239633676097", "captcha_img": "https://api.vk.ru/captcha.php?sid=239633676097&s=1"}


class Refusal(Exception):
    """VK refuses a call with one of its codes; `detail` follows the text of the code after a colon."""

    def __init__(self, code: int, detail: str = "", *, subcode: int | None = None) -> None:
        self.code = code
        self.text = TEXTS[code] + (f": {detail}" if detail else "")
        self.more: dict[str, Any] = dict(CAPTCHA) if code == 14 else {}
        if subcode is not None:
            self.more["error_subcode"] = subcode
        super().__init__(f"{code} {self.text}")

    def reply(self, method: str, params: Mapping[str, str]) -> Reply:
        """The refusal of a call; it echoes the call's parameters, a token among them."""
        echo = {"oauth": "1", "method": method, **params}
        error = {
            "error_code": self.code,
            "error_msg": self.text,
            **self.more,
            "request_params": [{"key": key, "value": value} for key, value in echo.items()],
        }
        return json_reply({"error": error})


def invalid(detail: str) -> Refusal:
    return Refusal(100, detail)


def out_of_scope() -> Refusal:
    return Refusal(15, NO_SCOPE, subcode=NO_SCOPE_SUBCODE)


def succeeded(response: Any) -> Reply:
    return json_reply({"response": response})


@dataclass(frozen=True)
class ApiError(Instead):
    """Any of the API's errors, such as `ApiError(6)`; 14 brings a captcha along."""

    code: int
    detail: str = ""

    def reply(self) -> Reply:
        raise Refusal(self.code, self.detail)


@dataclass(frozen=True)
class Response(Instead):
    """Another result than the right one, such as the shape of another version."""

    response: Any

    def reply(self) -> Reply:
        return succeeded(self.response)


@dataclass(frozen=True)
class LongPollFailed(Instead):
    """What the long poll server says of trouble; `ts` comes with 1 only, and as a number."""

    failed: int
    ts: int | None = None

    def reply(self) -> Reply:
        return json_reply({"failed": self.failed} | ({} if self.ts is None else {"ts": self.ts}))


@dataclass(frozen=True)
class ErrorPage(Instead):
    """What vk.com shows in place of a document: a page in windows-1251, with status 200."""

    text: str = "Пользователь, который разместил документ, заблокирован."
    headers: Mapping[str, str] = field(default_factory=dict)

    def reply(self) -> Reply:
        page = (
            "<!DOCTYPE html>\n<html><head>\n<title>Ошибка | ВКонтакте</title>\n</head>\n"
            f'<body><div class="message_page_body">{self.text}</div></body></html>\n'
        )
        headers = {"content-type": "text/html; charset=windows-1251", **self.headers}
        return Reply(200, Content.of(page.encode("windows-1251")), headers)
