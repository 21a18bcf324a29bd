"""How what the bot says is written for VK: texts without mentions, keyboards, replies."""

from __future__ import annotations

import re

import msgspec

from trio_s3_bot.messengers.lengths import cut
from trio_s3_bot.messengers.vk_types import BUTTON
from trio_s3_bot.model import Button, Keyboard

TEXT_LIMIT = 4096  # UTF-16 units; the schema says 9000, but clients of the API see longer texts refused (error 914)
SNACKBAR_LIMIT = 90  # UTF-16 units of the notice that answers a callback button
# dev.vk.com, "Keyboards for bots": an inline keyboard.
BUTTONS, ROWS, COLUMNS, LABEL_LIMIT = 10, 6, 5, 40

_ZERO_WIDTH_SPACE = "\u200b"
# `[id1|name]`, `@name`, `*name`: in a file's name they would notify somebody, or show another name than the file's.
_MENTION = re.compile(r"\[(?=[^\[\]|\n]+\|)|[@*](?=\w)")


def plain(text: str) -> str:
    """The text such that VK finds no mention in it. What is cut then is what only the separators have made too long."""
    return cut(_MENTION.sub(lambda match: match[0] + _ZERO_WIDTH_SPACE, text), TEXT_LIMIT)


def keyboard(keyboard: Keyboard, *, callback: bool) -> str:
    """The inline keyboard as JSON, of callback buttons, or of text buttons for a client that knows no others."""
    rows = _rows("callback" if callback else "text", keyboard)
    return msgspec.json.encode({"one_time": False, "inline": True, "buttons": rows}).decode()


def keyboard_below(keyboard: Keyboard) -> str:
    """The same for a client that can show none with a message: text buttons below the input, until one is pressed."""
    return msgspec.json.encode({"one_time": True, "inline": False, "buttons": _rows("text", keyboard)}).decode()


def reply(peer_id: int, message_id: int) -> str:
    """The parameter `forward` that makes a message an answer to another one."""
    forward = {"peer_id": peer_id, "conversation_message_ids": [message_id], "is_reply": True}
    return msgspec.json.encode(forward).decode()


def snackbar(text: str) -> str:
    """The parameter `event_data` that shows a short notice."""
    return msgspec.json.encode({"type": "show_snackbar", "text": cut(text, SNACKBAR_LIMIT)}).decode()


def _rows(kind: str, keyboard: Keyboard) -> list[list[dict[str, object]]]:
    return [[{"action": _action(kind, button), "color": "secondary"} for button in row] for row in _fitting(keyboard)]


def _action(kind: str, button: Button) -> dict[str, str]:
    payload = msgspec.json.encode({BUTTON: button.data}).decode()
    return {"type": kind, "label": cut(button.label, LABEL_LIMIT), "payload": payload}


def _fitting(keyboard: Keyboard) -> list[tuple[Button, ...]]:
    """The rows that fit; the last one, which leads on, stays. Whoever composes keeps to the limits, so all should."""
    rows = [row[start : start + COLUMNS] for row in keyboard for start in range(0, len(row), COLUMNS)]
    while len(rows) > 1 and (len(rows) > ROWS or sum(map(len, rows)) > BUTTONS):
        del rows[-2]
    return rows
