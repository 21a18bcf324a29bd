"""Where a community's settings are, and what its operator has to do about what VK refuses."""

from __future__ import annotations

# As VK calls them in English and Russian.
ACCESS_TOKENS = "Manage > API usage > Access tokens (Управление > Работа с API > Ключи доступа)"
LONG_POLL = "Manage > API usage > Long Poll API (Управление > Работа с API > Long Poll API)"
MESSAGES = "Manage > Messages (Управление > Сообщения)"
NEEDED = {"messages": "community messages (сообщения сообщества)", "manage": "community management (управление)"}


def give(right: str) -> str:
    """How the token gets a right that it lacks."""
    return f"Create a token with access to {NEEDED[right]} under {ACCESS_TOKENS}."


_SWITCH_ON = f"Switch community messages on under {MESSAGES}."
_CONFIRM = "Sign in to VK as the manager who created the token, and do what it asks for."

# What is said in part all the same, though its operator could have more of it.
BOT_CAPABILITIES = (
    "Switch the capabilities of bots on under Manage > Messages > Bot settings "
    "(Управление > Сообщения > Настройки для бота), or people see no buttons."
)

# Error codes that everybody's messages meet until a manager of the community has acted: what to do, and after how many
# seconds it is worth while to look whether that is done.
OPERATOR_NEEDED = {
    7: (give("messages"), 60),
    15: (give("messages"), 60),
    42: (f"Allow this machine's address for the token under {ACCESS_TOKENS}.", 60),
    915: (_SWITCH_ON, 60),
    916: (_SWITCH_ON, 60),
    985: (f"Let people write to the community, not only be notified by it, under {MESSAGES}.", 60),
} | dict.fromkeys((14, 17, 24, 25, 3300, 3301, 3302, 3303, 3304), (_CONFIRM, 300))
