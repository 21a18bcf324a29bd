"""A state file belongs to one account of each messenger: another one's ids are not taken for its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.bot.program import run
from tests.bot.talk import EACH_MESSENGER, NO_LIMITS, SAVED
from tests.sides import Side, telegram_side, vk_side
from tests.world import World
from trio_s3_bot.sandbox.telegram import open_telegram
from trio_s3_bot.sandbox.vk import open_vk


@pytest.fixture(params=EACH_MESSENGER, ids=lambda names: names[0])
def messengers(request: pytest.FixtureRequest) -> Sequence[str]:
    names: Sequence[str] = request.param
    return names


@asynccontextmanager
async def another(side: Side) -> AsyncIterator[Side]:
    """The same messenger with another bot in it."""
    if side.name == "telegram":
        async with open_telegram("654321:other-other-other-other") as telegram:
            yield telegram_side(telegram)
    else:
        async with open_vk("vk1.a.other-other-other-other", side.account + 1) as vk:
            yield vk_side(vk)


async def test_another_bots_token_with_the_same_state_file_is_refused_in_one_line(world: World, side: Side) -> None:
    async with world.bot(NO_LIMITS):
        alice, chat = side.meet()
        chat.send_document(alice, "a.txt", b"a")
        await chat.wait_for(SAVED)
    async with another(side) as other:
        ended = await run({**world.settings, **other.settings})
        assert ended.code == 2
        for words in (str(side.account), str(other.account), str(world.folder / "bot.sqlite3"), "[state] path"):
            assert words in ended.complaint
        assert other.world.token not in ended.err
        assert other.world.calls(other.names.poll) == []
    async with world.bot(NO_LIMITS):
        chat.say(alice, "hello?")
        await chat.wait_for("[document is required]")


async def test_with_another_state_file_another_bot_begins_anew(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet()
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
    async with another(side) as other:
        fresh = {("state", "path"): str(world.folder / "other.sqlite3")}
        async with world.bot({**other.settings, **fresh}):
            bob, there = other.meet(id=alice.id)
            there.say(bob, "hello")
            await there.wait_for("[greeting]")


async def test_a_new_token_of_the_same_bot_goes_on_with_its_state(world: World, side: Side) -> None:
    async with world.bot(NO_LIMITS):
        alice, chat = side.meet()
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
    side.world.revoke_token()
    async with world.bot(NO_LIMITS):
        chat.say(alice, "hello?")
        await chat.wait_for("[document is required]")


async def test_a_check_with_another_token_neither_minds_nor_touches_the_state(world: World, side: Side) -> None:
    async with world.bot():
        await side.world.wait(lambda: side.world.polled)
    before = (world.folder / "bot.sqlite3").read_bytes()
    async with another(side) as other:
        assert (await run({**world.settings, **other.settings}, "--check")).code == 0
    assert (world.folder / "bot.sqlite3").read_bytes() == before


async def test_a_start_that_fails_does_not_bind_the_state_to_its_token(world: World, side: Side) -> None:
    async with another(side) as other:
        ended = await run({**world.settings, **other.settings, ("s3", "bucket"): "no-such-bucket"})
        assert ended.code == 2
    async with world.bot():
        alice, chat = side.meet()
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
