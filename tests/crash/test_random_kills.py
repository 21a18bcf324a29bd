"""The program is killed again and again at random instants. A seed says who writes what, and when it dies."""

from __future__ import annotations

from random import Random

from .ground import Ground
from .workload import Workload, killed_in_the_middle


async def test_killed_again_and_again_it_answers_everything_and_saves_each_document_once(
    ground: Ground, seed: int
) -> None:
    random = Random(seed)
    workload = Workload(ground, random)
    workload.begin()
    for _ in range(random.randint(2, 5)):
        await killed_in_the_middle(ground, workload, random)
    workload.end()
    await ground.finished()
