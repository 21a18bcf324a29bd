"""What every messenger promises about checks and polls (`messengers.base`), on both of them."""

from __future__ import annotations

import pytest
import trio

from tests.sides import Side
from trio_s3_bot.errors import RetryAfter, TokenRefused, Unavailable
from trio_s3_bot.messengers.base import Messenger
from trio_s3_bot.model import Chat, OutMessage
from trio_s3_bot.patience import Timeouts
from trio_s3_bot.sandbox.replies import CutBody, Delay, Html200, Html502, Status

from .talk import Listener


async def test_a_check_tells_who_the_bot_is(side: Side, messenger: Messenger) -> None:
    account = await messenger.check()
    assert messenger.name == side.name
    assert account.id == side.account
    assert account.name


async def test_a_check_with_a_revoked_token_says_that_the_token_is_refused(side: Side) -> None:
    async with side.open() as messenger:
        side.world.revoke_token()
        with pytest.raises(TokenRefused) as caught:
            await messenger.check()
    assert "sandbox-sandbox" not in str(caught.value)


async def test_a_check_does_not_disturb_a_poll_that_is_under_way(side: Side, messenger: Messenger) -> None:
    listener = Listener(messenger)
    alice = side.world.user("Alice")
    async with trio.open_nursery() as nursery, side.open() as another:
        nursery.start_soon(listener.updates)
        await side.world.changes.until(lambda: side.world.polled)
        await another.check()
        assert side.world.polled
        side.world.private_chat(alice).say(alice, "hello")


@pytest.mark.parametrize(
    "answer", [Html200(), Html502(), Status(503), Status(200, b"{"), Status(200, b"[]"), CutBody(3)]
)
async def test_an_answer_that_is_none_of_the_api_is_an_outage_that_passes(
    side: Side, messenger: Messenger, answer: Html200
) -> None:
    side.queue.long_poll_max = 0.01
    for method, ask in ((side.names.check, messenger.check), (side.names.poll, Listener(messenger, "1").poll)):
        side.world.faults.add(answer=answer, method=method)
        with pytest.raises(Unavailable) as caught:
            await ask()
        assert "sandbox-sandbox" not in str(caught.value)
        assert not any(path in str(caught.value) for path in ("/bot", "/whp", "/method", "key="))
    await messenger.check()


async def test_a_server_that_keeps_silent_or_is_not_there_is_an_outage_that_passes(side: Side) -> None:
    timeouts = Timeouts(connect=5, call=0.1, poll=0.1)
    async with side.open({("vk", "wait"): "1 s"}, timeouts) as messenger:
        side.world.faults.add(answer=Delay(5), method=side.names.check)
        with pytest.raises(Unavailable):
            await messenger.check()
    async with side.open({(side.name, "api_url"): "http://127.0.0.1:9"}) as messenger:
        with pytest.raises(Unavailable):
            await messenger.check()


async def test_an_error_of_the_server_is_an_outage_that_passes(side: Side, messenger: Messenger) -> None:
    side.world.faults.add(answer=side.names.out_of_order, method=side.names.check)
    with pytest.raises(Unavailable):
        await messenger.check()


async def test_a_flood_limit_says_how_long_to_wait(side: Side, messenger: Messenger) -> None:
    side.world.faults.add(answer=side.names.flood, method=side.names.check)
    with pytest.raises(RetryAfter) as caught:
        await messenger.check()
    assert caught.value.seconds >= 1


