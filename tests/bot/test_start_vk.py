"""The start and `--check` with VK: what is wrong with a community is said in words, all of it where there is room."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator, Sequence

import pytest

from tests.bot.program import run, running
from tests.world import World
from trio_s3_bot.sandbox.vk import ApiError


@pytest.fixture
def messengers() -> Sequence[str]:
    return ("vk",)


@pytest.fixture
def nobody_listens() -> Iterator[str]:
    """An address where connections are refused, and that nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/method"


async def assert_refused(world: World, *words: str, **settings: str) -> None:
    """It ends with exit code 2 and one line that has all the words and not the token."""
    ended = await run({**world.settings, **{("vk", key): value for key, value in settings.items()}})
    assert ended.code == 2, ended.err
    assert ended.complaint.startswith("run_bot.py: ")
    for word in words:
        assert word in ended.complaint
    assert "Traceback" not in ended.err
    assert world.vk.token not in ended.out + ended.err


async def test_a_good_start_names_the_community(world: World) -> None:
    async with running(world.settings, world.folder) as program:
        await world.vk.wait(lambda: world.vk.polled)
        program.signal(signal.SIGTERM)
        ended = await program.ended()
    assert (ended.code, ended.out) == (0, "")
    assert f"vk.com/club{world.vk.group_id}" in ended.err


async def test_a_wrong_token(world: World) -> None:
    await assert_refused(world, "vk: The token is not accepted", "[vk] token", token="vk1.a.wrong")  # noqa: S106


async def test_a_persons_token(world: World) -> None:
    world.vk.user_token = True
    await assert_refused(world, "vk: The token isn't a community's", "Access tokens")


async def test_another_communitys_number(world: World) -> None:
    await assert_refused(world, str(world.vk.group_id), "group_id is 5", group_id="5")


async def test_a_right_that_is_missing(world: World) -> None:
    world.vk.permissions.discard("messages")
    await assert_refused(world, "vk: The token lacks the right 'messages'", "Create a token")


async def test_several_things_that_are_missing(world: World) -> None:
    world.vk.permissions.discard("messages")
    world.vk.settings.is_enabled = False
    more = "There is more to mend (1); --check tells all."
    await assert_refused(world, "vk: The token lacks the right 'messages'", more)


async def test_vk_out_of_reach(world: World, nobody_listens: str) -> None:
    await assert_refused(world, "vk can't be reached", "[vk] api_url", api_url=nobody_listens)


async def test_a_captcha(world: World) -> None:
    world.vk.faults.add(method="groups.getById", answer=ApiError(14), times=None)
    await assert_refused(world, "vk: The bot is refused", "14 Captcha needed", "Sign in to VK")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (6, ("vk asks for a pause", "in 1 s")),
        (9, ("vk asks for a pause", "in 60 s")),
        (29, ("vk asks for a pause", "Rate limit reached", "in 300 s")),
        (10, ("vk is out of order", "Internal server error", "later")),
    ],
)
async def test_what_says_that_the_address_is_right_is_not_answered_with_looking_at_it(
    world: World, code: int, words: Sequence[str]
) -> None:
    world.vk.faults.add(method="groups.getById", answer=ApiError(code), times=None)
    await assert_refused(world, *words)


async def test_the_check_of_a_community_in_order_polls_nothing(world: World) -> None:
    ended = await run(world.settings, "--check")
    assert (ended.code, ended.err) == (0, "")
    assert [line.split()[0] for line in ended.out.splitlines()] == ["ok"] * 4
    assert f"vk.com/club{world.vk.group_id}" in ended.out
    assert world.vk.calls("a_check") == []
    assert list(world.folder.iterdir()) == []


async def test_the_check_tells_all_that_is_wrong_with_a_community_each_under_its_name(world: World) -> None:
    world.vk.permissions.discard("messages")
    world.vk.settings.is_enabled = False
    world.vk.settings.api_version = "5.81"
    world.vk.settings.events.clear()
    ended = await run(world.settings, "--check")
    assert ended.code == 2
    found = [line.split("  ")[:3] for line in ended.out.splitlines() if "vk: " in line]
    assert [[piece.strip() for piece in line if piece.strip()] for line in found] == [
        ["ok", "vk: token"],
        ["FAIL", "vk: rights"],
        ["FAIL", "vk: Long Poll API"],
        ["note", "vk: Long Poll API"],
    ]
    assert world.vk.token not in ended.out + ended.err


async def test_the_check_says_that_vk_does_not_answer(world: World) -> None:
    world.vk.faults.add(method="groups.getById", answer=ApiError(10), times=None)
    ended = await run(world.settings, "--check")
    assert ended.code == 2
    assert ended.out.startswith("FAIL  vk: service")
