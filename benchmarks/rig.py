"""What the benchmarks share: the bot as a process of its own, servers to work with, looks at /proc."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from trio_s3_bot.sandbox.telegram import Telegram

HERE = Path(__file__).parent
MIB = 2**20
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def served_by(script: str, *arguments: str) -> Iterator[tuple[str, int]]:
    """Run one of the servers in this folder; gives its address and its process id."""
    command = [sys.executable, str(HERE / script), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdin
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}", server.pid
        finally:
            server.stdin.close()
            server.wait(10)


@asynccontextmanager
async def running_bot(telegram: Telegram, endpoint_url: str, settings: Mapping[str, str] = {}) -> AsyncIterator[int]:
    """
    The bot as an operator runs it, polling `telegram` and saving to `endpoint_url`; gives its process id.

    `settings` are changed by their environment variables, named without the prefix: `UPLOADS_PART_SIZE`.
    """
    with TemporaryDirectory() as folder:
        own = {
            "TELEGRAM_API_URL": telegram.api_url,
            "TELEGRAM_TOKEN": telegram.token,
            "S3_BUCKET": "files",
            "S3_ENDPOINT_URL": endpoint_url,
            "S3_REGION": "us-east-1",
            "S3_AWS_ACCESS_KEY_ID": "benchmark",
            "S3_AWS_SECRET_ACCESS_KEY": "benchmark",
            "STATE_PATH": f"{folder}/bot.sqlite3",
            "LOG_LEVEL": "ERROR",
        }
        variables = {f"TRIO_S3_BOT_{name}": value for name, value in {**own, **settings}.items()}
        async with _polling(telegram, [str(HERE.parent / "run_bot.py")], variables) as process:
            yield process.pid
            process.terminate()
            assert await process.wait() == 0


@asynccontextmanager
async def running_peer(telegram: Telegram, endpoint_url: str) -> AsyncIterator[int]:
    """The bot of an afternoon, in the same place."""
    command = [str(HERE / "afternoon.py"), telegram.api_url, telegram.token, endpoint_url]
    async with _polling(telegram, command, {}) as process:
        yield process.pid


@asynccontextmanager
async def _polling(telegram: Telegram, command: list[str], variables: Mapping[str, str]) -> AsyncIterator[trio.Process]:
    """A process, once it polls."""
    process = await trio.lowlevel.open_process(
        [sys.executable, *command], stdin=subprocess.PIPE, env={**os.environ, **variables}
    )
    try:
        await telegram.wait(lambda: telegram.polled)
        yield process
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


def peak_memory(pid: int) -> int:
    """The most memory that a process ever had resident, in bytes (VmHWM in proc_pid_status(5))."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process (fields 14 and 15 in proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
