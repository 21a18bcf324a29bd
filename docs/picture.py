"""
Takes the pictures that README.md shows: `python docs/picture.py`, with playwright, pillow and a Chromium.

The real bot runs against the emulators; somebody writes, sends files and presses buttons on the sandbox's page. Each
scene is a bot and a page of its own. `python docs/picture.py rename` takes the pictures of that one only.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trio
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from trio_s3_bot.base import Bot, BotConfig
from trio_s3_bot.config import load
from trio_s3_bot.sandbox.page import open_page
from trio_s3_bot.sandbox.s3 import S3, open_s3
from trio_s3_bot.sandbox.telegram import FILE_ROUTE, SlowBody, Telegram, open_telegram
from trio_s3_bot.sandbox.telegram_desk import TelegramDesk
from trio_s3_bot.sandbox.vk import FILE_ROUTE as VK_FILE_ROUTE
from trio_s3_bot.sandbox.vk import Vk, open_vk
from trio_s3_bot.sandbox.vk_desk import VkDesk

HERE = Path(__file__).parent
MIB = 2**20
OVERVIEW = {"width": 1180, "height": 960}
HEIGHT = 1600  # of a page whose newest messages are shown
MARGIN = 10  # pixels around the messages of a picture
COLOURS = 256  # of a picture, as many as a palette can have
SCHEMES = ("light", "dark")
PATIENCE = 120_000  # ms that anything may take on a busy machine
SETTLED = 1500  # ms in which what has been said has been answered, too


@dataclass(frozen=True)
class Scene:
    """
    What is done on the page, and what is shown of it: the whole page, or its newest messages.

    A `width` (in pixels) under 780 makes the page show the chat alone.
    """

    play: Callable[[Visitor], None]
    person: str = "Alice"
    width: int = 500
    whole_page: bool = False


class Visitor:
    """Somebody who sits at the sandbox's page, with the dark one beside it; `slowly` makes the next files come so."""

    def __init__(self, pages: dict[str, Page], person: str, slowly: Callable[[float], None]) -> None:
        self.pages = pages
        self.page = pages["light"]
        self.slowly = slowly
        self.first = 0
        for page in pages.values():
            # In a narrow window the people are in a drawer.
            page.locator(".person", has_text=person).dispatch_event("click")
            page.locator(".person[aria-pressed=true]", has_text=person).wait_for(state="attached")
        self.page.wait_for_timeout(SETTLED)

    def say(self, text: str) -> None:
        self.page.fill("#text", text)
        self.page.press("#text", "Enter")

    def send(self, *files: tuple[str, float]) -> None:
        """Send files of so many MiB, at once."""
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder, name) for name, _ in files]
            for path, (_, mib) in zip(paths, files, strict=True):
                path.write_bytes(os.urandom(round(mib * MIB)))
            self.page.set_input_files("#picker", paths)
            self.say("")
            self.page.locator("#tray").wait_for(state="hidden")

    def press(self, label: str) -> None:
        """Press the newest button that says so."""
        self.page.locator(".log .key", has_text=label).last.click()

    def reads(self, text: str | re.Pattern[str]) -> None:
        """Wait until the bot says so, on both pages."""
        for page in self.pages.values():
            page.locator(".theirs .text", has_text=text).last.wait_for()
        self.page.wait_for_timeout(300)  # the messages come in gently

    def begin_here(self) -> None:
        """Leave what was said so far out of the picture."""
        self.first = len(said(self.page))


def said(page: Page) -> list[Locator]:
    return page.locator(".log > li[id]").all()


def overview(alice: Visitor) -> None:
    """A greeting, one file that is saved, and one that is on its way."""
    alice.say("hello")
    alice.reads("[greeting]")
    alice.send(("Meeting notes.pdf", 3))
    alice.reads("[document has been saved]")
    alice.slowly(1.2 * MIB)
    alice.send(("holiday.zip", 19))
    alice.reads(re.compile(r"[5-9]\d ?%"))


def rename(alice: Visitor) -> None:
    alice.say("hello")
    alice.reads("[greeting]")
    alice.begin_here()
    alice.send(("scan0042.pdf", 1.4))
    alice.reads("[document has been saved]")
    alice.press("Rename")
    alice.reads("What shall scan0042.pdf be called?")
    alice.say("Contract 2025")
    alice.reads("is called Contract 2025.pdf now")


def files(alice: Visitor) -> None:
    """The list, one of its files, and a link to it."""
    names = ("Contract.pdf", "report 2024.pdf", "report 2025.pdf", "holiday.zip", "Meeting notes.docx")
    for number, name in enumerate(names):
        alice.send((name, 0.4 + number * 0.7))
        alice.reads(f"[document has been saved] {name}")
    alice.begin_here()
    alice.say("/list")
    alice.reads("Your saved files")
    alice.say("/list report")
    alice.reads("in their name")
    alice.press("2")
    alice.reads(re.compile("report 2024.pdf\\s.*, saved"))


