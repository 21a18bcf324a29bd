"""
The words of the fault matrix: what comes of it when one request goes wrong in one way.

Each call has two lines: the fault strikes before the server has heard of the request, or after it has done the work.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trio_s3_bot.sandbox.faults import When


class Outcome(enum.Enum):
    """
    What comes of it.

    Whatever it is, the document is one object with its own bytes under the name that was wanted last, or none if it was
    cancelled or deleted; no multipart upload is left; what is said is so, others are served, nothing secret is logged;
    and unless it says otherwise, it is told how it ended, and each thing is said once.
    """

    FINE = "fine"
    """Nobody notices: it did no harm, or the request was made again at once."""

    WAITS = "waits"
    """The store or the messenger is taken to be out of order: what needs it waits a moment and goes on by itself."""

    AGAIN = "again"
    """It counts as a failure of this one document, with which it is tried again after a pause; others don't wait."""

    TWICE = "twice"
    """A message is said a second time, since nobody knows that the first one arrived."""

    MUTE = "mute"
    """
    The messenger says that nothing can be said in this chat: nothing is, until its person writes or presses again. A
    question that was lost so waits for no answer, and is put again when the person wants the same again.
    """

    SPINS = "spins"
    """The button stays unanswered, but does what it is for; messengers end its spinner after a while."""

    STAYS = "stays"
    """A message can't be edited: it stays as it is; all but progress is said in a message of its own."""

    DROPPED = "dropped"
    """
    The messenger refuses a message, and nobody knows why: it isn't said, and the operator is told of it. With a
    question it is as after `MUTE`.
    """

    LOST = "lost"
    """The messenger has lost what was sent meanwhile: the bot never hears of it, and the operator is told."""

    GONE = "gone"
    """The messenger says that the document can't be had: it isn't saved, and its sender is told so."""

    QUITS = "quits"
    """The program doesn't start: it says what is wrong, and its exit code is 2."""


REASONS = {
    "-req": "the request has no body to be slow or cut",
    "-ans": "the answer has no body to be slow or too short",
    "-own": "the bot gives its own requests the right length; the server's answer only comes after the work",
}
"""Why a cell can't be."""


class Place(NamedTuple):
    """A cell of the table."""

    row: str
    when: When
    fault: str


def read(table: str) -> Mapping[Place, Outcome | str]:
    """What each cell of a table holds: an outcome, or one of `REASONS`."""
    return dict(_cells(table))


def _cells(table: str) -> Iterator[tuple[Place, Outcome | str]]:
    head, *lines = table.strip("\n").splitlines()
    width, faults, name = len(head) - len(head.lstrip()), head.split(), ""
    for line in lines:
        row, _, when = line[:width].rstrip().rpartition(" ")
        name = row.strip() or name
        for fault, entry in zip(faults, line[width:].split(), strict=True):
            yield Place(name, When(when), fault), entry if entry in REASONS else Outcome(entry)
