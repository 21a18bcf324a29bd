"""A plain server, the proxy in front of it and a plain client, in a time that is enough for any of these tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

from trio_s3_bot.sandbox.faults import FaultProxy, open_fault_proxy

from .plain_http import Client, Server, connect, open_server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with open_server() as server:
        yield server


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[FaultProxy]:
    with trio.fail_after(20):
        async with open_fault_proxy(server.url) as proxy:
            yield proxy


@pytest.fixture
async def client(proxy: FaultProxy) -> AsyncIterator[Client]:
    async with connect(proxy.url) as client:
        yield client
