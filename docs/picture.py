"""
Takes the pictures of the sandbox that README.md shows: `python docs/picture.py`, with playwright and a Chromium.

The real bot runs against the emulators; the last file comes slowly, so that its progress can be seen.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import trio
from playwright.sync_api import sync_playwright

from trio_s3_bot.base import Bot, BotConfig
from trio_s3_bot.config import load
from trio_s3_bot.sandbox.page import open_page
from trio_s3_bot.sandbox.s3 import S3, open_s3
from trio_s3_bot.sandbox.telegram import FILE_ROUTE, Content, SlowBody, Telegram, open_telegram
from trio_s3_bot.sandbox.telegram_desk import TelegramDesk

HERE = Path(__file__).parent
MIB = 2**20
WIDTH, HEIGHT = 1180, 960


async def main() -> None:
    """Have the conversation, and take the pictures in the middle of the last upload."""
    stop = trio.Event()
    with tempfile.TemporaryDirectory() as folder:
        async with open_telegram() as telegram, open_s3(["files"]) as s3:
            desk = TelegramDesk(telegram)
            alice, _ = desk.add_person("Alice", "en"), desk.add_person("Борис", "ru")
            async with open_page([desk], s3, "files") as url, trio.open_nursery() as nursery:
                await nursery.start(Bot(config(telegram, s3, folder)).run, stop)
                await converse(telegram, int(alice.id))
                await trio.to_thread.run_sync(take, url)
                stop.set()


def config(telegram: Telegram, s3: S3, folder: str) -> BotConfig:
    """The shipped settings, led to the emulators."""
    settings = {
        ("telegram", "token"): telegram.token,
        ("telegram", "api_url"): telegram.api_url,
        ("s3", "bucket"): "files",
        ("s3", "endpoint_url"): s3.endpoint_url,
        ("s3", "region"): s3.region,
        ("s3", "aws_access_key_id"): s3.access_key,
        ("s3", "aws_secret_access_key"): s3.secret_key,
        ("state", "path"): f"{folder}/bot.sqlite3",
        ("uploads", "progress_interval"): "1 s",
    }
    return load(HERE.parent / "config.ini", {}, settings)


async def converse(telegram: Telegram, person: int) -> None:
    """A greeting, one file that is saved, and one that is on its way."""
    chat = telegram.chats[person]
    (alice,) = chat.members
    chat.say(alice, "hello")
    await chat.wait_for("[greeting]")
    chat.send_document(alice, "Meeting notes.pdf", Content.generated(3 * MIB))
    await chat.wait_for("[document has been saved]")
    telegram.faults.add(method=FILE_ROUTE, answer=SlowBody(1.2 * MIB))
    chat.send_document(alice, "holiday.zip", Content.generated(19 * MIB))


def take(url: str) -> None:
    """One picture for light and one for dark pages, when more than half of the file is there."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"))
        light = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        dark = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark")
        for page in (light, dark):
            page.goto(url)
        for scheme, page in (("light", light), ("dark", dark)):
            page.get_by_text(re.compile(r"[5-9]\d ?%")).wait_for()
            page.screenshot(path=HERE / f"sandbox-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    trio.run(main)
