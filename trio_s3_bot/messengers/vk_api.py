"""
VK's API: one call, its answer or its error.

The token goes into the Authorization header and nowhere else. VK answers HTTP 200 whether a call succeeded or not.
"""

from __future__ import annotations

import math
from typing import TypeVar

import msgspec
import trio

from trio_s3_bot.errors import (
    ChatUnreachable,
    MessageGone,
    MessengerError,
    OperatorNeeded,
    OutOfOrder,
    RequestRefused,
    RetryAfter,
    TokenRefused,
    Unavailable,
)
from trio_s3_bot.messengers.http import Connections, sound_unicode
from trio_s3_bot.messengers.vk_advice import OPERATOR_NEEDED

API_VERSION = "5.199"
REQUESTS_PER_SECOND = 18  # VK takes 20 with a community's token

EDIT = "messages.edit"

Param = str | int | float

# The codes are those of VK's published schema (VKCOM/vk-api-schema, errors.json).
_TOKEN = frozenset({5, 27, 28, 1117, 3609, 3610})
_PASSING = frozenset({1, 3, 10, 32, 36, 43})  # 3, unknown method, is seen in outages; the methods used here are known
_CHAT_GONE = frozenset({18, 37, 104, 900, 901, 902, 917, 922, 925, 927, 932, 936, 945, 946, 950, 962, 987, 988, 1012})
_MESSAGE_GONE = frozenset({909, 920, 949})
_PAUSES = {6: 1, 9: 60, 29: 300}  # seconds to keep still; flood control and rate limits have no published length
_DENIED = frozenset({7, 15})
# The subcodes of 15 that are about the token, and the words that go with them.
_NO_SCOPE, _NO_SCOPE_TEXT = frozenset({1133, 1134}), "current scopes"

T = TypeVar("T")


class VkRefused(RequestRefused):
    """VK will never accept this request; `code` is its error code."""

    def __init__(self, said: str, code: int) -> None:
        self.code = code
        super().__init__(said)


class VError(msgspec.Struct):
    error_code: int
    error_subcode: int = 0
    error_msg: str = ""


class VAnswer(msgspec.Struct):
    """The envelope of every answer. The parameters that an error echoes are not read: secrets may be among them."""

    response: msgspec.Raw = msgspec.Raw()
    error: VError | None = None


class Pace:
    """
    `per_second` turns, evenly spaced; callers wait in the order in which they came.

    No bursts: what is sent together is delayed on its way, and then meets what was sent a second later.
    """

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._turn = trio.Lock()
        self._next = -math.inf

    async def turn(self) -> None:
        """Wait until it is this caller's turn."""
        async with self._turn:
            await trio.sleep_until(max(self._next, trio.current_time()))
            self._next = trio.current_time() + self._interval


class Api:
    """
    The methods of the API at the base URL of `connections`, which also bring the token along.

    `silence` is how many seconds VK may be silent before a call has failed.
    """

    def __init__(self, connections: Connections, silence: float) -> None:
        self._connections = connections
        self._silence = silence
        self._pace = Pace(REQUESTS_PER_SECOND)

    async def call(self, method: str, params: dict[str, Param], result: type[T]) -> T:
        """
        Call a method and decode its result.

        Raises what `error_of` makes of VK's error, and `Unavailable`.
        """
        form = {name: str(value) for name, value in params.items()} | {"v": API_VERSION}
        response = await self._connections.request(
            method, "POST", method, read=self._silence, form=form, turn=self._pace.turn
        )
        answer = decoded(method, response.status_code, response.content, VAnswer)
        error = answer.error
        if error is not None:
            raise error_of(method, error.error_code, error.error_msg, error.error_subcode)
        return decoded(method, response.status_code, bytes(answer.response), result)


def error_of(method: str, code: int, text: str, subcode: int = 0) -> MessengerError:
    """The error that a code of VK's means, by what there is to do about it."""
    said = f"{method}: {code} {text.removesuffix('.')}"  # part of a sentence
    if code in _TOKEN:
        return TokenRefused(said)
    if code in _DENIED and not _is_about_the_token(method, text, subcode):
        return MessageGone(said) if method == EDIT else VkRefused(said, code)
    if code in OPERATOR_NEEDED:
        return OperatorNeeded(said, *OPERATOR_NEEDED[code])
    if code in _PAUSES:
        return RetryAfter(said, _PAUSES[code])
    if code in _PASSING:
        return OutOfOrder(said)
    if code in _CHAT_GONE and method.startswith("messages."):
        return ChatUnreachable(said)
    if code in _MESSAGE_GONE and method == EDIT:
        return MessageGone(said)
    return VkRefused(said, code)


def _is_about_the_token(method: str, text: str, subcode: int) -> bool:
    """
    Whether "access denied" says that the token has lost a right.

    An edit is denied also when the message is gone or somebody else's. Of the settings, the checks know best.
    """
    if method == EDIT:
        return subcode in _NO_SCOPE or _NO_SCOPE_TEXT in text
    return method.startswith("messages.")


def decoded(method: str, status: int, content: bytes, type_: type[T]) -> T:
    """Read an answer; whatever has not VK's shape is a gateway's page, or an outage, and passes: `Unavailable`."""
    try:
        return msgspec.json.decode(sound_unicode(content), type=type_, strict=False)
    except msgspec.ValidationError as error:
        raise Unavailable(f"{method}: an answer of another shape than VK's: {error}") from None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Unavailable(f"{method}: HTTP {status} without JSON") from None
