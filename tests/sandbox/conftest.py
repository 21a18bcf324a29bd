"""Served emulators of the Bot API and of VK, and plain HTTP clients to talk to them; time-bounded by the clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from trio_s3_bot.sandbox.telegram import Telegram, open_telegram
from trio_s3_bot.sandbox.vk import Vk, open_vk

from .vk_client import VkClient


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    """An emulator that must have had nothing to complain of; a test of a complaint clears it."""
    async with open_telegram() as telegram:
        yield telegram
        assert telegram.complaints == []


@pytest.fixture
async def http(telegram: Telegram) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose base is the bot's own address."""
    base = f"{telegram.api_url}/bot{telegram.token}/"
    async with httpx.AsyncClient(base_url=base, timeout=20, trust_env=False) as client:
        yield client


@pytest.fixture
async def call(http: httpx.AsyncClient) -> Callable[..., Awaitable[dict[str, Any]]]:
    """`await call("getMe")`: the decoded answer, whatever it says; its HTTP status must be the error code."""

    async def call(method: str, **params: Any) -> dict[str, Any]:
        response = await http.post(method, json=params)
        answer: dict[str, Any] = response.json()
        assert response.status_code == answer.get("error_code", 200)
        return answer

    return call


@pytest.fixture
async def vk() -> AsyncIterator[Vk]:
    """An emulator that must have had nothing to complain of; a test of a complaint clears it."""
    async with open_vk() as vk:
        yield vk
        assert vk.complaints == []


@pytest.fixture
async def client(vk: Vk) -> AsyncIterator[VkClient]:
    """A client of the API and of the long poll, with the community's token."""
    async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
        yield VkClient(vk, http)
