"""The program is killed again and again at random instants. A seed says who writes what, and when it dies."""

from __future__ import annotations

from random import Random

from .endings import run_that_ends
from .ground import Ground
from .workload import Workload


async def test_killed_again_and_again_it_answers_everything_and_saves_each_document_once(
    ground: Ground, seed: int
) -> None:
    """Two sources of chance: what one is asked for must not hang on how fast the program is."""
    workload, random = Workload(ground, Random(f"{seed} deeds")), Random(f"{seed} endings")
    workload.begin()
    for _ in range(random.randint(2, 5)):
        await run_that_ends(ground, workload, random)
    workload.end()
    await ground.finished()
