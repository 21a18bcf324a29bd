"""What a community's managers have switched on: the long poll, its events, the rights of the token."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .vk_replies import invalid

API_VERSION = "5.199"
MESSAGE_INSIDE = (5, 103)
"""From this version on an event carries its message in `object.message`, before that in `object` itself."""

EVENTS: tuple[str, ...] = ("message_new", "message_reply", "message_allow", "message_deny", "message_edit")
EVENTS += ("message_event", "message_typing_state", "message_read", "message_reaction_event", "poll_vote_new")
EVENTS += ("photo_new", "audio_new", "video_new", "wall_post_new", "wall_repost", "wall_reply_new", "like_add")
EVENTS += ("group_join", "group_leave", "group_change_settings", "group_change_photo", "group_officers_edit")
EVENTS += ("user_block", "user_unblock", "like_remove")

PERMISSIONS = {"photos": 4, "app_widget": 64, "messages": 4096, "wall": 8192, "docs": 131_072, "manage": 262_144}


def version_of(text: str) -> tuple[int, int]:
    """An API version such as 5.199; `ValueError` for what is none."""
    major, minor = text.split(".")
    return int(major), int(minor)


@dataclass
class LongPollSettings:
    """
    The section "Long Poll API" of the community. `events` are the types that are ticked.

    `shows_message_event` is whether the settings that are read back have the field `message_event`, which the
    published schema forgets.
    """

    is_enabled: bool = True
    api_version: str = API_VERSION
    events: set[str] = field(default_factory=lambda: {"message_new", "message_event"})
    shows_message_event: bool = True

    def as_json(self) -> dict[str, Any]:
        shown = [name for name in EVENTS if self.shows_message_event or name != "message_event"]
        ticked = {name: int(name in self.events) for name in shown}
        return {"is_enabled": self.is_enabled, "api_version": self.api_version, "events": ticked}

    def change(self, params: dict[str, Any]) -> None:
        """What groups.setLongPollSettings does."""
        version = params.get("api_version", self.api_version)
        try:
            version_of(version)
        except ValueError:
            raise invalid("api_version is invalid") from None
        self.is_enabled = bool(params.get("enabled", self.is_enabled))
        self.api_version = version
        for name in params.keys() & set(EVENTS):
            (self.events.add if params[name] else self.events.discard)(name)

    @property
    def message_inside(self) -> bool:
        return version_of(self.api_version) >= MESSAGE_INSIDE


def permissions_json(permissions: set[str]) -> dict[str, Any]:
    """What groups.getTokenPermissions answers."""
    listed = [{"name": name, "setting": bit} for name, bit in PERMISSIONS.items() if name in permissions]
    return {"mask": sum(PERMISSIONS[name] for name in permissions), "permissions": listed}
