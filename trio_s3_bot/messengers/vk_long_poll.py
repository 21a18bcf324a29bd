"""
The Bots Long Poll API: events since a `ts`, from a server that the API names together with a key to it.

`ts` is a cursor into a history that VK keeps for a while; nothing is confirmed or consumed. So a key that runs out,
which is routine, is renewed with the old `ts`: the one that comes with the new key would pass over what happened
meanwhile (dev.vk.com, "Bots Long Poll API").
"""

from __future__ import annotations

import msgspec
import structlog
import trio

from trio_s3_bot.errors import Unavailable
from trio_s3_bot.messengers.http import Connections
from trio_s3_bot.messengers.shapes import Discreet
from trio_s3_bot.messengers.vk_api import Api, decoded
from trio_s3_bot.patience import Pauses

TROUBLES = 3  # failed requests in a row after which another server is asked for
AGAIN = Pauses(1, 30)  # when the server has nothing but `failed` to say

log = structlog.get_logger()


class VServer(Discreet):
    """What `groups.getLongPollServer` gives."""

    key: str
    server: str
    ts: str | int


class VPolled(msgspec.Struct):
    """What the server answers to `a_check`; `ts` comes as a string or as a number."""

    ts: str | int | None = None
    updates: list[msgspec.Raw] = []
    failed: int = 0


class LongPoll:
    """The long poll of one community. The server waits `wait` seconds for events, and may be `late` seconds late."""

    def __init__(self, api: Api, connections: Connections, *, wait: int, late: float) -> None:
        self._api = api
        self._connections = connections
        self._wait = wait
        self._late = late
        self._server: VServer | None = None
        self._troubles = 0
        self._failures = 0

    async def find_server(self, group_id: int) -> str:
        """Ask for a key and a server; returns the `ts` of now."""
        self._server = await self._api.call("groups.getLongPollServer", {"group_id": group_id}, VServer)
        return str(self._server.ts)

    async def poll(self, group_id: int, ts: str | None) -> tuple[list[msgspec.Raw], str]:
        """
        Wait for events since `ts`; returns them and the `ts` to go on from.

        Without a `ts`, that of the server comes at once: once it is on record, not even a crash loses what comes after.
        Raises `Unavailable`, and what the API's calls raise.
        """
        if self._server is None:
            await self.find_server(group_id)
        if ts is None:
            assert self._server is not None
            return [], str(self._server.ts)
        answer = await self._check(ts)
        if not answer.failed and answer.ts is not None:
            self._failures = 0
            return answer.updates, str(answer.ts)
        return [], await self._recover(group_id, answer, ts)

    async def _check(self, ts: str) -> VPolled:
        try:
            answer = await self._ask(ts)
        except Unavailable:
            # Resets and timeouts are daily life and no reason for a new key; a server that is gone is one.
            self._troubles += 1
            if self._troubles >= TROUBLES:
                self._server, self._troubles = None, 0
            raise
        self._troubles = 0
        return answer

    async def _ask(self, ts: str) -> VPolled:
        assert self._server is not None
        query = {"act": "a_check", "key": self._server.key, "ts": ts, "wait": str(self._wait)}
        response = await self._connections.request(
            "a_check", "GET", self._server.server, read=self._wait + self._late, query=query
        )
        if response.status_code != 200:
            raise Unavailable(f"a_check: HTTP {response.status_code}")
        return decoded("a_check", response.status_code, response.content, VPolled)

    async def _recover(self, group_id: int, answer: VPolled, ts: str) -> str:
        """Do what `failed` asks for; returns the `ts` to go on from. Failures in a row are slowed down."""
        self._failures += 1
        if self._failures > 1:
            await trio.sleep(AGAIN.after(self._failures - 1))
        if answer.failed == 1 and answer.ts is not None:
            log.warning("VK's history of events has a gap: messages sent meanwhile are lost", messenger="vk")
            return str(answer.ts)
        if answer.failed in (1, 3):
            log.warning("VK has lost its history of events: messages sent meanwhile are lost", messenger="vk")
            return await self.find_server(group_id)
        self._server = None
        return ts
