"""The sandbox as a process of its own: one line of JSON, then silence, and an end when it is time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import trio


@asynccontextmanager
async def sandbox(*arguments: str) -> AsyncIterator[tuple[trio.Process, dict[str, Any]]]:
    """A running sandbox and its first line; its input ends with the block, and if that doesn't end it, it is killed."""
    command = [sys.executable, "-m", "trio_s3_bot.sandbox", *arguments]
    pipe = subprocess.PIPE
    process = await trio.lowlevel.open_process(command, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        with trio.fail_after(60):
            yield process, json.loads(await first_line(process))
    finally:
        with trio.CancelScope(shield=True):
            assert process.stdin
            await process.stdin.aclose()
            with trio.move_on_after(10):
                await process.wait()
            if process.poll() is None:
                process.kill()
                await process.wait()


async def first_line(process: trio.Process) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        assert process.stdout
        chunk = await process.stdout.receive_some()
        assert chunk, "the sandbox ended without a word"
        line += chunk
    return line


async def rest_of(stream: trio.abc.ReceiveStream | None) -> bytes:
    assert stream
    return b"".join([bytes(chunk) async for chunk in stream])


async def test_the_first_line_says_where_everything_is() -> None:
    async with sandbox("--bucket", "mine") as (_, where), httpx.AsyncClient(trust_env=False) as client:
        telegram, s3 = where["telegram"], where["s3"]
        me = (await client.get(f"{telegram['api_url']}/bot{telegram['token']}/getMe")).json()
        assert me["result"]["is_bot"]
        vk = where["vk"]
        answer = await client.post(f"{vk['api_url']}/groups.getById", data={"v": "5.199", "access_token": vk["token"]})
        assert [group["id"] for group in answer.json()["response"]["groups"]] == [vk["group_id"]]
        assert s3.keys() == {"endpoint_url", "bucket", "aws_access_key_id", "aws_secret_access_key", "region"}
        assert s3["bucket"] == "mine"
        heads = [(await client.head(f"{s3['endpoint_url']}/{name}")).status_code for name in ("mine", "other")]
        assert heads == [200, 404]
        people = (await client.get(where["page"]["url"] + "people")).json()
        assert [(person["messenger"], person["language"]) for person in people] == [
            (messenger, language) for messenger in ("telegram", "vk") for language in ("en", "ru")
        ]


async def test_it_prints_nothing_else_and_ends_with_its_input() -> None:
    async with sandbox() as (process, where), httpx.AsyncClient(trust_env=False) as client:
        await client.get(f"{where['s3']['endpoint_url']}/files/none")
        await client.get(where["page"]["url"])
        assert process.stdin
        await process.stdin.aclose()
        assert (await process.wait(), await rest_of(process.stdout)) == (0, b"")
        assert await rest_of(process.stderr) == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_on_a_signal(number: signal.Signals) -> None:
    async with sandbox() as (process, _):
        process.send_signal(number)
        assert await process.wait() == 0
        assert await rest_of(process.stderr) == b""


async def test_it_ends_while_browsers_and_bots_wait_for_news() -> None:
    async with sandbox() as (process, where), httpx.AsyncClient(trust_env=False, timeout=60) as client:
        base, person = where["page"]["url"], (await client.get(where["page"]["url"] + "people")).json()[0]["id"]
        port = int(base.rstrip("/").rpartition(":")[2])
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(f"GET /events?person={person} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert await stream.receive_some()
            process.send_signal(signal.SIGTERM)
            with trio.fail_after(10):
                assert await process.wait() == 0
        assert await rest_of(process.stderr) == b""


async def test_large_files_are_served_when_asked_for() -> None:
    async with sandbox("--large-files") as (_, where), httpx.AsyncClient(trust_env=False, timeout=60) as client:
        page, api = where["page"]["url"], f"{where['telegram']['api_url']}/bot{where['telegram']['token']}"
        person = (await client.get(f"{page}people")).json()[0]["id"]
        query = {"person": person, "name": "large.bin"}
        headers = {"origin": page.rstrip("/")}
        await client.post(f"{page}send", params=query, content=b"x" * (21 * 2**20), headers=headers)
        update = (await client.get(f"{api}/getUpdates")).json()["result"][0]
        file_id = update["message"]["document"]["file_id"]
        assert (await client.get(f"{api}/getFile", params={"file_id": file_id})).json()["ok"]
