"""
The fault matrix: what comes of it when one request goes wrong in one way.

Each call has two lines: the fault strikes before the server has heard of the request, or after it has done the work.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import NamedTuple

from trio_s3_bot.sandbox.faults import When


class Outcome(enum.Enum):
    """
    What comes of it.

    Whatever it is, the document is one object with its own bytes under its own name, no multipart upload is left, what
    is said is so, others are served, nothing secret is logged; and unless it says otherwise, each thing is said once.
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
    """The messenger says that nothing can be said in this chat: nothing is, until its person writes again."""

    SPINS = "spins"
    """The button stays unanswered; messengers end its spinner after a while."""

    QUITS = "quits"
    """The program doesn't start: it says what is wrong, and its exit code is 2."""


REASONS = {
    "-req": "the request has no body to be slow or cut",
    "-ans": "the answer has no body to be slow or too short",
    "-own": "the bot gives its own requests the right length; the server's answer only comes after the work",
}
"""Why a cell can't be."""

TABLE = """
                                        refused reset   timeout slow    cut     429     500     502     503     403     longer  shorter
getMe                            before quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   -own    -own
                                 after  quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   quits   quits
getWebhookInfo                   before quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   -own    -own
                                 after  quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   quits   quits
setMyCommands                    before fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    -own    -own
                                 after  fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine
getMe with work left             before waits   waits   waits   fine    waits   waits   waits   waits   waits   quits   -own    -own
                                 after  waits   waits   waits   fine    waits   waits   waits   waits   waits   quits   waits   waits
getUpdates                       before waits   waits   waits   fine    waits   waits   waits   waits   waits   waits   -own    -own
                                 after  waits   waits   waits   fine    waits   waits   waits   waits   waits   waits   waits   waits
getFile                          before waits   waits   waits   fine    waits   waits   waits   waits   waits   again   -own    -own
                                 after  waits   waits   waits   fine    waits   waits   waits   waits   waits   again   waits   waits
file                             before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                 after  again   again   again   fine    again   again   again   again   again   again   again   again
sendMessage greeting             before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                 after  twice   twice   twice   fine    twice   twice   twice   twice   twice   mute    twice   twice
sendMessage document             before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                 after  twice   twice   twice   fine    twice   twice   twice   twice   twice   mute    twice   twice
sendMessage saved                before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                 after  twice   twice   twice   fine    twice   twice   twice   twice   twice   mute    twice   twice
editMessageText progress         before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                 after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    waits   waits
editMessageText last             before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    -own    -own
                                 after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    waits   waits
answerCallbackQuery              before spins   spins   spins   fine    spins   spins   spins   spins   spins   spins   -own    -own
                                 after  fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine
HeadObject before                before fine    fine    fine    -req    -req    fine    fine    fine    fine    waits   -own    -own
                                 after  fine    fine    fine    -ans    fine    fine    fine    fine    fine    waits   fine    fine
PutObject                        before again   again   again   fine    again   again   again   again   again   waits   -own    -own
                                 after  again   again   again   -ans    again   again   again   again   again   waits   fine    -ans
HeadObject after                 before fine    fine    fine    -req    -req    fine    fine    fine    fine    waits   -own    -own
                                 after  fine    fine    fine    -ans    fine    fine    fine    fine    fine    waits   again   again
ListObjectsV2                    before fine    fine    fine    -req    -req    fine    fine    fine    fine    waits   -own    -own
                                 after  fine    fine    fine    fine    fine    fine    fine    fine    fine    waits   fine    fine
ListMultipartUploads             before fine    fine    fine    -req    -req    fine    fine    fine    fine    waits   -own    -own
                                 after  fine    fine    fine    fine    fine    fine    fine    fine    fine    waits   fine    fine
CreateMultipartUpload            before again   again   again   -req    -req    again   again   again   again   waits   -own    -own
                                 after  again   again   again   fine    again   again   again   again   again   waits   fine    again
UploadPart                       before again   again   again   fine    again   again   again   again   again   waits   -own    -own
                                 after  again   again   again   -ans    again   again   again   again   again   waits   fine    -ans
ListParts                        before fine    fine    fine    -req    -req    fine    fine    fine    fine    waits   -own    -own
                                 after  fine    fine    fine    fine    fine    fine    fine    fine    fine    waits   fine    fine
CompleteMultipartUpload          before again   again   again   fine    again   again   again   again   again   waits   -own    -own
                                 after  again   again   again   fine    again   again   again   again   again   waits   fine    again
AbortMultipartUpload             before again   again   again   -req    -req    again   again   again   again   waits   -own    -own
                                 after  again   again   again   -ans    again   again   again   again   again   waits   fine    -ans
UploadPartCopy                   before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                 after  again   again   again   fine    again   again   again   again   again   again   fine    again
CompleteMultipartUpload renaming before again   again   again   fine    again   again   again   again   again   again   -own    -own
                                 after  again   again   again   fine    again   again   again   again   again   again   fine    again
DeleteObject renaming            before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                 after  again   again   again   -ans    again   again   again   again   again   again   fine    -ans
DeleteObject                     before again   again   again   -req    -req    again   again   again   again   again   -own    -own
                                 after  again   again   again   -ans    again   again   again   again   again   again   fine    -ans
"""  # noqa: E501
"""
Where it says that a document is tried again, others have just been saved. A store that has saved nothing for a while is
taken to be out of order instead.
"""


class Place(NamedTuple):
    """A cell of the table."""

    row: str
    when: When
    fault: str


def _stated() -> Iterator[tuple[Place, Outcome | str]]:
    head, *lines = TABLE.strip("\n").splitlines()
    width, faults, name = len(head) - len(head.lstrip()), head.split(), ""
    for line in lines:
        row, _, when = line[:width].rstrip().rpartition(" ")
        name = row.strip() or name
        for fault, entry in zip(faults, line[width:].split(), strict=True):
            yield Place(name, When(when), fault), entry if entry in REASONS else Outcome(entry)


STATED = dict(_stated())
"""What each cell holds: an outcome, or one of `REASONS`."""

FAULTS = tuple(dict.fromkeys(place.fault for place in STATED))
