"""The start: what is wrong is said in one line that names it, and no secret is ever said."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
import trio

from tests.bot.program import run, running
from tests.bot.talk import SAVED, in_each, meet, store_behind_proxy
from tests.sides import Side
from tests.world import BUCKET, PATIENCE, Settings, World
from trio_s3_bot.sandbox.faults import S3_SLOW_DOWN
from trio_s3_bot.sandbox.replies import Html502, Instead
from trio_s3_bot.sandbox.s3 import open_s3
from trio_s3_bot.sandbox.telegram import TooManyRequests, open_telegram
from trio_s3_bot.sandbox.vk import ApiError, open_vk
from trio_s3_bot.sandbox.world import Content

TOKENS = {"telegram": "123456:AAH-unmistakable_token", "vk": "vk1.a.unmistakable_token"}
ACCOUNTS = {"telegram": "@sandbox_bot", "vk": "vk.com/club200000001"}
KEY, SECRET = "AKIAUNMISTAKABLE", "unmistakable/secret+key"
SECRETS = ("unmistakable", "UNMISTAKABLE")


@pytest.fixture
async def world(tmp_path: Path, messengers: Sequence[str]) -> AsyncIterator[World]:
    """The world of all tests, with tokens that can't be part of anything else."""
    with trio.fail_after(PATIENCE):
        async with open_telegram(TOKENS["telegram"]) as telegram, open_vk(TOKENS["vk"]) as vk, open_s3([BUCKET]) as s3:
            s3.access_key, s3.secret_key = KEY, SECRET
            yield World(telegram, s3, tmp_path, vk, messengers)
            assert telegram.complaints == vk.complaints == []


