"""The program is killed at every step from a question to what its answer leads to, one run after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pytest

from tests.bot.talk import EACH_MESSENGER
from trio_s3_bot.sandbox.faults import When

from . import holds
from .ground import Ground
from .said import SAVED
from .wanted import Place

pytestmark = pytest.mark.parametrize("messengers", EACH_MESSENGER, ids=lambda names: names[0])

BEFORE, AFTER = When.BEFORE, When.AFTER
CONTENT = b"the report"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
KEPT_OPEN = "1 h"
"""For how long a question waits: however slow the machine is, no answer comes too late."""

Deed = Callable[[Ground, Place], Awaitable[None]]


async def _send(ground: Ground, alice: Place) -> None:
    await ground.hearing()
    alice.chat.send_document(alice.person, "report.pdf", CONTENT)


async def _send_to_rename(ground: Ground, alice: Place) -> None:
    await _send(ground, alice)
    await _press(ground, alice, question="Rename it before it is saved?", label="Rename")


async def _send_what_is_taken(ground: Ground, alice: Place) -> None:
    await ground.store.put("report.pdf", b"another one")
    await _send(ground, alice)


async def _send_to_delete(ground: Ground, alice: Place) -> None:
    await _send(ground, alice)
    await alice.chat.wait_for(SAVED)
    alice.chat.say(alice.person, "/delete report.pdf")


async def _press(ground: Ground, alice: Place, question: str, label: str) -> None:  # noqa: ARG001 - a deed
    alice.side.press(alice.chat, alice.person, await alice.chat.wait_for(question), label)


async def _say(ground: Ground, alice: Place, text: str) -> None:  # noqa: ARG001 - a deed
    alice.chat.say(alice.person, text)


@dataclass(frozen=True)
class Question:
    """
    A question, how it comes to be put, and its answer; `said` and `there` are what is said and stored in the end.

    The program is killed when the question is about to be said and when it has just been said, then in the `gaps`
    after the answer.
    """

    text: str
    put: Deed
    answer: Deed
    gaps: Sequence[holds.Hold]
    said: str
    there: dict[str, str]


PRESSED = (holds.messenger("press", BEFORE), holds.messenger("press", AFTER))
"""A press that is not answered, and one that is, of which nothing is on record."""
STORED = {"report.pdf": DIGEST}
IS_TAKEN = "report.pdf is there already."
QUESTIONS = {
    "whether to rename it": Question(
        "Rename it before it is saved?",
        _send,
        partial(_press, question="Rename it before it is saved?", label="Keep name"),
        (PRESSED[1], holds.store("PutObject", BEFORE, key="report.pdf")),
        f"{SAVED}report.pdf",
        STORED,
    ),
    "what to call it": Question(
        "What shall report.pdf be called?",
        _send_to_rename,
        partial(_say, text="final"),
        (holds.messenger("send", BEFORE, text="final.pdf"),),
        f"{SAVED}final.pdf",
        {"final.pdf": DIGEST},
    ),
    "whether to replace another one": Question(
        IS_TAKEN,
        _send_what_is_taken,
        partial(_press, question=IS_TAKEN, label="Replace"),
        (*PRESSED, holds.store("PutObject", AFTER, key="report.pdf")),
        f"{SAVED}report.pdf",
        STORED,
    ),
    "whether to delete it": Question(
        "Delete report.pdf?",
        _send_to_delete,
        partial(_press, question="Delete report.pdf?", label="Yes"),
        PRESSED,
        "report.pdf is deleted.",
        {},
    ),
}
BEFORE_IT_IS_SAVED = ("whether to rename it", "what to call it")
"""Questions that there are only where the operator wants them."""


@pytest.mark.parametrize("question", QUESTIONS)
async def test_killed_at_every_step_of_a_question_it_is_put_and_its_answer_counts(
    ground: Ground, question: str
) -> None:
    asked, alice = QUESTIONS[question], ground.meet("Alice")
    ground.program.set("names", "ask_timeout", KEPT_OPEN)
    ground.program.set("names", "on_conflict", "ask")
    ground.program.set("names", "rename", "ask" if question in BEFORE_IT_IS_SAVED else "offer")
    await _killed(ground, alice, holds.messenger("send", BEFORE, text=asked.text), asked.put)
    await _killed(ground, alice, holds.messenger("send", AFTER, text=asked.text))
    first, *others = asked.gaps
    await _killed(ground, alice, first, asked.answer)
    for gap in others:
        await _killed(ground, alice, gap)
    await _stopped_when_said(ground, alice, asked.said)
    assert await ground.store.digests() == asked.there
    assert await ground.store.uploads() == []
    times = sum(asked.text in (deed.text or "") for deed in alice.chat.history if deed.method == ground.side.names.send)
    assert times == 1 or not ground.side.says_once


async def _killed(ground: Ground, alice: Place, gap: holds.Hold, deed: Deed | None = None) -> None:
    """One run, in which Alice does this, until it is in the gap."""

    async def reached() -> None:
        if deed is not None:
            await deed(ground, alice)
        await held.reached.wait()

    with gap(ground) as held:
        await ground.killed_at(reached)


async def _stopped_when_said(ground: Ground, alice: Place, words: str) -> None:
    await ground.stopped_at(lambda: alice.chat.wait_for(words))
