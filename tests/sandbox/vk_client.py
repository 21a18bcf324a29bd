"""A plain client of VK's API and long poll, as simple as a test needs it."""

from __future__ import annotations

import json
from typing import Any

import httpx

from trio_s3_bot.sandbox.vk import Vk


class VkClient:
    """Calls methods with the community's token, and polls from a `ts` that it keeps."""

    def __init__(self, vk: Vk, http: httpx.AsyncClient) -> None:
        self.vk, self.http = vk, http
        self.server = self.key = self.ts = ""

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The decoded answer, whatever it says: its HTTP status is 200 in any case."""
        headers = {"authorization": f"Bearer {self.vk.token}"}
        form = {"v": "5.199"} | {name: _encoded(value) for name, value in params.items()}
        response = await self.http.post(f"{self.vk.api_url}/{method}", data=form, headers=headers)
        answer: dict[str, Any] = response.json()
        assert response.status_code == 200
        assert len(answer) == 1
        return answer

    async def result(self, method: str, **params: Any) -> Any:
        """The result of a call that has to succeed."""
        answer = await self.call(method, **params)
        return answer["response"]

    async def error(self, method: str, **params: Any) -> tuple[int, str]:
        """The code and the text of a call that has to be refused."""
        answer = await self.call(method, **params)
        return answer["error"]["error_code"], answer["error"]["error_msg"]

    async def connect(self, *, keep_ts: bool = False) -> None:
        """Ask for a key and a server, and for a `ts` to begin with."""
        session = await self.result("groups.getLongPollServer", group_id=self.vk.group_id)
        self.server, self.key = session["server"], session["key"]
        self.ts = self.ts if keep_ts else session["ts"]

    async def check(self, **changed: Any) -> dict[str, Any]:
        """One poll from where the last `events` ended, its parameters changed as told."""
        params = {"act": "a_check", "key": self.key, "ts": self.ts, "wait": 25, **changed}
        response = await self.http.get(self.server, params=params)
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        return answer

    async def events(self) -> list[dict[str, Any]]:
        """What there is to fetch now; it is not fetched again."""
        answer = await self.check(wait=0)
        self.ts = answer["ts"]
        updates: list[dict[str, Any]] = answer["updates"]
        return updates

    async def newest(self) -> Any:
        """The object of the newest event."""
        return (await self.events())[-1]["object"]


def _encoded(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(int(value)) if isinstance(value, bool) else str(value)
