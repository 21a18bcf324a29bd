"""With a Bot API server of one's own, files come from its folder and may be larger than 20 MiB."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.bot.talk import SAVED, meet
from tests.world import Settings, World
from trio_s3_bot.base import Bot
from trio_s3_bot.errors import OperatorNeeded
from trio_s3_bot.model import Source
from trio_s3_bot.sandbox.replies import Status
from trio_s3_bot.sandbox.telegram import Content
from trio_s3_bot.source import Pools, Reader


@pytest.fixture
def local(world: World, tmp_path: Path) -> Settings:
    """The emulator as a local server, whose folder the bot sees as well."""
    world.telegram.files.local_root = tmp_path / "server"
    world.telegram.files.local_root.mkdir()
    world.telegram.files.cloud_limit = None
    return {("telegram", "local_root"): str(tmp_path / "server")}


async def test_a_file_over_20_mib_is_read_from_the_servers_folder(world: World, local: Settings) -> None:
    content = Content.generated(25 * 2**20)
    async with world.bot(local):
        alice, chat = meet(world)
        chat.send_document(alice, "film.mkv", content)
        await chat.wait_for(SAVED)
    assert world.s3.content("files", "film.mkv").sha256() == content.sha256()
    assert world.telegram.calls("file") == []


async def test_the_servers_folder_may_be_mounted_elsewhere(world: World, tmp_path: Path) -> None:
    world.telegram.files.local_root = tmp_path / "as-the-server-sees-it"
    world.telegram.files.local_root.mkdir()
    (tmp_path / "as-the-bot-sees-it").symlink_to(world.telegram.files.local_root)
    settings = {
        ("telegram", "local_root"): str(tmp_path / "as-the-bot-sees-it"),
        ("telegram", "local_server_root"): str(world.telegram.files.local_root),
    }
    async with world.bot(settings):
        alice, chat = meet(world)
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
    assert world.content("report.pdf") == b"content"


async def test_documents_wait_until_the_operator_has_said_where_the_folder_is(world: World, local: Settings) -> None:
    alice, chat = meet(world)
    with capture_logs() as logs:
        async with world.bot({("stop", "grace_period"): "0 s"}) as bot:
            chat.send_document(alice, "report.pdf", b"content")
            await world.telegram.wait(lambda: world.telegram.calls("getFile") or None)
            await chat.wait_for("[document] report.pdf")
            bot.stop.set()
    async with world.bot(local):
        await chat.wait_for(SAVED)
    assert world.content("report.pdf") == b"content"
    assert all("local_root" in line["error"] for line in logs if "error" in line)


async def test_a_folder_that_is_not_there_fails_the_check(world: World, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    findings = await Bot(world.config({("telegram", "local_root"): str(missing)})).check()
    (failed,) = [finding for finding in findings if finding.good is False]
    assert failed.what == "telegram: local_root"
    assert str(missing) in failed.detail


async def test_the_servers_own_wrong_api_id_is_not_taken_for_a_wrong_token(world: World, local: Settings) -> None:
    refused = b'{"ok":false,"error_code":401,"description":"Unauthorized: invalid api-id/api-hash"}'
    world.telegram.faults.add(method="getMe", answer=Status(401, refused))
    findings = await Bot(world.config(local)).check()
    (failed,) = [finding for finding in findings if finding.good is False]
    assert "Correct --api-id and --api-hash of your Bot API server." in failed.detail
    assert "token" not in failed.detail


def test_a_file_that_may_not_be_read_is_the_operators_business(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    pools = Pools(None, 1)
    with closing(pools), as_somebody_else(file), pytest.raises(OperatorNeeded, match="Permission denied"):
        Reader(Source(path=str(file)), pools).go_to(0)


@contextmanager
def as_somebody_else(file: Path) -> Iterator[None]:
    """Who may not read a file; root, who may read all, becomes another user."""
    if os.geteuid() != 0:
        file.chmod(0)
        yield
        return
    file.chmod(0o600)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_path_outside_the_folder_is_not_read(world: World, local: Settings, tmp_path: Path) -> None:
    """The server is told to keep its files elsewhere than the operator said: none of them may be opened."""
    world.telegram.files.local_root = tmp_path / "elsewhere"
    async with world.bot(local):
        alice, chat = meet(world)
        chat.send_document(alice, "passwd", b"secret")
        await chat.wait_for("passwd could not be saved.")
    assert world.objects == {}


async def test_a_link_that_leads_out_of_the_folder_is_not_followed(
    world: World, local: Settings, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "server").rmdir()
    (tmp_path / "server").symlink_to(outside)
    settings = {**local, ("telegram", "local_root"): str(tmp_path / "inside")}
    (tmp_path / "inside").mkdir()
    settings[("telegram", "local_server_root")] = str(tmp_path)
    (tmp_path / "inside" / "server").symlink_to(outside)
    async with world.bot(settings):
        alice, chat = meet(world)
        chat.send_document(alice, "passwd", b"secret")
        await chat.wait_for("passwd could not be saved.")
    assert world.objects == {}
