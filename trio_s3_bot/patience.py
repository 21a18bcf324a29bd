"""
How patient the bot is with others: how long it waits for an answer, and how long between two attempts.

The defaults are what ships. `Bot` is given a `Patience` and hands each room its own part.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """
    Seconds without a byte after which a request has failed; none of them is for a whole document.

    `connect` is also what sending 256 KiB may take, and `piece` what as much of a document may take to come, if only in
    a trickle. `poll` is longer than any server holds a long poll. `file` is for a messenger that has to get a document
    ready first, `body` for the document's bytes, `store` for S3.
    """

    connect: float = 10
    poll: float = 70
    call: float = 15
    file: float = 60
    body: float = 30
    piece: float = 300
    store: float = 20


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses that grow: `first` seconds after one failure, and twice as many after each more in a row, to `longest`."""

    first: float
    longest: float

    def after(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, at least one; the caller adds the jitter."""
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """
    All of it: the timeouts, and the pauses between failed polls, messages, attempts at one document, attempts at
    anything while the store or a messenger is out of order, and reads from the store.
    """

    timeouts: Timeouts
    polling: Pauses
    speaking: Pauses
    document: Pauses
    outage: Pauses
    reading: Pauses


SHIPPED = Patience(
    timeouts=Timeouts(),
    polling=Pauses(1, 60),
    speaking=Pauses(1, 60),
    document=Pauses(4, 240),
    outage=Pauses(2, 300),
    reading=Pauses(0.5, 2),
)
