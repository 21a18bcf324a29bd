"""
Keyboards, judged by the documented rules: error 911 says what is wrong, in the real server's words where known.

Inline: 5 buttons in a row, 6 rows, 10 buttons; below the input: 5 in a row, 10 rows, 40 buttons.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .vk_replies import Refusal
from .vk_text import utf16_length

Keyboard = dict[str, Any]
Button = dict[str, Any]

COLUMNS = 5
ROWS = {True: 6, False: 10}
BUTTONS = {True: 10, False: 40}
LABEL_MAX = 40
PAYLOAD_MAX = 255
COLOURS = frozenset(("primary", "secondary", "negative", "positive", "default"))
FIELDS = {
    "text": frozenset(("type", "label", "payload")),
    "callback": frozenset(("type", "label", "payload")),
    "open_link": frozenset(("type", "label", "payload", "link")),
}


def check_keyboard(keyboard: Any) -> Keyboard:
    """Refuse what VK refuses, and what this emulator doesn't know (locations, payments, apps)."""
    if not isinstance(keyboard, dict) or not isinstance(keyboard.get("buttons"), list):
        raise _bad("buttons should be array")
    for name in ("inline", "one_time"):
        if not isinstance(keyboard.get(name, False), bool):
            raise _bad(f"{name} property should be boolean")
    if keyboard.keys() - {"buttons", "inline", "one_time"}:
        raise _bad("keyboard contains unknown fields")
    inline = keyboard.get("inline", False)
    if inline and keyboard.get("one_time", False):
        raise _bad("one_time is not supported for inline keyboard")
    _check_size(keyboard["buttons"], inline)
    for row_number, row in enumerate(keyboard["buttons"]):
        for number, button in enumerate(row):
            _check_button(f"button [{row_number}][{number}]", button)
    return keyboard


def buttons_of(keyboard: Keyboard | None) -> Iterator[Button]:
    """The actions of all buttons."""
    for row in (keyboard or {"buttons": []})["buttons"]:
        for button in row:
            yield button["action"]


def _check_size(rows: list[Any], inline: bool) -> None:
    if len(rows) > ROWS[inline]:
        raise _bad("buttons contain too much rows")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or not row:
            raise _bad(f"row {number} should be non-empty array")
        if len(row) > COLUMNS:
            raise _bad(f"row {number} contains too much columns")
    if sum(map(len, rows)) > BUTTONS[inline]:
        raise _bad("keyboard contains too much buttons")


def _check_button(where: str, button: Any) -> None:
    if not isinstance(button, dict) or not isinstance(button.get("action"), dict):
        raise _bad(f"{where} should have an action")
    action = button["action"]
    if button.keys() - {"action", "color"} or action.get("type") not in FIELDS:
        raise _bad(f"{where} is of an unknown kind")
    if action.keys() - FIELDS[action["type"]]:
        raise _bad("action contains unknown fields")
    if "color" in button and (action["type"] == "open_link" or button["color"] not in COLOURS):
        raise _bad(f"{where} color is invalid")
    if action["type"] == "open_link" and not str(action.get("link", "")).startswith(("http://", "https://")):
        raise _bad(f"{where} has invalid link")
    _check_label(where, action.get("label"))
    _check_payload(where, action.get("payload", "{}"))


def _check_label(where: str, label: Any) -> None:
    if not isinstance(label, str) or not label.strip():
        raise _bad(f"{where} label should be at least 1 letters length")
    if utf16_length(label) > LABEL_MAX:
        raise _bad(f"{where} label should be no more than {LABEL_MAX} letters length")


def _check_payload(where: str, payload: Any) -> None:
    if not isinstance(payload, str) or utf16_length(payload) > PAYLOAD_MAX:
        raise _bad(f"{where} payload should be a string of no more than {PAYLOAD_MAX} letters")
    try:
        json.loads(payload)
    except ValueError:
        raise _bad(f"{where} payload should be correct JSON") from None


def _bad(detail: str) -> Refusal:
    return Refusal(911, detail)
