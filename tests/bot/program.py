"""`run_bot.py` as its operator starts it: a process of its own, configured by the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio

from tests.world import Settings

PROGRAM = Path(__file__).parents[2] / "run_bot.py"
NOT_INHERITED = ("TRIO_S3_BOT_", "AWS_", "PYTHON", "HTTP", "http", "ALL_", "all_", "NO_", "no_")


@dataclass(frozen=True)
class Ended:
    """A run that is over."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line on stderr that isn't news."""
        lines = [line for line in self.err.splitlines() if "[info " not in line]
        assert len(lines) == 1, self.err
        return lines[0]


async def run(settings: Settings, *arguments: str) -> Ended:
    """Run it until it ends by itself."""
    ended = await trio.run_process(
        _command(arguments), env=_environment(settings), check=False, capture_stdout=True, capture_stderr=True
    )
    return Ended(ended.returncode, (ended.stdout or b"").decode(), (ended.stderr or b"").decode())


class Program:
    """A run under way; what it says goes into files."""

    def __init__(self, process: trio.Process, folder: Path) -> None:
        self._process = process
        self._folder = folder

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def ended(self) -> Ended:
        """Wait for its end."""
        code = await self._process.wait()
        return Ended(code, (self._folder / "stdout").read_text(), (self._folder / "stderr").read_text())


@asynccontextmanager
async def running(settings: Settings, folder: Path, *arguments: str) -> AsyncIterator[Program]:
    """Run it while the block runs; what is left of it then is killed."""
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = await trio.lowlevel.open_process(
            _command(arguments), env=_environment(settings), stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
    try:
        yield Program(process, folder)
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, str(PROGRAM), *arguments]


def _environment(settings: Settings) -> Mapping[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    own = {f"TRIO_S3_BOT_{section}_{key}".upper(): value for (section, key), value in settings.items()}
    return {**inherited, **own}
