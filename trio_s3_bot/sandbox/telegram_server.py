"""The HTTP face of the emulator: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import trio
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from .replies import Reply, cancel_on_disconnect
from .telegram_methods import METHODS
from .telegram_params import NAMES, decode, read_params
from .telegram_replies import Refusal, refused, succeeded
from .telegram_world import Telegram
from .world import Call

FILE_ROUTE = "file"
"""The name of the file route in the call log and in scripted faults."""

API_PATH = re.compile(r"/bot([^/]+)/([^/]+)")
FILE_PATH = re.compile(r"/file/bot([^/]+)/(.+)")
TOKEN = re.compile(r"[1-9]\d{0,16}:[\w-]{1,60}")
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class BotApi:
    """
    The ASGI application of one bot's API.

    An error of the emulator itself becomes a complaint as well as a 500, so that no test passes over it.
    """

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        api, file = API_PATH.fullmatch(scope["path"]), FILE_PATH.fullmatch(scope["path"])
        try:
            if api and request.method in ("GET", "POST"):
                reply = await self._api(request, *api.groups())
            elif file and request.method in ("GET", "HEAD"):
                reply = await self._file(request, *file.groups())
            else:
                reply = refused(404, "Not Found")
        except ClientDisconnect:
            return  # in the middle of its request; there is nobody to answer, and nothing was asked
        except Exception as error:
            self._telegram.complain(f"the emulator failed: {error!r}")
            raise
        if reply:
            await reply(scope, receive, send)

    async def _api(self, request: Request, token: str, name: str) -> Reply | None:
        """One method call; no reply for a long poll whose caller hung up."""
        body = await request.body()
        method = NAMES.get(name.lower(), name)
        call = self._telegram.calls.begin(method, {})
        try:
            raw = read_params(request.url.query, request.headers.get("content-type", ""), body)
        except Refusal as error:
            return self._ended(call, error.reply())
        call.params = raw

        async def work() -> Reply:
            return await self._work(call, token, raw, typed=body[:1] == b"{")

        if method == "getUpdates":
            return await self._until_gone(request, call, work)
        return self._ended(call, await self._telegram.faults.answer(call, work))

    async def _work(self, call: Call, token: str, raw: Mapping[str, Any], *, typed: bool) -> Reply:
        """What a method call does and answers when nothing goes wrong on the way."""
        refusal = self._refused(token)
        if refusal:
            return refusal
        if call.method not in METHODS:
            self._telegram.complain(f"unknown method {call.method}")
            return refused(404, "Not Found: method not found")
        try:
            call.params = decode(call.method, raw, self._telegram.complain, typed=typed)
            call.answer = await METHODS[call.method](self._telegram, call.params)
        except Refusal as error:
            return error.reply()
        return succeeded(call.answer)

    async def _until_gone(self, request: Request, call: Call, work: Callable[[], Awaitable[Reply]]) -> Reply | None:
        reply = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_on_disconnect, request.receive, nursery.cancel_scope)
            reply = self._ended(call, await self._telegram.faults.answer(call, work))
            nursery.cancel_scope.cancel()
        return reply

    async def _file(self, request: Request, token: str, path: str) -> Reply:
        wanted = request.headers.get("range")
        call = self._telegram.calls.begin(FILE_ROUTE, {"path": path, "range": wanted})

        async def work() -> Reply:
            return self._refused(token) or self._content(path, wanted)

        return self._ended(call, await self._telegram.faults.answer(call, work))

    def _content(self, path: str, wanted: str | None) -> Reply:
        """The bytes at a path, or the part of them that a `Range` header wants (RFC 9110, section 14)."""
        stored = self._telegram.files.at(path)
        if stored is None:
            return refused(404, "Not Found")
        headers = {"content-type": "application/octet-stream"}
        size = stored.content.size
        if not self._telegram.files.honour_range:
            return Reply(200, stored.content, headers)
        headers["accept-ranges"] = "bytes"
        match = RANGE.fullmatch(wanted or "")
        if match is None or match[0] == "bytes=-":
            return Reply(200, stored.content, headers)
        start = int(match[1]) if match[1] else max(0, size - int(match[2]))
        stop = min(int(match[2]) + 1, size) if match[1] and match[2] else size
        if start >= stop:
            return Reply(416, stored.content, {**headers, "content-range": f"bytes */{size}"}, stop=0)
        headers["content-range"] = f"bytes {start}-{stop - 1}/{size}"
        return Reply(206, stored.content, headers, start=start, stop=stop)

    def _refused(self, token: str) -> Reply | None:
        """The cloud's front end answers a malformed token with 404, a local server with 401."""
        if token == self._telegram.token:
            return None
        if TOKEN.fullmatch(token):
            return refused(401, "Unauthorized")
        local = self._telegram.cloud_limit is None or self._telegram.local_root is not None
        return refused(401, "Unauthorized: invalid token specified") if local else refused(404, "Not Found")

    def _ended(self, call: Call, reply: Reply) -> Reply:
        self._telegram.calls.end(call, reply.status)
        return reply
