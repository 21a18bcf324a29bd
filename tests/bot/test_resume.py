"""A multipart upload that was broken off goes on from its finished parts."""

from __future__ import annotations

from functools import partial

from tests.bot.talk import SAVED, in_each, store_behind_proxy
from tests.sides import Side
from tests.world import World
from trio_s3_bot.sandbox.faults import FaultProxy, Request, Reset, When
from trio_s3_bot.sandbox.world import Content

PART = 5 * 2**20
SETTINGS = {("uploads", "part_size"): "5 MiB", ("uploads", "memory_limit"): "10 MiB"}


@in_each("honours_range", telegram=[True, False], vk=[True])
async def test_only_the_missing_parts_are_sent_and_where_possible_only_they_are_read(
    world: World, side: Side, honours_range: bool
) -> None:
    world.telegram.files.cloud_limit = None
    side.world.files_honour_range = honours_range
    content = Content.generated(4 * PART + 1000)
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, store):
        held = [proxy.hold(partial(is_part, number), when=When.BEFORE) for number in ("3", "4")]
        async with world.bot({**SETTINGS, **store}) as running:
            chat.send_document(alice, "film.mkv", content)
            for hold in held:
                await hold.reached.wait()
            running.scope.cancel()
            for hold in held:
                hold.release(then=Reset())
        (unfinished,) = world.s3.uploads("files")
        assert set(unfinished.parts) == {1, 2}
        async with world.bot({**SETTINGS, **store}):
            await chat.wait_for(SAVED)
        assert parts_sent(proxy) == ["1", "2", "3", "4", "3", "4", "5"]
    assert world.s3.content("files", "film.mkv").sha256() == content.sha256()
    assert world.s3.uploads("files") == []
    assert side.world.calls("file")[-1].params["range"] == f"bytes={2 * PART}-"


def is_part(number: str, request: Request) -> bool:
    return request.query.get("partNumber") == number


def parts_sent(proxy: FaultProxy) -> list[str]:
    """The numbers of the parts that the bot has sent: those of the first run, then those of the second, sorted each."""
    sent = [record for record in proxy.requests if record.call == "UploadPart" and record.path.endswith("film.mkv")]
    numbers = [record.query["partNumber"] for record in sent]
    return sorted(numbers[:4]) + sorted(numbers[4:])
