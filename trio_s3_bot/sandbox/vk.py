"""
A strict emulator of VK for a community's bot, on loopback: API, Bots Long Poll, documents.

    async with open_vk() as vk:
        alice = vk.user("Alice", language="en")
        chat = vk.private_chat(alice)
        chat.send_document(alice, "report.pdf", b"...")
        reply = await chat.wait_for("report.pdf")

It behaves as the documentation, the published schema and recordings of the real service say.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Mount

from .replies import CutBody, Delay, Fault, Faults, Html200, Html502, SlowBody, Status, WrongSize
from .serving import serving
from .vk_chats import Chat, Press
from .vk_replies import ApiError, ErrorPage, LongPollFailed, Response
from .vk_room import GROUP_PEERS, Message, User
from .vk_server import DOC_ROUTE, FILE_ROUTE, LONG_POLL, Storage, VkApi
from .vk_text import as_shown
from .vk_world import Vk
from .world import Call, Content

__all__ = [
    "DOC_ROUTE",
    "FILE_ROUTE",
    "GROUP_PEERS",
    "LONG_POLL",
    "ApiError",
    "Call",
    "Chat",
    "Content",
    "CutBody",
    "Delay",
    "ErrorPage",
    "Fault",
    "Faults",
    "Html200",
    "Html502",
    "LongPollFailed",
    "Message",
    "Press",
    "Response",
    "SlowBody",
    "Status",
    "User",
    "Vk",
    "WrongSize",
    "as_shown",
    "open_vk",
]


@asynccontextmanager
async def open_vk(token: str = "vk1.sandbox", group_id: int = 200_000_001) -> AsyncIterator[Vk]:  # noqa: S107
    """
    Serve a VK with one community, whose token is `token`, until the block ends.

    The API is at 127.0.0.1, the storage host at `localhost` and another port, so that they differ in both.
    """
    vk = Vk(token, group_id)
    async with (
        serving(Starlette(routes=[Mount("/", app=VkApi(vk))])) as address,
        serving(Starlette(routes=[Mount("/", app=Storage(vk))])) as storage,
    ):
        vk.api_url = f"{address}/method"
        vk.long_poll_url = f"{address}/whp/{group_id}"
        vk.docs.pages_url = address
        vk.docs.storage_url = storage.replace("127.0.0.1", "localhost")
        yield vk
