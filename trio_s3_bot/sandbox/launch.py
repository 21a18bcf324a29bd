"""Start the sandbox as a child process, and tell a bot how to reach it. Imports none of what the sandbox is made of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 10  # seconds that it may take to end
BOT_SECTIONS = ("telegram", "vk", "s3", "state")


class SandboxFailed(Exception):
    """The sandbox did not start; the message says why, and it has said more on stderr."""


@dataclass(frozen=True, slots=True)
class Launched:
    """A running sandbox: the address of its chat page, and the settings (section, key) that lead a bot to it."""

    page_url: str
    settings: dict[tuple[str, str], str]


@contextmanager
def launched(*arguments: str) -> Iterator[Launched]:
    """Run the sandbox while the block runs; it also ends when this process does. Raises `SandboxFailed`."""
    command = [sys.executable, "-m", "trio_s3_bot.sandbox", *arguments]
    # A process group of its own: Ctrl-C is for the bot, which ends the sandbox when it is done with it.
    with subprocess.Popen(  # noqa: S603 - this interpreter, this package
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0, text=True, env=_environment()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            first_line = process.stdout.readline()
            if not first_line:
                raise SandboxFailed(_why(process.wait(PATIENCE)))
            yield _launched(json.loads(first_line))
        finally:
            process.stdin.close()
            _end(process)


def _environment() -> dict[str, str]:
    """Ours, and a child that finds this package where we did, whatever the working folder and installed or not."""
    folder = str(Path(__file__).resolve().parents[2])
    others = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([folder, others]) if others else folder}


def _launched(ready: dict[str, dict[str, Any]]) -> Launched:
    settings = {(section, key): str(value) for section in BOT_SECTIONS for key, value in ready[section].items()}
    return Launched(ready["page"]["url"], settings)


def _end(process: subprocess.Popen[str]) -> None:
    """It ends by itself when its standard input does; what hangs is killed."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def _why(code: int) -> str:
    return f"the sandbox did not start (exit code {code}); what it said about that stands above"
