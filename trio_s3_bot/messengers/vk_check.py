"""What has to be right about a community before its bot can work, and what to switch on where it isn't."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from trio_s3_bot.errors import CheckFailed
from trio_s3_bot.messengers.vk_advice import ACCESS_TOKENS, LONG_POLL, NEEDED, give
from trio_s3_bot.messengers.vk_api import Api, VkRefused

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
class Settings:
    """What the community's settings allow: whether presses of callback buttons are told, and what deserves a look."""

    callbacks: bool
    warnings: tuple[str, ...]


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
            f"vk: the token belongs to the community {groups[0].id}, but [vk] group_id is {group_id}.",
            "Correct one of them, or leave group_id blank.",
        )
    return groups[0]


async def check_settings(api: Api, group_id: int) -> Settings:
    """
    Look whether the token may do what the bot does, and whether messages will come.

    Raises `CheckFailed` with what to switch on, and what the API's calls raise.
    """
    await _check_permissions(api)
    try:
        settings = await api.call("groups.getLongPollSettings", {"group_id": group_id}, VLongPollSettings)
    except VkRefused as error:
        raise CheckFailed(f"vk: the Long Poll settings can't be read ({error}).", give("manage")) from error
    if not settings.is_enabled:
        raise CheckFailed("vk: the Long Poll API is off for this community.", f"Enable it under {LONG_POLL}.")
    if not settings.events.message_new:
        advice = f"Tick the event type message_new (Входящее сообщение) under {LONG_POLL}."
        raise CheckFailed("vk: the community's Long Poll API doesn't tell of new messages.", advice)
    return Settings(bool(settings.events.message_event), tuple(_warnings(settings)))


def server_refused(error: VkRefused) -> CheckFailed:
    """What it means that there is no Long Poll server for this community."""
    return CheckFailed(f"vk: VK gives no Long Poll server ({error}).", f"Enable it under {LONG_POLL}.")


async def _check_permissions(api: Api) -> None:
    try:
        granted = await api.call("groups.getTokenPermissions", {}, VPermissions)
    except VkRefused as error:
        raise _not_a_community(error) from error
    for name in NEEDED:
        if name not in {permission.name for permission in granted.permissions}:
            raise CheckFailed(f"vk: the token lacks the right {name!r}.", give(name))


def _warnings(settings: VLongPollSettings) -> list[str]:
    warnings = []
    if not settings.events.message_event:
        warnings.append(
            "The event type message_event (Действие с сообщением) is not ticked, so a pressed button writes into the "
            f"chat. Tick it under {LONG_POLL}."
        )
    if (version := _version(settings.api_version)) and version < _MESSAGE_INSIDE:
        warnings.append(
            f"The Long Poll API is set to version {settings.api_version}, whose events don't tell the person's "
            f"language. Choose the newest under {LONG_POLL}."
        )
    return warnings


def _version(text: str) -> tuple[int, ...] | None:
    parts = text.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else None


def _not_a_community(error: VkRefused | None) -> CheckFailed:
    said = f" ({error})" if error else ""
    return CheckFailed(f"vk: the token isn't a community's{said}.", f"Create one under {ACCESS_TOKENS}.")
