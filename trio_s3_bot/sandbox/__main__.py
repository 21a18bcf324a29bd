"""
The sandbox as a process: `python -m trio_s3_bot.sandbox`.

The first line of its standard output is a JSON object that says where everything is; nothing else is ever printed
there. It ends on SIGINT, SIGTERM, and when its standard input ends, so it can't outlive the parent that holds the pipe.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any

import trio

try:
    from .page import open_page
    from .s3 import S3, open_s3
    from .telegram import Telegram, open_telegram
    from .telegram_desk import TelegramDesk
    from .vk import Vk, open_vk
    from .vk_desk import VkDesk
except ModuleNotFoundError as error:
    sys.exit(f"The sandbox needs {error.name}, which isn't installed: {sys.executable} -m pip install -e '.[sandbox]'")

PEOPLE = {"telegram": (("Alice", "en"), ("Борис", "ru")), "vk": (("Chloé", "en"), ("Дарья", "ru"))}


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m trio_s3_bot.sandbox", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--bucket", default="files", help="name of the bucket (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port of the chat page (default: the system picks one)")
    parser.add_argument("--large-files", action="store_true", help="no 20 MiB limit, as with a local Bot API server")
    given = parser.parse_args(arguments)
    try:
        trio.run(partial(serve, given.bucket, given.port, large_files=given.large_files))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        sys.exit(f"Port {given.port} can't be used for the chat page: {os.strerror(error.errno)}. Choose another one.")


async def serve(bucket: str, port: int, *, large_files: bool) -> None:
    """Open everything, print the one line, wait for the end."""
    # The bot's state belongs to this world: in the next one nothing that it is about exists any more. And this process
    # outlives the bot, however that ends, so that the folder is removed.
    with (
        trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals,
        tempfile.TemporaryDirectory(prefix="trio-s3-bot-") as folder,
    ):
        async with open_telegram() as telegram, open_vk() as vk, open_s3([bucket]) as s3:
            if large_files:
                telegram.cloud_limit = None
            desks = (TelegramDesk(telegram), VkDesk(vk))
            for desk in desks:
                for name, language in PEOPLE[desk.messenger]:
                    desk.add_person(name, language)
            async with open_page(desks, s3, bucket, port=port) as url:
                sys.stdout.write(json.dumps(_where(telegram, vk, s3, bucket, folder, url)) + "\n")
                sys.stdout.flush()
                await _told_to_stop(signals)


def _where(telegram: Telegram, vk: Vk, s3: S3, bucket: str, folder: str, url: str) -> dict[str, Any]:
    return {
        "telegram": {"api_url": telegram.api_url, "token": telegram.token},
        "vk": {"api_url": vk.api_url, "token": vk.token, "group_id": vk.group_id},
        "s3": {
            "endpoint_url": s3.endpoint_url,
            "bucket": bucket,
            "aws_access_key_id": s3.access_key,
            "aws_secret_access_key": s3.secret_key,
            "region": s3.region,
        },
        "state": {"path": os.path.join(folder, "bot.sqlite3")},
        "page": {"url": url},
    }


async def _told_to_stop(signals: AsyncIterator[int]) -> None:
    """Wait for a signal or the end of standard input, whichever comes first."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_end_of_input, nursery.cancel_scope.cancel)
        await anext(signals)
        nursery.cancel_scope.cancel()


async def _end_of_input(done: Callable[[], None]) -> None:
    """Read standard input to its end in a thread, which is left behind when a signal comes first."""

    def read() -> None:
        while os.read(0, 4096):
            pass

    await trio.to_thread.run_sync(read, abandon_on_cancel=True)
    done()


if __name__ == "__main__":
    main()
