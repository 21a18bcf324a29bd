"""
How much memory does the bot take, and does it depend on the documents? `python benchmarks/memory.py`.

The bot runs as a process of its own, as an operator starts it, with the settings as shipped but for eight upload slots.
It gets its documents over HTTP from the Bot API emulator (without the 20 MiB limit of the cloud) and stores them in a
server that throws all bytes away. For each row a fresh bot is started, the documents are sent, and when all are said to
be saved, the peak of its resident memory (VmHWM, which counts shared libraries as well) is read from /proc.

How to read it: the bounds are promises. One document stays under 150 MiB; eight at once, or a hundred, stay under
150 MiB + memory_limit. A peak that grows with the size or the number of the documents is a bug.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

import trio
from rig import MIB, peak_memory, running_bot, served_by

from trio_s3_bot.sandbox.telegram import Content, Telegram, open_telegram

BASE = 150  # MiB
MEMORY_LIMIT = 64  # MiB, as in config.ini
SLOTS = 8


async def peak(telegram: Telegram, documents: int, size: int) -> float:
    """The bot's peak in MiB after it has saved so many documents of `size` MiB, each sent in a chat of its own."""
    settings = {"UPLOADS_CONCURRENT_UPLOADS": str(SLOTS), "UPLOADS_MEMORY_LIMIT": f"{MEMORY_LIMIT} MiB"}
    with served_by("sink.py") as (endpoint_url, _):
        async with running_bot(telegram, endpoint_url, settings) as pid:
            chats = []
            for number in range(documents):
                user = telegram.user(f"Person {number}")
                chat = telegram.private_chat(user)
                chat.send_document(user, f"{number}.bin", Content.generated(size * MIB, str(number)))
                chats.append(chat)
            for chat in chats:
                await chat.wait_for("[document has been saved]")
            return peak_memory(pid) / MIB


async def main(size: int) -> int:
    """Print the table; 1 if a bound is broken."""
    rows = (
        ("nothing", 0, 0, BASE),
        (f"1 document of {size} MiB", 1, size, BASE),
        (f"{SLOTS} of {size} MiB at once", SLOTS, size, BASE + MEMORY_LIMIT),
        ("100 of 7 MiB at once", 100, 7, BASE + MEMORY_LIMIT),
    )
    failed = 0
    async with open_telegram() as telegram:
        telegram.cloud_limit = None
        for what, documents, each, bound in rows:
            found = await peak(telegram, documents, each)
            failed |= found >= bound
            verdict = "FAIL" if found >= bound else "ok"
            sys.stdout.write(f"{what:<26} {found:5.0f} MiB   bound {bound} MiB   {verdict}\n")
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().split("\n")[0])
    parser.add_argument("--size", type=int, default=300, help="MiB of each document (default: %(default)s)")
    sys.exit(trio.run(partial(main, parser.parse_args().size)))
