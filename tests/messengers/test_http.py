"""The connections that both messengers' APIs are called over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.sides import Side
from trio_s3_bot.errors import Unavailable
from trio_s3_bot.messengers.http import Connections, open_connections
from trio_s3_bot.sandbox.world import Changes

SECRET = "secret"  # noqa: S105 (made up)


# A socket whose TLS handshake is cancelled is left to the garbage collector by httpcore.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_cancelled_requests_leave_no_connection_occupied(vk: Side) -> None:
    """httpcore 1.0.9 gives the one that waits the connection of the one that dies, and loses it if both die at once."""
    greetings, listeners = Changes(), await trio.open_tcp_listeners(0, host="127.0.0.1")
    mute = f"https://127.0.0.1:{listeners[0].socket.getsockname()[1]}"

    async def take_a_greeting(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        greetings.announce()
        await trio.sleep_forever()

    async with trio.open_nursery() as server, open_connections(1, proxy=None, connect=5) as connections:
        server.start_soon(trio.serve_listeners, take_a_greeting, listeners)
        for number in range(12):  # which of the two dies first is up to chance
            async with trio.open_nursery() as nursery:
                for _ in range(2):
                    nursery.start_soon(partial(connections.request, "question", "GET", mute, read=5))
                await greetings.after(number)
                await wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
        response = await connections.request("question", "GET", vk.world.api_url, read=5)
        server.cancel_scope.cancel()
    assert response.status_code == 404


class Trickle(httpx.AsyncBaseTransport):
    """A server that never falls silent and never comes to an end."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async def body() -> AsyncIterator[bytes]:
            while True:
                await trio.sleep(1)
                yield b" "

        return httpx.Response(200, content=body(), request=request)


async def test_an_answer_that_trickles_in_without_end_is_given_up(autojump_clock: MockClock) -> None:  # noqa: ARG001
    start = trio.current_time()
    async with httpx.AsyncClient(transport=Trickle()) as client:
        with pytest.raises(Unavailable, match=r"^poll: no answer in time$"):
            await Connections(client, 1, 10).request("poll", "GET", f"http://server/{SECRET}", read=15)
    assert trio.current_time() - start == pytest.approx(25)


@pytest.mark.parametrize(
    "url", [f"{SECRET}", f"lp.vk.com/{SECRET}", f"http://host:port/{SECRET}", f"gopher://host/{SECRET}", ""]
)
async def test_an_address_that_is_none_is_an_outage_and_is_not_shown(url: str) -> None:
    """The long poll's server is whatever VK says it is."""
    async with open_connections(1, proxy=None, connect=5) as connections:
        with pytest.raises(Unavailable) as caught:
            await connections.request("poll", "GET", url, read=5, query={"key": SECRET})
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