@pytest.fixture
def nobody_listens() -> Iterator[str]:
    """An address where connections are refused, and that nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


async def assert_refused(settings: Settings, *words: str, arguments: tuple[str, ...] = ()) -> None:
    """It ends with exit code 2 and one line that has all the words and no secret in it."""
    ended = await run(settings, *arguments)
    assert ended.code == 2, ended.err
    assert ended.complaint.startswith("run_bot.py: ")
    for word in words:
        assert word in ended.complaint
    assert "Traceback" not in ended.err
    assert not any(secret in ended.out + ended.err for secret in SECRETS)


@in_each(
    "token",
    telegram=["123456:AAH-unmistakable_but_wrong", "1:unmistakable:malformed"],
    vk=["vk1.a.unmistakable_but_wrong"],
)
async def test_a_wrong_token(world: World, side: Side, token: str) -> None:
    await assert_refused({**world.settings, (side.name, "token"): token}, side.name, "token")


async def test_no_token_at_all(world: World) -> None:
    await assert_refused({**world.settings, ("telegram", "token"): ""}, "[telegram]", "token")


async def test_a_token_that_can_be_none(world: World) -> None:
    await assert_refused({**world.settings, ("telegram", "token"): "unmistakable"}, "[telegram]", "token", "digits")


async def test_a_webhook(world: World) -> None:
    world.telegram.set_webhook("https://example.com/")
    await assert_refused(world.settings, "telegram", "webhook", "deleteWebhook")
    assert world.telegram.calls("getUpdates") == []


async def test_a_messenger_out_of_reach(world: World, side: Side, nobody_listens: str) -> None:
    await assert_refused(
        {**world.settings, (side.name, "api_url"): nobody_listens}, side.name, "reached", f"[{side.name}] api_url"
    )


async def test_no_such_bucket(world: World) -> None:
    await assert_refused({**world.settings, ("s3", "bucket"): "no-such-bucket"}, "no-such-bucket", "Create it")


async def test_an_s3_endpoint_out_of_reach(world: World, nobody_listens: str) -> None:
    host = nobody_listens.removeprefix("http://")
    await assert_refused({**world.settings, ("s3", "endpoint_url"): nobody_listens}, "S3", host, "[s3] endpoint_url")


async def test_an_s3_endpoint_that_speaks_no_s3(world: World) -> None:
    await assert_refused({**world.settings, ("s3", "endpoint_url"): world.telegram.api_url}, "endpoint_url")


async def test_an_access_key_without_its_secret(world: World) -> None:
    await assert_refused({**world.settings, ("s3", "aws_secret_access_key"): ""}, "[s3]", "aws_secret_access_key")


async def test_a_proxy_out_of_reach_that_wants_a_password(world: World, nobody_listens: str) -> None:
    proxy = nobody_listens.replace("//", "//somebody:unmistakable@")
    await assert_refused({**world.settings, ("network", "proxy"): proxy}, "telegram", "reached")


async def test_a_config_file_that_is_not_there(world: World) -> None:
    missing = str(world.folder / "nowhere.ini")
    await assert_refused(world.settings, missing, arguments=("--config", missing))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[telegram]\ntokem = 1:a", ("[telegram]", "tokem", "token")),
        ("[uploads]\npart_size = 1 MiB", ("[uploads]", "part_size", "5 MiB")),
        ("nonsense", ("wrong.ini",)),
    ],
)
async def test_a_config_file_with_a_mistake(world: World, line: str, words: tuple[str, ...]) -> None:
    wrong = world.folder / "wrong.ini"
    wrong.write_text(line + "\n")
    await assert_refused(world.settings, str(wrong), *words, arguments=("--config", str(wrong)))


async def test_an_unknown_variable_in_the_environment(world: World) -> None:
    await assert_refused({**world.settings, ("telegram", "tokem"): "1"}, "TRIO_S3_BOT_TELEGRAM_TOKEM")


async def test_a_state_file_that_another_instance_has(world: World) -> None:
    async with world.bot():
        await assert_refused(world.settings, str(world.folder / "bot.sqlite3"), "another instance")


async def test_a_state_file_that_is_none(world: World) -> None:
    content = b"not a database at all, but long enough to be one" * 50
    (world.folder / "bot.sqlite3").write_bytes(content)
    await assert_refused(world.settings, str(world.folder / "bot.sqlite3"), "state file")
    assert (world.folder / "bot.sqlite3").read_bytes() == content


async def test_a_state_file_where_no_folder_can_be(world: World) -> None:
    (world.folder / "file").write_text("")
    await assert_refused({**world.settings, ("state", "path"): str(world.folder / "file" / "bot.sqlite3")}, "state")


async def test_an_unknown_option_is_explained(world: World) -> None:
    ended = await run(world.settings, "--sandbocks")
    assert (ended.code, "--sandbocks" in ended.err, "usage" in ended.err) == (2, True, True)


async def test_a_good_start_says_that_it_is_ready_and_ends_with_exit_code_0(world: World, side: Side) -> None:
    async with running(world.settings, world.folder) as program:
        await side.world.wait(lambda: side.world.polled)
        program.signal(signal.SIGTERM)
        ended = await program.ended()
    assert (ended.code, ended.out) == (0, "")
    assert [word for word in (ACCOUNTS[side.name], "can be listed", "ready", "stopped") if word not in ended.err] == []


CHECKS = {
    "telegram": {"getMe", "getWebhookInfo"},
    "vk": {"groups.getById", "groups.getTokenPermissions", "groups.getLongPollSettings", "groups.getLongPollServer"},
}


async def test_the_check_prints_a_table_polls_nothing_and_makes_no_state_file(world: World, side: Side) -> None:
    ended = await run(world.settings, "--check")
    assert (ended.code, ended.err) == (0, "")
    assert [line.split()[0] for line in ended.out.splitlines()] == ["ok"] * 4
    assert ACCOUNTS[side.name] in ended.out
    assert BUCKET in ended.out
    assert {call.method for call in side.world.calls} == CHECKS[side.name]
    assert list(world.folder.iterdir()) == []
    assert world.objects == {}
    assert world.s3.uploads(BUCKET) == []


async def test_the_check_does_not_disturb_a_bot_that_runs(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot():
        await side.world.wait(lambda: side.world.polled)
        ended = await run(world.settings, "--check")
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
    assert ended.code == 0
    assert {call.status for call in side.world.calls(side.names.poll)} <= {200, None}


async def test_the_check_tells_all_that_is_wrong_at_once(world: World, nobody_listens: str) -> None:
    world.telegram.set_webhook("https://example.com/")
    ended = await run({**world.settings, ("s3", "endpoint_url"): nobody_listens}, "--check")
    assert ended.code == 2
    lines = ended.out.splitlines()
    assert [line.split()[0] for line in lines] == ["FAIL", "FAIL"]
    assert "webhook" in lines[0]
    assert "[s3] endpoint_url" in lines[1]
    assert "Traceback" not in ended.err


async def test_the_check_names_the_setting_of_each_address_that_is_out_of_reach(
    world: World, side: Side, nobody_listens: str
) -> None:
    unreachable = {(side.name, "api_url"): nobody_listens, ("s3", "endpoint_url"): nobody_listens}
    messenger, store = (await run({**world.settings, **unreachable}, "--check")).out.splitlines()
    assert messenger.startswith(f"FAIL  {side.name}: service  It can't be reached: ")
    assert f"[{side.name}] api_url" in messenger
    assert re.match(r"FAIL  s3: service +It can't be reached: ", store)
    assert "[s3] endpoint_url" in store


async def test_the_check_says_once_what_a_line_is_about(world: World, side: Side) -> None:
    wrong = {"telegram": "123456:AAH-wrong", "vk": "vk1.a.wrong"}[side.name]
    ended = await run({**world.settings, (side.name, "token"): wrong}, "--check")
    line = ended.out.splitlines()[0]
    assert re.match(rf"FAIL  {side.name}: token +The token is not accepted", line)


async def test_the_check_points_out_privacy_mode_without_failing(world: World) -> None:
    world.telegram.privacy = True
    ended = await run(world.settings, "--check")
    assert ended.code == 0
    assert "note" in ended.out
    assert "/setprivacy" in ended.out


TOO_FAST: dict[str, Instead] = {"telegram": TooManyRequests(1), "vk": ApiError(6)}


async def test_no_secret_is_logged_at_any_level_whatever_goes_wrong(world: World, side: Side) -> None:
    """A whole life at DEBUG: a start, outages of both sides, uploads small and large, a failure, a stop."""
    alice, chat = side.meet()
    faults = side.world.faults
    async with store_behind_proxy(world) as (proxy, store):
        settings = {**world.settings, **store, ("limits", "max_file_size"): "11 MiB"}
        async with running(settings, world.folder, "--log-level", "DEBUG") as program:
            await side.world.wait(lambda: side.world.polled)
            broken = {side.names.poll, side.names.fetch, side.names.resolve, "file"}
            struck = [faults.add(method=method, answer=Html502()) for method in broken]
            struck.append(faults.add(method=side.names.send, answer=TOO_FAST[side.name]))
            for number, size in enumerate((10, 9 * 2**20, 12 * 2**20, 20 * 2**20 + 1)):
                chat.send_document(alice, f"{number}.bin", Content.generated(size))
            await chat.wait_for(SAVED)
            await world.object("1.bin")
            proxy.down()
            chat.send_document(alice, "4.bin", b"content")
            await chat.wait_for("4.bin")
            program.signal(signal.SIGTERM)
            ended = await program.ended()
    assert ended.code == 0
    assert [fault.hits for fault in struck] == [1] * len(struck)
    assert "Connection refused" in ended.err
    assert not any(secret in ended.out + ended.err for secret in SECRETS)
    assert "/bot123456:" not in ended.err
    assert re.search(r"Signature=|[?&](dl|extra|hash)=", ended.err) is None


async def test_a_messenger_out_of_reach_is_waited_out_when_there_is_only_something_to_say(world: World) -> None:
    alice, chat = meet(world)
    fault = world.telegram.faults.add(method="sendMessage", answer=Html502(), times=None)
    async with world.bot({("stop", "grace_period"): "0 s"}):
        chat.say(alice, "hello")
        await world.telegram.wait(lambda: fault.hits or None)
    world.telegram.faults.clear()
    world.telegram.faults.add(method="getMe", answer=Html502())
    async with running(world.settings, world.folder) as program:
        await chat.wait_for("[greeting]")
        program.signal(signal.SIGTERM)
        ended = await program.ended()
    assert ended.code == 0
    assert ended.err.count("trying again") == ended.err.count("[warning  ] out of reach at start; trying again") == 1
    assert "retry" not in ended.err


async def test_a_store_out_of_reach_is_waited_out_when_there_is_unfinished_work(world: World) -> None:
    alice, chat = meet(world)
    async with store_behind_proxy(world) as (proxy, settings):
        async with world.bot({**settings, ("stop", "grace_period"): "0 s"}) as bot:
            proxy.down()
            chat.send_document(alice, "report.pdf", b"content")
            await chat.wait_for("[document]")
            bot.stop.set()
        proxy.up()
        proxy.add(S3_SLOW_DOWN, match="ListObjectsV2")
        async with running({**world.settings, **settings}, world.folder) as program:
            await chat.wait_for(SAVED)
            program.signal(signal.SIGTERM)
            ended = await program.ended()
    assert ended.code == 0
    assert ended.err.count("trying again") == ended.err.count("[warning  ] out of reach at start; trying again") == 1
    assert "retry" not in ended.err
    assert world.content("report.pdf") == b"content"
