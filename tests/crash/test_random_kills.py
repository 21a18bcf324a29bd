"""The program is killed again and again at random instants. A seed says who writes what, and when it dies."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from .conftest import MESSENGERS, STORES, serving
from .endings import run_that_ends
from .ground import Ground, Serve
from .workload import Workload


@pytest.fixture
def messengers(seed: int, request: pytest.FixtureRequest) -> Sequence[str]:
    """Where a round takes place."""
    drawn = Random(f"{seed} messengers").choice(list(MESSENGERS))
    return MESSENGERS[request.config.getoption("--messenger") or drawn]


@pytest.fixture
def serve(seed: int, request: pytest.FixtureRequest) -> Serve:
    """What a round stores documents in: now and then a real S3 server."""
    drawn = Random(f"{seed} store").choice((*STORES, "moto"))
    return serving(request.config.getoption("--store") or drawn)


async def test_killed_again_and_again_it_answers_everything_and_saves_each_document_once(
    ground: Ground, seed: int
) -> None:
    """Two sources of chance: what one is asked for must not hang on how fast the program is."""
    workload, random = Workload(ground, Random(f"{seed} deeds")), Random(f"{seed} endings")
    if not all(side.keeps_messages for side in ground.sides):
        await ground.killed_at(ground.hearing)
    await workload.begin()
    for _ in range(random.randint(2, 5)):
        await run_that_ends(ground, workload, random)
    await ground.finished(workload.end)
