"""The answers of the Bot API: the JSON envelope, and the refusals it is known for. Texts are the real server's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .replies import Instead, Reply, json_reply


class Refusal(Exception):
    """The server refuses a call: `code` is the HTTP status too, `description` is given whole, with its prefix."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        self.code, self.description, self.parameters = code, description, parameters
        super().__init__(f"{code} {description}")

    def reply(self) -> Reply:
        return refused(self.code, self.description, self.parameters)


def bad_request(text: str, **parameters: int) -> Refusal:
    return Refusal(400, f"Bad Request: {text}", **parameters)


def too_many_requests(retry_after: int) -> Refusal:
    return Refusal(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


def succeeded(result: Any) -> Reply:
    return json_reply({"ok": True, "result": result})


def refused(code: int, description: str, parameters: Mapping[str, int] | None = None) -> Reply:
    """A refusal; 429 also says its pause in the HTTP header `Retry-After`."""
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = dict(parameters)
    headers = {"retry-after": str(parameters["retry_after"])} if parameters and "retry_after" in parameters else {}
    return json_reply(body, code, headers)


@dataclass(frozen=True)
class TooManyRequests(Instead):
    retry_after: int

    def reply(self) -> Reply:
        return too_many_requests(self.retry_after).reply()


@dataclass(frozen=True)
class BadRequest(Instead):
    """`text` comes without the prefix, such as `message is not modified: ...`."""

    text: str

    def reply(self) -> Reply:
        return bad_request(self.text).reply()


@dataclass(frozen=True)
class Forbidden(Instead):
    text: str = "bot was blocked by the user"

    def reply(self) -> Reply:
        return refused(403, f"Forbidden: {self.text}")


@dataclass(frozen=True)
class Conflict(Instead):
    text: str = "terminated by other getUpdates request; make sure that only one bot instance is running"

    def reply(self) -> Reply:
        return refused(409, f"Conflict: {self.text}")


@dataclass(frozen=True)
class Unauthorized(Instead):
    def reply(self) -> Reply:
        return refused(401, "Unauthorized")


@dataclass(frozen=True)
class ServerError(Instead):
    text: str = "restart"

    def reply(self) -> Reply:
        return refused(500, f"Internal Server Error: {self.text}")
