"""
What happens when one chat sends 10,000 documents, and then another chat sends one? `python benchmarks/burst.py`.

The bot runs with the settings as shipped: flood limits, four workers, four upload slots. A bare client that does
nothing but poll and confirm takes as many updates first; that is the ceiling. When the bot has taken all of them, and
nearly all still wait to be saved, somebody else says hello with a document.

How to read it:
    accepted        all updates confirmed, and so committed on the disk. The ratio is to the bare client's speed: 1
                    would mean that accepting costs nothing. It must not hang on uploads or flood limits: 10,000
                    answers at one a second would take three hours.
    the other chat  seconds until it is greeted, told [document] and told [document has been saved]. Promised is about a
                    second for the first two, and for the third a place beside the 10,000, not behind them.
    memory          the peak of the bot's resident memory. What waits is on the disk, so it is that of an idle bot and a
                    little more, whatever the number.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

import httpx
import trio
from rig import MIB, peak_memory, running_bot, served_by

from trio_s3_bot.sandbox.telegram import FILE_ROUTE, Telegram, open_telegram

SIZE = 1024  # bytes


def fill(telegram: Telegram, documents: int) -> None:
    """Somebody sends all of them."""
    user = telegram.user("Somebody")
    chat = telegram.private_chat(user)
    for number in range(documents):
        chat.send_document(user, f"{number}.bin", b"x" * SIZE)


async def bare(telegram: Telegram) -> float:
    """Seconds that a client takes which polls and confirms, and does nothing else."""
    began, offset = trio.current_time(), 0
    async with httpx.AsyncClient(base_url=f"{telegram.api_url}/bot{telegram.token}/", trust_env=False) as client:
        while telegram.pending:
            answer = await client.post("getUpdates", json={"offset": offset, "limit": 100})
            offset = max((update["update_id"] + 1 for update in answer.json()["result"]), default=offset)
    return trio.current_time() - began


async def the_other(telegram: Telegram) -> list[float]:
    """Send one document from a new chat; seconds until each of the three answers."""
    user = telegram.user("Somebody else")
    chat, began = telegram.private_chat(user), trio.current_time()
    chat.send_document(user, "the other.bin", b"x" * SIZE)
    waits = []
    for marker in ("[greeting]", "[document]", "[document has been saved]"):
        await chat.wait_for(marker)
        waits.append(trio.current_time() - began)
    return waits


async def main(documents: int) -> None:
    """Run both, print what was seen."""
    async with open_telegram() as telegram:
        fill(telegram, documents)
        ceiling = documents / await bare(telegram)
        with served_by("sink.py") as (endpoint_url, _):
            async with running_bot(telegram, endpoint_url, {"STOP_GRACE_PERIOD": "1 s"}) as pid:
                fill(telegram, documents)
                began = trio.current_time()
                await telegram.wait(lambda: not telegram.pending)
                speed = documents / (trio.current_time() - began)
                greeted, told, saved = await the_other(telegram)
                begun = len(telegram.calls(FILE_ROUTE))
                memory = peak_memory(pid) / MIB
    sys.stdout.write(f"accepted        {speed:.0f} updates/s, the bare client {ceiling:.0f}: {speed / ceiling:.2f}\n")
    sys.stdout.write(f"the other chat  greeted {greeted:.2f} s, [document] {told:.2f} s, saved {saved:.2f} s")
    sys.stdout.write(f", before {documents - begun} of the others\n")
    sys.stdout.write(f"memory          {memory:.0f} MiB\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().split("\n")[0])
    parser.add_argument("--documents", type=int, default=10_000, help="(default: %(default)s)")
    trio.run(partial(main, parser.parse_args().documents))
