"""What the operator sees of a start that comes to nothing: one line, without a traceback, and exit code 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import trio

from tests.world import World
from trio_s3_bot.sandbox.faults import (
    BAD_GATEWAY,
    S3_ACCESS_DENIED,
    Fault,
    Refused,
    Status,
    bot_api_error,
    open_fault_proxy,
)

PROGRAM = Path(__file__).parents[2] / "run_bot.py"
UNAUTHORIZED = bot_api_error(401, "Unauthorized")


@pytest.mark.parametrize(
    ("call", "fault", "words"),
    [
        ("getMe", UNAUTHORIZED, "the token is not accepted"),
        ("getMe", BAD_GATEWAY, "telegram can't be reached"),
        ("getMe", Refused(), "telegram can't be reached"),
        ("getMe", bot_api_error(403, "Forbidden"), "telegram refuses"),
        ("ListObjectsV2", S3_ACCESS_DENIED, "The access key may not list files"),
        ("ListObjectsV2", Status(503), "the S3 store can't be reached"),
    ],
)
async def test_a_start_that_fails_says_why_in_one_line(world: World, call: str, fault: Fault, words: str) -> None:
    async with open_fault_proxy(world.telegram.api_url) as telegram, open_fault_proxy(world.s3.endpoint_url) as store:
        (store if call == "ListObjectsV2" else telegram).add(fault, match=call, times=None)
        code, said = await run(world, {("telegram", "api_url"): telegram.url, ("s3", "endpoint_url"): store.url})
    lines = [line for line in said.splitlines() if "[info" not in line]
    assert (code, len(lines)) == (2, 1), said
    assert lines[0].startswith("run_bot.py: ")
    assert words in lines[0]
    assert world.telegram.token not in said


async def run(world: World, settings: Mapping[tuple[str, str], str]) -> tuple[int, str]:
    """Run the program to its end; returns its exit code and what it wrote on stderr."""
    own = {**world.settings, **settings}
    variables = {f"TRIO_S3_BOT_{section}_{key}".upper(): value for (section, key), value in own.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TRIO_S3_BOT_", "AWS_"))}
    ended = await trio.run_process(
        [sys.executable, str(PROGRAM)], env=inherited | variables, check=False, capture_stderr=True
    )
    assert ended.stderr is not None
    return ended.returncode, ended.stderr.decode()