async def test_a_text_is_an_update_with_all_that_the_conversation_needs(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice", language="ru")
    sent = side.world.private_chat(alice).say(alice, "hello\n<b>world</b> &amp; \N{PILE OF POO}")
    [update] = await Listener(messenger).updates()
    assert update.messenger == side.name
    assert update.chat == Chat(side.name, alice.id)
    assert update.sender is not None
    assert (update.sender.id, update.sender.language) == (alice.id, "ru")
    assert (update.message_id, update.date) == (sent["message_id"], sent["date"])
    assert update.text == "hello\n<b>world</b> &amp; \N{PILE OF POO}"
    assert (update.documents, update.caption, update.press, update.reply_to) == ((), None, None, None)
    assert update.addressed
    assert not update.silent


async def test_updates_come_in_the_order_in_which_they_were_sent(side: Side, messenger: Messenger) -> None:
    alice, listener = side.world.user("Alice"), Listener(messenger)
    for number in range(10):
        side.world.private_chat(alice).say(alice, str(number))
    assert [update.text for update in await listener.updates(10)] == [str(number) for number in range(10)]


async def test_a_batch_comes_again_until_its_cursor_was_used(side: Side, messenger: Messenger) -> None:
    """As after a crash: what was polled but not committed is polled again, and known by the same ids."""
    alice, chat = (alice := side.world.user("Alice")), side.world.private_chat(alice)
    chat.say(alice, "before")
    listener = Listener(messenger)
    await listener.updates()
    chat.say(alice, "one")
    chat.say(alice, "two")
    again = Listener(messenger, listener.cursor)
    first = await Listener(messenger, listener.cursor).updates(2)
    assert await again.updates(2) == first
    async with side.open() as restarted:
        await restarted.check()
        assert await Listener(restarted, listener.cursor).updates(2) == first
    chat.say(alice, "three")
    [update] = await again.updates()
    assert update.text == "three"


async def test_updates_have_different_ids(side: Side, messenger: Messenger) -> None:
    alice, bob = side.world.user("Alice"), side.world.user("Bob")
    group = side.world.group("Friends", [alice, bob])
    for chat, person in ((side.world.private_chat(alice), alice), (side.world.private_chat(bob), bob), (group, bob)):
        chat.say(person, "the same")
        chat.say(person, "the same")
    updates = await Listener(messenger).updates(6)
    assert len({update.update_id for update in updates}) == 6


async def test_an_empty_poll_is_no_error_and_loses_nothing(side: Side, messenger: Messenger) -> None:
    alice, listener = side.world.user("Alice"), Listener(messenger)
    side.queue.long_poll_max = 0.01
    for _ in range(3):
        assert await listener.poll() == ()
    side.world.private_chat(alice).say(alice, "hello")
    [update] = await listener.updates()
    assert update.text == "hello"


async def test_a_poll_that_is_cancelled_leaves_the_next_one_whole(side: Side, messenger: Messenger) -> None:
    alice, listener = side.world.user("Alice"), Listener(messenger)
    for _ in range(20):
        with trio.move_on_after(0.02):
            await listener.updates()
    side.world.private_chat(alice).say(alice, "hello")
    [update] = await listener.updates()
    assert update.text == "hello"


async def test_an_answer_to_a_message_tells_which(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    chat = side.world.private_chat(alice)
    first = chat.say(alice, "first")
    chat.say(alice, "second", reply_to=first["message_id"])
    assert (await Listener(messenger).updates(2))[1].reply_to == first["message_id"]


async def test_in_a_group_what_is_said_to_others_is_not_addressed(side: Side, messenger: Messenger) -> None:
    alice, bob = side.world.user("Alice"), side.world.user("Bob")
    group = side.world.group("Friends", [alice, bob])
    said = group.say(alice, "Hello Bob")
    group.say(bob, "Hello Alice", reply_to=said["message_id"])
    updates = await Listener(messenger).updates(2)
    assert [update.addressed for update in updates] == [False, False]
    assert {update.chat for update in updates} == {Chat(side.name, group.id, group=True)}


async def test_in_a_group_a_command_and_an_answer_to_the_bot_are_addressed(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    group = side.world.group("Friends", [alice])
    said = await messenger.send(Chat(side.name, group.id, group=True), OutMessage("Hello"))
    group.say(alice, "/list")
    group.say(alice, "yes", reply_to=said)
    assert [update.addressed for update in await Listener(messenger).updates(2)] == [True, True]


async def test_what_a_chat_says_about_itself_is_silent(side: Side, messenger: Messenger) -> None:
    alice, bob = side.world.user("Alice"), side.world.user("Bob")
    side.world.group("Friends", [alice]).join(bob)
    [update] = await Listener(messenger).updates()
    assert update.silent


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"message": 5, "type": "message_new", "object": 5},
        {"message": {}, "type": "message_new", "object": {"message": {"peer_id": "x"}}},
        {"callback_query": [], "type": "message_event", "object": {"user_id": None}},
    ],
)
async def test_an_update_of_unknown_shape_is_passed_over_and_those_after_it_come(
    side: Side, messenger: Messenger, shape: dict[str, object]
) -> None:
    alice, listener = side.world.user("Alice"), Listener(messenger)
    side.push_odd(shape)
    side.world.private_chat(alice).say(alice, "hello")
    [update] = await listener.updates()
    assert update.text == "hello"
    [skipped] = listener.skipped
    assert skipped.update_id
    assert skipped.why


async def test_half_a_surrogate_pair_in_a_text_spoils_nothing(side: Side, messenger: Messenger) -> None:
    alice = side.world.user("Alice")
    side.world.private_chat(alice).say(alice, "half \ud83d of it")
    [update] = await Listener(messenger).updates()
    assert update.text == "half ? of it"


async def test_a_poll_with_a_revoked_token_says_so(side: Side, messenger: Messenger) -> None:
    side.world.revoke_token()
    if side.name == "vk":
        side.world.events.expire_keys()
    with pytest.raises(TokenRefused):
        await Listener(messenger, "1").updates()
