"""What has to be right about a community before its bot can work, and what to switch on where it isn't."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from trio_s3_bot.errors import CheckFailed
from trio_s3_bot.messengers.base import Remark
from trio_s3_bot.messengers.vk_advice import ACCESS_TOKENS, LONG_POLL, NEEDED, give
from trio_s3_bot.messengers.vk_api import Api, VkRefused
from trio_s3_bot.messengers.vk_long_poll import LongPoll

_MESSAGE_INSIDE = (5, 103)  # from this version on, events carry the message in `object.message`


class VGroup(msgspec.Struct):
    id: int
    name: str = ""
    screen_name: str = ""


class VGroups(msgspec.Struct):
    groups: list[VGroup] = []


class VPermission(msgspec.Struct):
    name: str


class VPermissions(msgspec.Struct):
    permissions: list[VPermission] = []


class VLongPollEvents(msgspec.Struct):
    """Which types are ticked. The published schema doesn't list `message_event` here, so that may be missing."""

    message_new: int = 0
    message_event: int = 1


class VLongPollSettings(msgspec.Struct):
    is_enabled: bool = False
    api_version: str = ""
    events: VLongPollEvents = msgspec.field(default_factory=VLongPollEvents)


@dataclass(frozen=True, slots=True)
class Inspection:
    """Whether presses of callback buttons are told, and what there is to remark about the settings."""

    callbacks: bool
    remarks: tuple[Remark, ...]


async def own_group(api: Api, group_id: int | None) -> VGroup:
    """
    The community that the token belongs to, which has to be `group_id` where that is set.

    Raises `CheckFailed`, and what the API's calls raise.
    """
    try:
        # Since 5.199 an object with a list, before that the list itself.
        answer = await api.call("groups.getById", {}, VGroups | list[VGroup])  # type: ignore[arg-type]
    except VkRefused as error:
        raise _not_a_community(error) from error
    groups = answer.groups if isinstance(answer, VGroups) else answer
    if not groups:
        raise _not_a_community(None)
    if group_id is not None and groups[0].id != group_id:
        raise CheckFailed(
            f"The token belongs to the community {groups[0].id}, but [vk] group_id is {group_id}.",
            "Correct one of them, or leave [vk] group_id blank.",
            about="group_id",
        )
    return groups[0]


async def inspect(api: Api, long_poll: LongPoll, group_id: int) -> Inspection:
    """
    Look whether the token may do what the bot does, and whether messages will come; finds a server for the long poll.

    Whether messages and the capabilities of bots are switched on is told to people only, not to a community's token:
    that comes to light with the first message. Raises `CheckFailed`, and what the API's calls raise.
    """
    remarks = await _rights(api)
    try:
        settings = await api.call("groups.getLongPollSettings", {"group_id": group_id}, VLongPollSettings)
    except VkRefused as error:
        # Without the right to manage that is no news.
        unreadable = f"The Long Poll settings can't be read ({error}). {give('manage')}"
        remarks = remarks or [Remark("rights", unreadable, fatal=True)]
        return Inspection(callbacks=True, remarks=tuple(remarks))
    remarks += _of_long_poll(settings)
    if settings.is_enabled:
        remarks += [*_of_events(settings), *await _of_server(long_poll, group_id)]
    return Inspection(bool(settings.events.message_event), tuple(remarks))


async def _rights(api: Api) -> list[Remark]:
    try:
        granted = await api.call("groups.getTokenPermissions", {}, VPermissions)
    except VkRefused as error:
        raise _not_a_community(error) from error
    names = {permission.name for permission in granted.permissions}
    missing = [name for name in NEEDED if name not in names]
    return [Remark("rights", f"The token lacks the right {name!r}. {give(name)}", fatal=True) for name in missing]


async def _of_server(long_poll: LongPoll, group_id: int) -> list[Remark]:
    try:
        await long_poll.find_server(group_id)
    except VkRefused as error:
        return [Remark("Long Poll server", f"VK gives none ({error}). Enable it under {LONG_POLL}.", fatal=True)]
    return []


def _of_long_poll(settings: VLongPollSettings) -> Iterator[Remark]:
    about = "Long Poll API"
    if not settings.is_enabled:
        advice = f"Enable it under {LONG_POLL}, and tick the event types message_new and message_event there."
        yield Remark(about, f"The Long Poll API is off for this community. {advice}", fatal=True)
    if (version := _version(settings.api_version)) and version < _MESSAGE_INSIDE:
        yield Remark(
            about,
            f"The Long Poll API is set to version {settings.api_version}, whose events don't tell the person's "
            f"language. Choose the newest under {LONG_POLL}.",
        )


def _of_events(settings: VLongPollSettings) -> Iterator[Remark]:
    if not settings.events.message_new:
        yield Remark(
            "event message_new",
            "The community's Long Poll API doesn't tell of new messages. Tick the event type message_new "
            f"(Входящее сообщение) under {LONG_POLL}.",
            fatal=True,
        )
    if not settings.events.message_event:
        yield Remark(
            "event message_event",
            "The event type message_event (Действие с сообщением) is not ticked, so a pressed button writes into the "
            f"chat. Tick it under {LONG_POLL}.",
        )


def _version(text: str) -> tuple[int, ...] | None:
    parts = text.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else None


def _not_a_community(error: VkRefused | None) -> CheckFailed:
    said = f" ({error})" if error else ""
    advice = f"Create one under {ACCESS_TOKENS}."
    return CheckFailed(f"The token isn't a community's{said}.", advice, about="token")
