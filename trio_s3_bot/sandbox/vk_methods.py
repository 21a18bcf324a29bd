"""The methods of the API by name, the methods `groups.*`, and which rights each needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from . import vk_messages
from .vk_replies import Refusal, invalid, out_of_scope
from .vk_settings import permissions_json
from .vk_world import Vk

Params = dict[str, Any]
Method = Callable[[Vk, Params], Awaitable[Any]]


async def get_by_id(vk: Vk, params: Params) -> Any:
    """Without ids, the community of the token; a person's token has none."""
    wanted = {*params.get("group_ids", ()), *([params["group_id"]] if "group_id" in params else ())}
    own = bool(wanted & {str(vk.group_id), vk.screen_name}) if wanted else not vk.user_token
    group = {
        "id": vk.group_id,
        "name": vk.name,
        "screen_name": vk.screen_name,
        "is_closed": 0,
        "type": "group",
        "photo_50": "https://vk.com/images/community_50.png",
        "photo_100": "https://vk.com/images/community_100.png",
        "photo_200": "https://vk.com/images/community_200.png",
    }
    return {"groups": [group] if own else [], "profiles": []}


async def get_token_permissions(vk: Vk, params: Params) -> Any:  # noqa: ARG001
    if vk.user_token:
        raise out_of_scope()
    return permissions_json(vk.permissions)


async def get_long_poll_settings(vk: Vk, params: Params) -> Any:  # noqa: ARG001
    return vk.settings.as_json()


async def set_long_poll_settings(vk: Vk, params: Params) -> Any:
    vk.settings.change(params)
    vk.changes.announce()
    return 1


async def get_long_poll_server(vk: Vk, params: Params) -> Any:  # noqa: ARG001
    vk.limits.spend_server_call()
    if not vk.settings.is_enabled:
        raise invalid("longpoll for this group is not enabled")
    return {"key": vk.events.new_key(), "server": vk.long_poll_url, "ts": str(vk.events.ts)}


METHODS: dict[str, Method] = {
    "groups.getById": get_by_id,
    "groups.getTokenPermissions": get_token_permissions,
    "groups.getLongPollSettings": get_long_poll_settings,
    "groups.setLongPollSettings": set_long_poll_settings,
    "groups.getLongPollServer": get_long_poll_server,
    "messages.send": vk_messages.send,
    "messages.edit": vk_messages.edit,
    "messages.sendMessageEventAnswer": vk_messages.send_event_answer,
    "messages.setActivity": vk_messages.set_activity,
    "messages.getByConversationMessageId": vk_messages.get_by_conversation_message_id,
    "messages.getById": vk_messages.get_by_id,
}
MANAGERS = frozenset(("groups.getLongPollSettings", "groups.setLongPollSettings", "groups.getLongPollServer"))


def check_rights(vk: Vk, method: str, params: Params) -> None:
    """Refuse what the token has no scope for, and what is another community's."""
    needed = "messages" if method.startswith("messages.") else "manage" if method in MANAGERS else None
    if needed is not None and needed not in vk.permissions:
        raise out_of_scope()
    if method != "groups.getById" and params.get("group_id", vk.group_id) != vk.group_id:
        raise Refusal(15, "no access to this group")
