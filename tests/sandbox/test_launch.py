"""`run_bot.py --sandbox` as a person starts it: from anywhere, with whatever is set, and without a trace afterwards."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trio

PROJECT = Path(__file__).parents[2]
PATIENCE = 60
NOWHERE = "http://127.0.0.1:1"


@dataclass
class Started:
    """A running `run_bot.py --sandbox` and the address that it told."""

    process: trio.Process
    page: str
    said: bytes

    async def end(self, number: signal.Signals) -> int:
        """Send a signal, wait until nobody holds stderr any more, neither it nor its child; returns the exit code."""
        self.process.send_signal(number)
        assert self.process.stderr
        async for chunk in self.process.stderr:
            self.said += chunk
        return await self.process.wait()


@asynccontextmanager
async def started(
    folder: Path, *arguments: str, program: Path = PROJECT / "run_bot.py", variables: Mapping[str, str] = {}
) -> AsyncIterator[Started]:
    """Run it in `folder`, where it also keeps its temporary files, until it is ready; killed in the end."""
    process = await trio.lowlevel.open_process(
        [sys.executable, str(program), "--sandbox", *arguments],
        cwd=folder,
        env=environment(TMPDIR=str(folder), **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        with trio.fail_after(PATIENCE):
            yield await until_ready(process)
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


def environment(**changes: str) -> dict[str, str]:
    """This one, without what could help the program or stand in its way."""
    others = ("TRIO_S3_BOT_", "PYTHONPATH", "DISPLAY", "WAYLAND_DISPLAY")
    return {name: value for name, value in os.environ.items() if not name.startswith(others)} | changes


async def until_ready(process: trio.Process) -> Started:
    assert process.stdout
    assert process.stderr
    page = bytes(await process.stdout.receive_some()).decode().split()[-1]
    said = b""
    while not re.search(rb"] ready *\n", said):
        chunk = await process.stderr.receive_some()
        assert chunk, said.decode()
        said += chunk
    return Started(process, page, said)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)]
)
async def test_however_it_ends_no_process_and_no_file_is_left(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    async with started(tmp_path) as sandbox:
        assert os.listdir(tmp_path)
        assert await sandbox.end(number) == code
        assert b"Traceback" not in sandbox.said
        assert os.listdir(tmp_path) == []


async def test_it_runs_the_sandbox_beside_it_not_one_that_is_installed(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(PROJECT / "trio_s3_bot", copy / "trio_s3_bot")
    for name in ("run_bot.py", "config.ini"):
        shutil.copy(PROJECT / name, copy)
    index = copy / "trio_s3_bot" / "sandbox" / "page" / "index.html"
    index.write_text("the copy", encoding="utf-8")
    async with started(tmp_path, program=copy / "run_bot.py") as sandbox, httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(sandbox.page)).text == "the copy"


async def test_proxies_are_not_asked(tmp_path: Path) -> None:
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), NOWHERE) | {"no_proxy": "example.com"}
    async with started(tmp_path, variables=proxies) as sandbox:
        assert await sandbox.end(signal.SIGTERM) == 0


async def test_settings_for_the_real_world_stay_outside(tmp_path: Path) -> None:
    settings = {
        "telegram": {"api_url": NOWHERE, "local_root": "/nowhere", "local_server_root": "/nowhere"},
        "vk": {"api_url": NOWHERE, "token": "vk1.real", "group_id": "1"},
        "s3": {"endpoint_url": NOWHERE, "public_endpoint_url": NOWHERE},
        "access": {"allowed_users": "telegram:1"},
        "network": {"proxy": NOWHERE},
    }
    lines = [f"[{section}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) for section, keys in settings.items()]
    own = tmp_path / "own.ini"
    own.write_text("".join(lines), encoding="utf-8")
    async with started(tmp_path, "--config", str(own)) as sandbox:
        assert await sandbox.end(signal.SIGTERM) == 0


async def test_a_missing_package_is_named_with_what_installs_it(tmp_path: Path) -> None:
    (tmp_path / "starlette.py").write_text("raise ModuleNotFoundError(name='starlette')", encoding="utf-8")
    ended = await run("--sandbox", variables={"PYTHONPATH": str(tmp_path)})
    assert (ended.returncode, ended.stdout) == (2, b"")
    needs, failed = ended.stderr.decode().splitlines()
    assert "starlette" in needs
    assert "pip install -e '.[sandbox]'" in needs
    assert failed.startswith("run_bot.py: the sandbox did not start")


async def test_a_python_without_the_packages_is_named() -> None:
    ended = await run(python=("-S",))
    (line,) = ended.stderr.decode().splitlines()
    assert ended.returncode == 2
    assert sys.executable in line
    assert "README.md" in line


async def test_ctrl_c_before_anything_has_begun_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "trio.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    ended = await run(variables={"PYTHONPATH": str(tmp_path)})
    assert (ended.returncode, ended.stderr) == (130, b"")


async def run(
    *arguments: str, python: tuple[str, ...] = (), variables: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[bytes]:
    """Run the program to its end."""
    command = [sys.executable, *python, str(PROJECT / "run_bot.py"), *arguments]
    with trio.fail_after(PATIENCE):
        return await trio.run_process(
            command, env=environment(**variables), capture_stdout=True, capture_stderr=True, check=False
        )
