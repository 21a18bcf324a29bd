"""The bot as its operator runs it: `run_bot.py` in a process of its own, killed and started again on one state file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from trio_s3_bot.sandbox.serving import ungrouped

ROOT = Path(__file__).parents[2]
NOT_INHERITED = ("TRIO_S3_BOT_", "AWS_", "PYTHON")

Instant = Callable[[], Awaitable[object]]
"""Returns when it is time."""


class EndedByItself(Exception):
    """The program ended although nobody had asked it to."""


class Program:
    """
    The program with its settings, given as (section, key). `log` is the file that takes what all its runs say.

    `runs` counts how often it was started.
    """

    def __init__(self, settings: Mapping[tuple[str, str], str], log: Path) -> None:
        self.log = log
        self.runs = 0
        self._environment = _environment()
        for (section, key), value in settings.items():
            self.set(section, key, value)

    def set(self, section: str, key: str, value: str) -> None:
        """Change a setting for the runs to come."""
        self._environment[f"TRIO_S3_BOT_{section}_{key}".upper()] = value

    async def killed_at(self, instant: Instant) -> None:
        """Run it, and kill it with SIGKILL as soon as `instant()` returns."""
        async with self._running(instant) as process:
            process.kill()

    async def stopped_at(self, instant: Instant) -> int:
        """Run it, ask it to stop as soon as `instant()` returns, and give its exit code."""
        async with self._running(instant) as process:
            process.terminate()
            return await process.wait()

    def note(self, text: str) -> None:
        """Put a line of the test's own into the log."""
        with self.log.open("a") as log:
            log.write(f"--- {text}\n")

    @asynccontextmanager
    async def _running(self, instant: Instant) -> AsyncIterator[trio.Process]:
        """Start it and wait for the instant; the process is gone when the block ends, however that comes."""
        self.runs += 1
        self.note(f"run {self.runs}")
        with self.log.open("ab") as log:
            command = [sys.executable, str(ROOT / "run_bot.py")]
            process = await trio.lowlevel.open_process(
                command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            with ungrouped():
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_complain_when_ended, process)
                    await instant()
                    nursery.cancel_scope.cancel()
            yield process
        finally:
            with trio.CancelScope(shield=True):
                process.kill()
                await process.wait()


async def _complain_when_ended(process: trio.Process) -> None:
    code = await process.wait()
    raise EndedByItself(f"exit code {code}" if code >= 0 else signal.Signals(-code).name)


def _environment() -> dict[str, str]:
    """This process's environment without what would lead the program elsewhere."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(NOT_INHERITED) and not name.lower().endswith("_proxy")
    }
