"""What VK refuses the whole community is waited out: nothing that was to be said or saved is lost (VK)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import structlog
import trio

from tests.bot.talk import HASTY, NO_LIMITS, SAVED
from tests.sides import Side
from tests.world import World
from trio_s3_bot.sandbox.replies import Status
from trio_s3_bot.sandbox.vk import DOC_ROUTE, ApiError

SEND = "messages.send"
LOOK_UP = "messages.getByConversationMessageId"


@pytest.fixture
def messengers() -> Sequence[str]:
    return ("vk",)


@pytest.mark.parametrize(
    ("code", "switch"),
    [
        (15, "Create a token with access to community messages"),
        (7, "Create a token with access to community messages"),
        (915, "Switch community messages on"),
        (985, "Let people write to the community"),
        (14, "Sign in to VK"),
    ],
)
async def test_what_can_not_be_said_until_the_operator_acts_is_said_then(
    world: World, side: Side, code: int, switch: str
) -> None:
    alice, chat = side.meet()
    refused = world.vk.faults.add(method=SEND, answer=ApiError(code), times=None)
    with structlog.testing.capture_logs() as logs:
        async with world.bot({**NO_LIMITS, ("stop", "grace_period"): "0 s"}):
            chat.say(alice, "hello")
            chat.send_document(alice, "a.txt", b"a")
            await world.object("a.txt")
            await world.vk.wait(lambda: refused.hits)
            await until_logged(logs, "error", switch)
    assert chat.bot_messages == []
    world.vk.faults.remove(refused)
    async with world.bot(NO_LIMITS):
        await chat.wait_for("[greeting]")
        await chat.wait_for(f"{SAVED} a.txt")


@pytest.mark.parametrize("code", [911, 914])
async def test_a_message_that_vk_finds_fault_with_is_said_as_far_as_can_be(world: World, side: Side, code: int) -> None:
    async with world.bot(NO_LIMITS):
        alice, chat = side.meet()
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
        world.vk.faults.add(method=SEND, answer=ApiError(code), times=1, match=lambda call: SAVED in str(call.params))
        chat.send_document(alice, "a" * 800 + ".txt", b"a")
        await chat.wait_for(SAVED)


async def test_a_document_that_needs_a_new_link_waits_while_the_token_may_not_ask_for_one(
    world: World, side: Side
) -> None:
    alice, chat = side.meet()
    with structlog.testing.capture_logs() as logs:
        async with world.bot({**NO_LIMITS, ("stop", "grace_period"): "0 s"}):
            world.vk.faults.add(method=DOC_ROUTE, answer=Status(503))
            world.vk.faults.add(method=LOOK_UP, answer=ApiError(15))
            chat.send_document(alice, "a.txt", b"a")
            await until_logged(logs, "warning", "Create a token with access to community messages")
    async with world.bot(NO_LIMITS):
        await chat.wait_for(f"{SAVED} a.txt")


async def test_documents_of_messages_that_come_in_part_are_saved_after_an_outage_and_a_kill(
    world: World, side: Side
) -> None:
    (alice, chat), (bob, other) = side.meet("Alice"), side.meet("Bob")
    out_of_order = world.vk.faults.add(method=LOOK_UP, answer=ApiError(10), times=None)
    async with world.bot(NO_LIMITS, HASTY) as bot:
        chat.send_documents(alice, [("a.txt", b"a"), ("b.txt", b"b")], cropped=True, left=1)
        chat.say(alice, "hello?")
        await world.vk.wait(lambda: out_of_order.hits >= 4)
        other.send_document(bob, "c.txt", b"c", cropped=True)
        await world.vk.wait(lambda: asked_for(world, bob.id))
        bot.scope.cancel()
    assert chat.bot_messages == []
    world.vk.faults.remove(out_of_order)
    async with world.bot(NO_LIMITS, HASTY):
        await chat.wait_for(f"{SAVED} 2 files")
        await chat.wait_for("[document is required]")
        await other.wait_for(f"{SAVED} c.txt")
    assert world.contents == {"a.txt": b"a", "b.txt": b"b", "c.txt": b"c"}


async def test_a_message_that_never_comes_whole_is_answered_with_words(world: World, side: Side) -> None:
    refused = world.vk.faults.add(method=LOOK_UP, answer=ApiError(100), times=None)
    async with world.bot(NO_LIMITS, HASTY):
        alice, chat = side.meet(language="ru")
        chat.send_document(alice, "a.txt", b"a", cropped=True)
        await chat.wait_for("дошло до меня не целиком")
        world.vk.faults.remove(refused)
        chat.send_document(alice, "b.txt", b"b", cropped=True)
        await chat.wait_for(f"{SAVED} b.txt")


def asked_for(world: World, peer_id: int) -> bool:
    """Whether a message of this chat was asked for once more."""
    return any(call.params["peer_id"] in (peer_id, str(peer_id)) for call in world.vk.calls(LOOK_UP))


async def until_logged(logs: Sequence[structlog.typing.EventDict], level: str, words: str) -> None:
    """Wait until an error that holds these words is logged."""
    while not any(line["log_level"] == level and words in line.get("error", "") for line in logs):
        await trio.testing.wait_all_tasks_blocked(0.01)
