"""Start the sandbox as a child process, and tell a bot how to reach it. Imports none of what the sandbox is made of."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 10  # seconds that it may take to end


class SandboxFailed(Exception):
    """The sandbox did not start; the message says why, and it has said more on stderr."""


@dataclass(frozen=True, slots=True)
class Launched:
    """A running sandbox: the address of its chat page, and the settings (section, key) that lead a bot to it."""

    page_url: str
    settings: dict[tuple[str, str], str]


@contextmanager
def launched(*arguments: str) -> Iterator[Launched]:
    """Run the sandbox while the block runs. Raises `SandboxFailed`."""
    command = [sys.executable, "-m", "trio_s3_bot.sandbox", *arguments]
    # A process group of its own: Ctrl-C is for the bot, which ends the sandbox when it is done with it.
    with (
        tempfile.TemporaryDirectory(prefix="trio-s3-bot-") as folder,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            first_line = process.stdout.readline()
            if not first_line:
                raise SandboxFailed(_why(process.wait(PATIENCE)))
            yield _launched(json.loads(first_line), Path(folder))
        finally:
            process.stdin.close()
            _end(process)


def _launched(ready: dict[str, dict[str, Any]], folder: Path) -> Launched:
    settings = {(section, key): str(value) for section in ("telegram", "s3") for key, value in ready[section].items()}
    # Another world each time: what was unfinished in the last one doesn't exist in this one.
    return Launched(ready["page"]["url"], settings | {("state", "path"): str(folder / "bot.sqlite3")})


def _end(process: subprocess.Popen[str]) -> None:
    """It ends by itself when its standard input does; whatever hangs is killed."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def _why(code: int) -> str:
    return (
        f"the sandbox did not start (exit code {code}); if a module was missing, "
        "install what it needs: pip install -e '.[sandbox]'"
    )
