"""
The HTTP faces of the emulator.

One address is api.vk.ru (`/method/<name>`), lp.vk.com (`/whp/<group>`) and vk.com (`/doc<owner>_<id>`) at once, as the
bot can't tell; the other one is the storage host that documents are redirected to.
"""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import trio
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from .replies import Reply, cancel_on_disconnect, json_reply
from .vk_docs import StoredDoc
from .vk_methods import METHODS, check_rights
from .vk_params import check_version, decode, read_params
from .vk_queue import WAIT_MAX
from .vk_replies import ErrorPage, Refusal, succeeded
from .vk_world import Vk
from .world import Call, Content

LONG_POLL = "a_check"
DOC_ROUTE = "doc"
FILE_ROUTE = "file"
"""The names of the long poll, of vk.com and of the storage host in the call log and in scripted faults."""

API_PATH = re.compile(r"/method/([^/]+)")
DOC_PATH = re.compile(r"/doc(-?\d+_\d+)")
BEARER = re.compile(r"Bearer (\S+)")
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
LONG_POLL_PARAMS = frozenset(("act", "key", "ts", "wait"))
GONE = {403: b"<h1>403 Forbidden</h1>", 404: b"<h1>404 Not Found</h1>", 410: b"<h1>410 Gone</h1>"}
NO_DOCUMENT = "Документ был удалён или ссылка на него устарела."


class Face:
    """
    What both addresses have in common.

    An error of the emulator itself becomes a complaint as well as a 500, so that no test passes over it.
    """

    def __init__(self, vk: Vk) -> None:
        self._vk = vk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self.answer(Request(scope, receive))
        except ClientDisconnect:
            return  # in the middle of its request; there is nobody to answer, and nothing was asked
        except Exception as error:
            self._vk.complain(f"the emulator failed: {error!r}")
            raise
        if reply:
            await reply(scope, receive, send)

    async def answer(self, request: Request) -> Reply | None:
        raise NotImplementedError

    async def _answered(self, call: Call, work: Callable[[], Awaitable[Reply]]) -> Reply:
        """The reply to a call, with the fault in its way that fits it."""
        reply = await self._vk.faults.answer(call, work)
        self._vk.calls.end(call, reply.status)
        return reply

    def _check_secrecy(self, request: Request) -> None:
        """Complain of a token where none is needed: it would be shown to another host."""
        if "authorization" in request.headers or self._vk.token in request.url.query:
            self._vk.complain(f"the token was sent to {request.url.path}")


