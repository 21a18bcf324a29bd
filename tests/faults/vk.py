"""The fault matrix of VK."""

from __future__ import annotations

import json
from functools import partial

from trio_util import wait_any

from tests.faults.kinds_vk import long_poll_failed
from tests.faults.matrix import Matrix
from tests.faults.scenes import (
    Cell,
    Row,
    brought_by_a_poll,
    on_its_way,
    pressed,
    put_to_rest,
    save_another,
    shown_as_progress,
)
from tests.faults.starts import Start, nothing_left, work_left
from tests.faults.table import read
from tests.faults.wishes import (
    asked_about_the_name,
    cancelled_while_asking,
    deleted_in_the_list,
    renamed,
)
from trio_s3_bot.sandbox.faults import Refused
from trio_s3_bot.sandbox.replies import Reply, Work, json_reply

TABLE = """
                                                refused reset   timeout slow    cut     429     500     502     503     403     odd     longer  shorter
groups.getById                           before quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   quits   -own    -own
                                         after  quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   quits   quits   quits
groups.getTokenPermissions               before quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   quits   -own    -own
                                         after  quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   quits   quits   quits
groups.getLongPollSettings               before quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   quits   -own    -own
                                         after  quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   quits   quits   quits
groups.getLongPollServer                 before quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   quits   -own    -own
                                         after  quits   quits   quits   fine    quits   quits   quits   quits   quits   quits   quits   quits   quits
groups.getById with work left            before waits   waits   waits   fine    waits   waits   waits   waits   waits   quits   quits   -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   quits   quits   waits   waits
a_check                                  before waits   waits   waits   -req    -req    waits   waits   waits   waits   waits   fine    -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   waits   fine    waits   waits
groups.getLongPollServer anew            before waits   waits   waits   fine    waits   waits   waits   waits   waits   waits   waits   -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   waits   waits   waits   waits
messages.getByConversationMessageId      before waits   waits   waits   fine    waits   waits   waits   waits   waits   waits   waits   -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   waits   waits   waits   waits
messages.getByConversationMessageId anew before again   again   again   fine    again   waits   again   again   again   gone    again   -own    -own
                                         after  again   again   again   fine    again   waits   again   again   again   gone    again   again   again
doc                                      before again   again   again   -req    -req    again   again   again   again   again   again   -own    -own
                                         after  again   again   again   -ans    again   again   again   again   again   again   again   fine    -ans
file                                     before again   again   again   -req    -req    again   again   again   again   again   again   -own    -own
                                         after  again   again   again   fine    again   again   again   again   again   again   again   again   again
messages.send greeting                   before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    dropped -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    dropped waits   waits
messages.send document                   before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    dropped -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    dropped waits   waits
messages.send saved                      before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    dropped -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    dropped waits   waits
messages.send name                       before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    dropped -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    dropped waits   waits
messages.getById                         before stays   stays   stays   fine    stays   stays   stays   stays   stays   stays   stays   -own    -own
                                         after  stays   stays   stays   fine    stays   stays   stays   stays   stays   stays   stays   stays   stays
messages.edit progress                   before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    stays   -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    stays   waits   waits
messages.edit last                       before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    stays   -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    stays   waits   waits
messages.edit pressed                    before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    stays   -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    stays   waits   waits
messages.sendMessageEventAnswer          before spins   spins   spins   fine    spins   spins   spins   spins   spins   spins   spins   -own    -own
                                         after  fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine    fine
messages.send conflict                   before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    dropped -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    dropped waits   waits
messages.edit cancelled                  before waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    stays   -own    -own
                                         after  waits   waits   waits   fine    waits   waits   waits   waits   waits   mute    stays   waits   waits
"""  # noqa: E501
"""
What is said after a lost answer is said again under the same `random_id`, and VK says it once. The columns
are named as Telegram's are; `kinds_vk` says what is in them.
"""

LONG_POLL_TABLE = """
               failed1 failed2 failed3
a_check before lost    fine    lost
        after  lost    fine    lost
"""
"""1: the history is lost in part, go on from another `ts`; 2: the key has expired; 3: the history is lost."""


