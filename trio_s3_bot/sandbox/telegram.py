"""
A strict emulator of the Telegram Bot API on loopback.

    async with open_telegram() as telegram:
        alice = telegram.user("Alice", language="en")
        chat = telegram.private_chat(alice)
        chat.send_document(alice, "report.pdf", b"...")
        reply = await chat.wait_for("report.pdf")

It behaves as the published server does (tdlib/telegram-bot-api) where a bot can tell the difference.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .replies import CutBody, Delay, Fault, Faults, Html200, Html502, SlowBody, Status, WrongSize
from .serving import serving
from .telegram_chats import Chat, Press
from .telegram_replies import BadRequest, Conflict, Forbidden, ServerError, TooManyRequests, Unauthorized
from .telegram_room import Message, User
from .telegram_server import FILE_ROUTE, BotApi
from .telegram_world import Telegram
from .world import Call, Content

__all__ = [
    "FILE_ROUTE",
    "BadRequest",
    "Call",
    "Chat",
    "Conflict",
    "Content",
    "CutBody",
    "Delay",
    "Fault",
    "Faults",
    "Forbidden",
    "Html200",
    "Html502",
    "Message",
    "Press",
    "ServerError",
    "SlowBody",
    "Status",
    "Telegram",
    "TooManyRequests",
    "Unauthorized",
    "User",
    "WrongSize",
    "open_telegram",
]


@asynccontextmanager
async def open_telegram(token: str = "123456:sandbox") -> AsyncIterator[Telegram]:  # noqa: S107
    """Serve a Telegram with one bot, whose token is `token`, until the block ends."""
    telegram = Telegram(token)
    async with serving(BotApi(telegram)) as address:
        telegram.api_url = address
        yield telegram
