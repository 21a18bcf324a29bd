"""A state file belongs to one account of each messenger: another one's ids are not taken for its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from tests.bot.program import run
from tests.bot.talk import EACH_MESSENGER, NO_LIMITS, SAVED
from tests.sides import Side, telegram_side, vk_side
from tests.world import BUCKET, World
from trio_s3_bot.sandbox.s3 import open_s3
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


async def test_another_bucket_with_the_same_state_file_is_gone_on_in_and_the_operator_told(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        chat.send_document(alice, "old.txt", b"old")
        await chat.wait_for(SAVED)
    async with open_s3(["other"]) as s3:
        elsewhere = {("s3", "bucket"): "other", ("s3", "endpoint_url"): s3.endpoint_url}
        with capture_logs() as logs:
            async with world.bot({**NO_LIMITS, **elsewhere}):
                chat.send_document(alice, "new.txt", b"new")
                await chat.wait_for(f"{SAVED} new.txt")
                chat.say(alice, "/list")
                await chat.wait_for("old.txt, gone from the storage")
        assert set(s3.objects("other")) == {"new.txt"}
    told = [line for line in logs if "another one than before" in line["event"]]
    assert [(line["before"], line["now"], line["log_level"]) for line in told] == [(BUCKET, "other", "warning")]
    assert set(world.objects) == {"old.txt"}
