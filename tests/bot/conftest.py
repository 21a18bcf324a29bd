"""
The brief's test set: what the bot does for people, in each messenger.

What has many cases that have nothing to do with the messenger (the store's faults, odd names, sizes) has all of them in
Telegram, and one or two in VK: `in_each`. What only one messenger has, or knows none and is slow, runs in one: `only`.
"""

from __future__ import annotations

import pytest

from tests.bot.talk import EACH_MESSENGER


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `side` runs in each messenger, if neither it nor its module says in which ones."""
    marks = metafunc.definition.iter_markers("parametrize")
    said = hasattr(metafunc.module, "messengers") or any("messengers" in mark.args[0] for mark in marks)
    if "side" in metafunc.fixturenames and not said:
        metafunc.parametrize("messengers", EACH_MESSENGER, ids=[name for (name,) in EACH_MESSENGER])
