"""
How many small documents a second go through, and what does one cost? `python benchmarks/small_documents.py`.

People who have said hello before send a document of 4 KiB each, all at the same moment: to the bot as an operator
starts it (with the messenger's flood limits lifted, which would be all that is measured otherwise), and to the bot of
an afternoon (`afternoon.py`), which does the same with plain clients in as many threads and keeps no promise at all.
Both get their documents from the Bot API emulator, which is in Python, on this machine, and about as busy as they are.

How to read it: `CPU` is of the bot's process alone. The ratios say what the promises cost: commits before every
message, a look for the name before and at the size after each upload, budgets, order within a chat.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

import trio
from rig import cpu_seconds, running_bot, running_peer, served_by

from trio_s3_bot.sandbox.telegram import open_telegram

SIZE = 4096  # bytes
NO_LIMITS = {"TELEGRAM_MESSAGES_PER_SECOND": "1000", "TELEGRAM_CHAT_MESSAGES_PER_SECOND": "1000"}


async def measured(peer: bool, documents: int) -> tuple[float, float]:
    """Documents a second, and CPU milliseconds a document."""
    with served_by("sink.py") as (endpoint_url, _):
        async with open_telegram() as telegram:
            bot = running_peer(telegram, endpoint_url) if peer else running_bot(telegram, endpoint_url, NO_LIMITS)
            async with bot as pid:
                people = [telegram.user(f"Person {number}") for number in range(documents)]
                chats = [telegram.private_chat(person) for person in people]
                for chat, person in zip(chats, people, strict=True):
                    chat.say(person, "hello")
                for chat in chats:
                    await chat.wait_for("[greeting]")
                before, began = cpu_seconds(pid), trio.current_time()
                for number, (chat, person) in enumerate(zip(chats, people, strict=True)):
                    chat.send_document(person, f"{number}.txt", b"x" * SIZE)
                for chat in chats:
                    await chat.wait_for("[document has been saved]")
                took = trio.current_time() - began
                return documents / took, (cpu_seconds(pid) - before) / documents * 1000


async def main(documents: int, rounds: int) -> None:
    """Take turns, then print the best round of each."""
    found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for _ in range(rounds):
        for peer in found:
            found[peer].append(await measured(peer, documents))
    best = {peer: (max(speed for speed, _ in them), min(cpu for _, cpu in them)) for peer, them in found.items()}
    sys.stdout.write(f"{'':<14} {'documents/s':>11} {'CPU ms each':>12}\n")
    for peer, (speed, cpu) in best.items():
        sys.stdout.write(f"{'afternoon' if peer else 'trio-s3-bot':<14} {speed:11.0f} {cpu:12.1f}\n")
    ours, theirs = best[False], best[True]
    sys.stdout.write(f"{'ratio':<14} {ours[0] / theirs[0]:11.2f} {ours[1] / theirs[1]:12.1f}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().split("\n")[0])
    parser.add_argument("--documents", type=int, default=300, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is tried (default: %(default)s)")
    given = parser.parse_args()
    trio.run(partial(main, given.documents, given.rounds))
