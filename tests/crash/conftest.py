"""The options of the kill test, and the ground it takes place on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.contract import versitygw

from .ground import Ground, Serve, open_ground
from .stores import open_moto, open_versity

ROUNDS = 4
FIRST_SEED = 1
STORES = ("moto", "versitygw")
MESSENGERS = {"telegram": ("telegram",), "vk": ("vk",), "both": ("telegram", "vk")}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kill test")
    group.addoption("--rounds", type=int, default=ROUNDS, help=f"random rounds (default: {ROUNDS})")
    group.addoption("--seed", type=int, default=FIRST_SEED, help="seed of the first round; the next ones count up")
    group.addoption("--messenger", choices=MESSENGERS, help="where the rounds take place (default: the seed says)")
    group.addoption(
        "--store", choices=STORES, help="the S3 server (default: moto, but in rounds whose seed says otherwise)"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a round, named by its seed, so that a failing one says how to repeat it."""
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--seed", default=FIRST_SEED)
        rounds = metafunc.config.getoption("--rounds", default=ROUNDS)
        metafunc.parametrize("seed", range(first, first + rounds))


@pytest.fixture
def serve(request: pytest.FixtureRequest) -> Serve:
    """Opens the store that was chosen on the command line, or moto."""
    return serving(request.config.getoption("--store") or "moto")


def serving(store: str) -> Serve:
    """Opens a store. Skips the test where it can't be built, but never in CI."""
    if store == "moto":
        return lambda _: open_moto()
    try:
        return partial(open_versity, versitygw.built())
    except versitygw.NotAvailable as error:
        if "CI" in os.environ:
            raise
        pytest.skip(str(error))


@pytest.fixture
async def ground(tmp_path: Path, serve: Serve, messengers: Sequence[str]) -> AsyncIterator[Ground]:
    """Nothing has happened yet: an empty bucket, no chats, no state, and the program has not run."""
    async with open_ground(tmp_path, serve, messengers) as ground:
        yield ground
