"""What a failed request to a messenger's API says: with which host, why, and not the token."""

from __future__ import annotations

import socket

import pytest
import trio

from trio_s3_bot.errors import Unavailable
from trio_s3_bot.messengers.http import open_connections

TOKEN = "123456:secret"  # noqa: S105


async def test_a_refused_connection_names_the_host_and_not_the_token() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unheard.getsockname()[1]}"
        said = await failure(f"http://{host}/bot{TOKEN}/")
    assert said.startswith(f"getMe: {host}: ")
    assert said.endswith("Connection refused")


async def test_a_name_that_does_not_exist_is_named() -> None:
    assert (await failure(f"http://nowhere.invalid/bot{TOKEN}/")).startswith("getMe: nowhere.invalid: ")


async def test_a_connection_that_is_cut_is_told_from_one_that_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hang_up, server)
            assert await failure(f"http://{host}/bot{TOKEN}/") == f"getMe: {host}: RemoteProtocolError"


async def hang_up(server: socket.socket) -> None:
    """Take one connection, read a request, and close without an answer."""
    connection, _ = await trio.socket.from_stdlib_socket(server).accept()
    async with trio.SocketStream(connection) as stream:
        await stream.receive_some()


async def failure(base_url: str) -> str:
    """The words of the error that a request to this address ends in."""
    async with open_connections(1, proxy=None, connect=10, base_url=base_url) as connections:
        with pytest.raises(Unavailable) as caught:
            await connections.request("getMe", "POST", "getMe", read=10)
    assert TOKEN not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)
