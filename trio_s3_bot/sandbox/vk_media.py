"""Attachments other than documents, as messages show them. Their bytes are kept, but no link leads a bot to them."""

from __future__ import annotations

import itertools
import secrets
from typing import Any

from .world import Content


class Media:
    """All attachments of the kinds that have a type of their own."""

    def __init__(self) -> None:
        self._ids = itertools.count(457_239_001)
        self._contents: dict[int, Content] = {}

    def make(self, kind: str, owner_id: int, content: Content) -> dict[str, Any]:
        """A new attachment; `KeyError` for a kind that isn't known."""
        number = next(self._ids)
        known = {"id": number, "owner_id": owner_id, "access_key": secrets.token_hex(9)}
        self._contents[number] = content
        return {"type": kind, kind: SHAPES[kind](known)}

    def content(self, attachment: dict[str, Any]) -> Content:
        """The bytes of an attachment made here."""
        described = attachment[attachment["type"]]
        return self._contents[described.get("id", described.get("sticker_id"))]


def _photo(known: dict[str, Any]) -> dict[str, Any]:
    sizes = [
        {"type": name, "width": width, "height": height, "url": f"https://sun9-1.userapi.com/{known['id']}_{name}.jpg"}
        for name, width, height in (("s", 75, 50), ("x", 604, 403), ("w", 2560, 1707))
    ]
    return {**known, "album_id": -3, "date": 1_700_000_000, "text": "", "sizes": sizes}


def _video(known: dict[str, Any]) -> dict[str, Any]:
    return {**known, "title": "Видео", "description": "", "duration": 7, "date": 1_700_000_000, "type": "video"}


def _audio(known: dict[str, Any]) -> dict[str, Any]:
    return {**known, "artist": "Somebody", "title": "Something", "duration": 180, "url": ""}


def _audio_message(known: dict[str, Any]) -> dict[str, Any]:
    root = f"https://psv4.userapi.com/{known['id']}"
    return {**known, "duration": 4, "waveform": [0, 3, 9, 4], "link_mp3": f"{root}.mp3", "link_ogg": f"{root}.ogg"}


def _graffiti(known: dict[str, Any]) -> dict[str, Any]:
    return {**known, "url": f"https://sun9-1.userapi.com/{known['id']}.png", "width": 586, "height": 350}


def _sticker(known: dict[str, Any]) -> dict[str, Any]:
    image = {"url": f"https://vk.com/sticker/1-{known['id']}-128", "width": 128, "height": 128}
    return {"sticker_id": known["id"], "product_id": 1, "images": [image], "images_with_background": [image]}


SHAPES = {
    "photo": _photo,
    "video": _video,
    "audio": _audio,
    "audio_message": _audio_message,
    "graffiti": _graffiti,
    "sticker": _sticker,
}
