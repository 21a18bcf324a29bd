"""How many dialogues there are, and which."""

from __future__ import annotations

import pytest

ROUNDS = 8
FIRST_SEED = 1


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dialogues")
    group.addoption("--dialogue-rounds", type=int, default=ROUNDS, help=f"rounds of dialogues (default: {ROUNDS})")
    group.addoption("--dialogue-seed", type=int, default=FIRST_SEED, help="seed of the first round; they count up")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a round, named by its seed."""
    first = metafunc.config.getoption("--dialogue-seed", default=FIRST_SEED)
    rounds = metafunc.config.getoption("--dialogue-rounds", default=ROUNDS)
    metafunc.parametrize("number", range(first, first + rounds))