class VkApi(Face):
    """The ASGI application of the API, the long poll and the pages of documents."""

    async def answer(self, request: Request) -> Reply | None:
        path = request.scope["path"]
        api, doc = API_PATH.fullmatch(path), DOC_PATH.fullmatch(path)
        if api and request.method in ("GET", "POST"):
            return await self._api(request, api[1])
        if path == f"/whp/{self._vk.group_id}" and request.method in ("GET", "POST"):
            return await self._long_poll(request)
        if doc and request.method in ("GET", "HEAD"):
            return await self._page(request, doc[1])
        return _plain(404)

    async def _api(self, request: Request, method: str) -> Reply:
        body = await request.body()
        raw = read_params(request.url.query, request.headers.get("content-type", ""), body, self._vk.complain)
        call = self._vk.calls.begin(method, {name: value for name, value in raw.items() if name != "access_token"})
        if "access_token=" in request.url.query:
            self._vk.complain(f"{method}: the token is in the address")
        bearer = BEARER.fullmatch(request.headers.get("authorization", ""))
        token = bearer[1] if bearer else raw.get("access_token", "")

        async def work() -> Reply:
            call.answer = await self._work(call, token, raw)
            return succeeded(call.answer)

        try:
            return await self._answered(call, work)
        except Refusal as error:
            self._vk.calls.end(call, 200)
            return error.reply(method, raw)

    async def _work(self, call: Call, token: str, raw: Mapping[str, str]) -> Any:
        """What a method call does and answers when nothing goes wrong on the way. Raises `Refusal`."""
        vk = self._vk
        if token != vk.token:
            raise Refusal(5, "invalid access_token (4)." if token else "no access_token passed.")
        if call.method not in METHODS:
            vk.complain(f"unknown method {call.method}, or one that isn't emulated")
            raise Refusal(3)
        check_version(raw, vk.complain)
        if vk.flood_limits:
            vk.limits.spend()
        call.params = decode(call.method, raw, vk.complain)
        check_rights(vk, call.method, call.params)
        return await METHODS[call.method](vk, call.params)

    async def _long_poll(self, request: Request) -> Reply | None:
        """One `a_check`; no reply when its caller hung up."""
        self._check_secrecy(request)
        body = await request.body()
        raw = read_params(request.url.query, request.headers.get("content-type", ""), body, self._vk.complain)
        call = self._vk.calls.begin(LONG_POLL, raw)

        async def work() -> Reply:
            call.answer = await self._checked(raw)
            return json_reply(call.answer)

        reply = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_on_disconnect, request.receive, nursery.cancel_scope)
            reply = await self._answered(call, work)
            nursery.cancel_scope.cancel()
        return reply

    async def _checked(self, raw: dict[str, str]) -> dict[str, Any]:
        wait = raw.get("wait", "")
        if raw.keys() != LONG_POLL_PARAMS or raw["act"] != LONG_POLL:
            self._vk.complain(f"a long poll takes act=a_check, key, ts and wait, not {sorted(raw)}")
        if not wait.isdecimal() or int(wait) > WAIT_MAX:
            self._vk.complain(f"a long poll waits for 0 to {WAIT_MAX} seconds, not {wait!r}")
        seconds = int(wait) if wait.isdecimal() else 0
        if not self._vk.settings.is_enabled:
            return {"failed": 2}
        return await self._vk.events.check(raw.get("key", ""), raw.get("ts", ""), seconds)

    async def _page(self, request: Request, file_id: str) -> Reply:
        """A document on vk.com: a redirect to the storage, its viewer, or an error page with status 200."""
        self._check_secrecy(request)
        query = dict(request.query_params)
        call = self._vk.calls.begin(DOC_ROUTE, {"file_id": file_id, **query})

        async def work() -> Reply:
            doc = self._vk.docs.by_page(file_id, query)
            if doc is None:
                return ErrorPage(NO_DOCUMENT).reply()
            link = self._vk.docs.storage_link(doc)
            if query.get("api") != "1" or query.get("no_preview") != "1":
                return _viewer(link)
            return Reply(302, Content.of(b""), {"location": link, "content-type": "text/html; charset=windows-1251"})

        return await self._answered(call, work)


class Storage(Face):
    """The ASGI application of the storage host."""

    async def answer(self, request: Request) -> Reply | None:
        if request.method not in ("GET", "HEAD"):
            return _plain(404)
        self._check_secrecy(request)
        wanted = request.headers.get("range")
        path, query = request.scope["path"], dict(request.query_params)
        call = self._vk.calls.begin(FILE_ROUTE, {"path": path, "range": wanted})

        async def work() -> Reply:
            doc = self._vk.docs.by_storage(path, query)
            return _plain(self._vk.docs.gone_status) if doc is None else self._content(doc, wanted)

        return await self._answered(call, work)

    def _content(self, doc: StoredDoc, wanted: str | None) -> Reply:
        """The bytes, or the part of them that a `Range` header wants (RFC 9110, section 14)."""
        guessed = mimetypes.guess_type(f"x.{doc.extension}")[0] or "application/octet-stream"
        whole = Reply(200, doc.content, {"content-type": guessed})
        if not self._vk.docs.honour_range:
            return whole
        return _ranged(replace(whole, headers={**whole.headers, "accept-ranges": "bytes"}), wanted)


def _ranged(whole: Reply, wanted: str | None) -> Reply:
    match, size = RANGE.fullmatch(wanted or ""), whole.body.size
    if match is None or match[0] == "bytes=-":
        return whole
    start = int(match[1]) if match[1] else max(0, size - int(match[2]))
    stop = min(int(match[2]) + 1, size) if match[1] and match[2] else size
    if start >= stop:
        return replace(whole, status=416, headers={**whole.headers, "content-range": f"bytes */{size}"}, stop=0)
    headers = {**whole.headers, "content-range": f"bytes {start}-{stop - 1}/{size}"}
    return replace(whole, status=206, headers=headers, start=start, stop=stop)


def _viewer(link: str) -> Reply:
    """The page that a browser shows for a document, with the link to its bytes inside."""
    shown = json.dumps(link).replace("/", "\\/")
    page = f'<!DOCTYPE html><title>ВКонтакте</title><script>var Doc = {{"docUrl":{shown}}}</script>'
    return Reply(200, Content.of(page.encode("windows-1251")), {"content-type": "text/html; charset=windows-1251"})


def _plain(status: int) -> Reply:
    return Reply(status, Content.of(GONE.get(status, b"")), {"content-type": "text/html"})