async def cropped(cell: Cell) -> None:
    """The event comes without the document, so the message is fetched whole."""
    cell.strike()
    cell.chat.send_document(cell.person, cell.name, cell.content, cropped=True)


async def linked_anew(cell: Cell) -> None:
    """The document can't be read by the link of its event, so a new one is asked for."""
    await save_another(cell)
    cell.proxy.add(Refused(), match="doc")
    cell.strike()
    cell.send()


async def with_a_new_key(cell: Cell) -> None:
    """The key to the long poll has expired, so another one is asked for."""
    cell.strike()
    cell.ground.side.world.events.expire_keys()
    await cell.struck()
    cell.send()


class _WithoutNumber:
    """The answer to a send that tells a message's id and not its number in the chat."""

    async def give(self, work: Work, *, before: bool) -> Reply:  # noqa: ARG002 - the protocol's
        reply = await work()
        [said] = json.loads(reply.body.read(0, reply.body.size))["response"]
        return json_reply({"response": [{**said, "conversation_message_id": 0}]})


async def not_told_its_number(cell: Cell) -> None:
    """VK tells a message's id alone, so its number in the chat is asked for; then the message is to be edited."""
    about_it = f"[document] {cell.name}"
    cell.ground.side.world.faults.add(
        answer=_WithoutNumber(), method="messages.send", match=lambda call: about_it in call.params["message"]
    )
    upload = cell.ground.store.hold("PutObject")
    cell.strike()
    cell.send()
    refused = partial(cell.logged, "a message can't be edited any more")
    await wait_any(cell.edited, refused)
    upload.release()


async def told_of_trouble(cell: Cell) -> None:
    """The poll that would have brought the document, or has, is told that something is wrong with key or history."""
    events = cell.ground.side.world.events
    await cell.ground.side.world.wait(lambda: events.polled)
    poll = cell.proxy.hold(cell.call, when=cell.when)
    cell.chat.say(cell.person, "hello")
    await cell.chat.wait_for("[greeting]")
    cell.send()
    await poll.reached.wait()
    if cell.fault == long_poll_failed(1):
        cell.fault = long_poll_failed(1, ts=events.ts)
    poll.release(then=cell.fault)


STARTS = {
    "groups.getById": Start("groups.getById", nothing_left),
    "groups.getTokenPermissions": Start("groups.getTokenPermissions", nothing_left),
    "groups.getLongPollSettings": Start("groups.getLongPollSettings", nothing_left),
    "groups.getLongPollServer": Start("groups.getLongPollServer", nothing_left),
    "groups.getById with work left": Start("groups.getById", work_left),
}

ROWS = {
    "a_check": Row("a_check", brought_by_a_poll),
    "groups.getLongPollServer anew": Row("groups.getLongPollServer", with_a_new_key),
    "messages.getByConversationMessageId": Row("messages.getByConversationMessageId", cropped),
    "messages.getByConversationMessageId anew": Row("messages.getByConversationMessageId", linked_anew),
    "doc": Row("doc", on_its_way()),
    "file": Row("file", on_its_way()),
    "messages.send greeting": Row("messages.send", on_its_way()),
    "messages.send document": Row("messages.send", on_its_way(1)),
    "messages.send saved": Row("messages.send", on_its_way(2)),
    "messages.send name": Row("messages.send", renamed),
    "messages.getById": Row("messages.getById", not_told_its_number),
    "messages.edit progress": Row("messages.edit", shown_as_progress),
    "messages.edit last": Row("messages.edit", put_to_rest),
    "messages.edit pressed": Row("messages.edit", deleted_in_the_list),
    "messages.sendMessageEventAnswer": Row("messages.sendMessageEventAnswer", pressed),
    "messages.send conflict": Row("messages.send", asked_about_the_name, asking=True),
    "messages.edit cancelled": Row("messages.edit", cancelled_while_asking, asking=True),
}
"""The calls, roughly in the order in which a document needs them."""

VK = Matrix("vk", read(TABLE), STARTS, ROWS)
VK_LONG_POLL = Matrix("vk", read(LONG_POLL_TABLE), {}, {"a_check": Row("a_check", told_of_trouble)})