def album(alice: Visitor) -> None:
    """Several files sent together, while they are on their way."""
    alice.say("hello")
    alice.reads("[greeting]")
    alice.begin_here()
    for _ in range(3):
        alice.slowly(1.5 * MIB)
    alice.send(("track 1.flac", 12), ("track 2.flac", 15), ("track 3.flac", 18), ("cover.png", 0.6))
    alice.reads(re.compile(r"\d\d ?%.*\s.*\d\d ?%.*\s.*\d\d ?%.*\s.*: saved"))


def russian(darya: Visitor) -> None:
    """In VK, in Russian: typed words in place of commands."""
    darya.say("привет")
    darya.reads("[greeting]")
    darya.send(("Смета.xlsx", 0.3))
    darya.reads("[document has been saved]")
    darya.press("Переименовать")
    darya.reads("Как назвать Смета.xlsx?")
    darya.say("Смета на ремонт")
    darya.reads("теперь называется")
    darya.say("список")
    darya.reads("Сохранённые файлы")


SCENES = {
    "sandbox": Scene(overview, whole_page=True),
    "rename": Scene(rename),
    "files": Scene(files),
    "album": Scene(album),
    "vk-russian": Scene(russian, person="Дарья"),
}


async def main() -> None:
    for name in sys.argv[1:] or SCENES:
        await take(name, SCENES[name])


async def take(name: str, scene: Scene) -> None:
    """Play a scene with a bot of its own, and take its pictures."""
    stop = trio.Event()
    with tempfile.TemporaryDirectory() as folder:
        async with open_telegram() as telegram, open_vk() as vk, open_s3(["files"]) as s3:
            desks = (TelegramDesk(telegram), VkDesk(vk))
            for desk, person, language in (
                (0, "Alice", "en"),
                (0, "Борис", "ru"),
                (1, "Chloé", "en"),
                (1, "Дарья", "ru"),
            ):
                desks[desk].add_person(person, language)

            def slowly(bytes_per_second: float) -> None:
                trio.from_thread.run_sync(make_slow, telegram, vk, bytes_per_second)

            async with open_page(desks, s3, "files") as url, trio.open_nursery() as nursery:
                await nursery.start(Bot(config(telegram, vk, s3, folder)).run, stop)
                await trio.to_thread.run_sync(photograph, url, name, scene, slowly)
                stop.set()


def config(telegram: Telegram, vk: Vk, s3: S3, folder: str) -> BotConfig:
    """The shipped settings, led to the emulators."""
    settings = {
        ("telegram", "token"): telegram.token,
        ("telegram", "api_url"): telegram.api_url,
        ("vk", "token"): vk.token,
        ("vk", "api_url"): vk.api_url,
        ("s3", "bucket"): "files",
        ("s3", "endpoint_url"): s3.endpoint_url,
        ("s3", "region"): s3.region,
        ("s3", "aws_access_key_id"): s3.access_key,
        ("s3", "aws_secret_access_key"): s3.secret_key,
        ("state", "path"): f"{folder}/bot.sqlite3",
        ("uploads", "progress_interval"): "1 s",
    }
    return load(HERE.parent / "config.ini", {}, settings)


def make_slow(telegram: Telegram, vk: Vk, bytes_per_second: float) -> None:
    """Let one more file come slowly."""
    telegram.faults.add(method=FILE_ROUTE, answer=SlowBody(bytes_per_second))
    vk.faults.add(method=VK_FILE_ROUTE, answer=SlowBody(bytes_per_second))


def photograph(url: str, name: str, scene: Scene, slowly: Callable[[float], None]) -> None:
    """Play a scene, and keep how it looks in the end: once for light and once for dark pages."""
    with chromium() as browser:
        size = OVERVIEW if scene.whole_page else {"width": scene.width, "height": HEIGHT}
        pages = {scheme: browser.new_page(viewport=size, color_scheme=scheme) for scheme in SCHEMES}
        for page in pages.values():
            page.set_default_timeout(PATIENCE)
            page.goto(url)
        visitor = Visitor(pages, scene.person, slowly)
        scene.play(visitor)
        for scheme, page in pages.items():
            picture = page.screenshot() if scene.whole_page else of_messages(page, visitor.first, scene.width)
            keep(picture, HERE / f"{name}-{scheme}.png")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"))


def of_messages(page: Page, first: int, width: int) -> bytes:
    """The messages from the `first` on, without what is above and below."""
    page.mouse.move(0, 0)
    boxes = [box for node in said(page)[first:] if (box := node.bounding_box())]
    top, bottom = boxes[0]["y"], boxes[-1]["y"] + boxes[-1]["height"]
    clip = {"x": 0, "y": top - MARGIN, "width": width, "height": bottom - top + 2 * MARGIN}
    return page.screenshot(clip=clip)


def keep(png: bytes, path: Path) -> None:
    """With a palette a picture takes a third of the room; that more colours are missing is not to be seen."""
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    trio.run(main)
