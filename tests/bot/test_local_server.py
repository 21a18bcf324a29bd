"""With a Bot API server of one's own, files come from its folder and may be larger than 20 MiB."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.talk import SAVED, meet
from tests.world import Settings, World
from trio_s3_bot.sandbox.telegram import Content


@pytest.fixture
def local(world: World, tmp_path: Path) -> Settings:
    """The emulator as a local server, whose folder the bot sees as well."""
    world.telegram.files.local_root = tmp_path / "server"
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
