"""A browser on the chat page, as far as tests need one: what it posts, and what it would show."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import trio

from trio_s3_bot.sandbox.page import open_page
from trio_s3_bot.sandbox.page_desk import Desk
from trio_s3_bot.sandbox.s3 import S3, open_s3


@dataclass
class Page:
    """The served page with one person in it, and a client that behaves as a browser on it."""

    url: str
    person: str
    chat: Any
    s3: S3
    client: httpx.AsyncClient

    async def post(self, path: str, **values: Any) -> httpx.Response:
        return await self.client.post(path, json={"person": self.person, **values})

    async def send(self, content: Any, **query: str) -> httpx.Response:
        return await self.client.post("send", params={"person": self.person, **query}, content=content)


@asynccontextmanager
async def browsing(desk: Desk, person: str, chat: Any) -> AsyncIterator[Page]:
    """The page of one messenger beside an empty bucket, seen by one of its people."""
    async with open_s3(["files"]) as s3, open_page([desk], s3, "files") as url:
        origin = {"origin": url.rstrip("/")}
        async with httpx.AsyncClient(base_url=url, headers=origin, timeout=20, trust_env=False) as client:
            yield Page(url, f"{desk.messenger}:{person}", chat, s3, client)


@dataclass
class Screen:
    """What a browser would know from the events so far."""

    messages: dict[int, Any] = field(default_factory=dict)
    latest: dict[str, Any] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    shown: trio.Event = field(default_factory=trio.Event)

    def read(self, block: str) -> None:
        """Take in one event; what is none (the head of the answer, a comment) is passed over."""
        if block.startswith("event: "):
            name, _, data = block.removeprefix("event: ").partition("\ndata: ")
            self.apply(name, json.loads(data))

    def apply(self, name: str, data: Any) -> None:
        self.latest[name] = data
        if name == "messages":
            self.shown.set()
            self.sizes.append(len(data["changed"]))
            if data["reset"]:
                self.messages.clear()
            self.messages.update((bubble["id"], bubble) for bubble in data["changed"])
            for key in data["removed"]:
                del self.messages[key]


async def watch(page: Page, until: Callable[[Screen], object], screen: Screen | None = None) -> Screen:
    """Read the stream of events until the screen shows what is wanted."""
    screen = screen or Screen()
    port = int(page.url.rstrip("/").rpartition(":")[2])
    pending = b""
    with trio.fail_after(20):
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            # HTTP/1.0, because then the body is sent as it is, not in chunks.
            request = f"GET /events?person={page.person} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n"
            await stream.send_all(request.encode())
            while not until(screen):
                chunk = await stream.receive_some()
                assert chunk, "the stream ended"
                *blocks, pending = (pending + bytes(chunk)).split(b"\n\n")
                for block in blocks:
                    screen.read(block.decode())
    return screen
