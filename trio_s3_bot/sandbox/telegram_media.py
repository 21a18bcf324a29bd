"""Messages with files in them, as the Bot API describes them."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Collection
from typing import Any

from .telegram_files import Files
from .world import Content

NAME_MAX = 255
EXOTIC_SPACES = re.compile("[\u00a0\u1680\u180e\u2000-\u200a\u202e\u202f\u205f\u2800\u3000]")

EXTRAS: dict[str, dict[str, Any]] = {
    "document": {},
    "video": {"width": 640, "height": 360, "duration": 7},
    "animation": {"width": 320, "height": 180, "duration": 2},
    "audio": {"duration": 180, "performer": "Somebody", "title": "Something"},
    "voice": {"duration": 4},
    "video_note": {"length": 240, "duration": 5},
    "sticker": {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False, "emoji": "👍"},
}
NAMED = frozenset(("document", "video", "animation", "audio"))


def cleaned_name(name: str) -> str:
    """What the server makes of a sender's file name: 255 characters, exotic spaces and U+202E as plain spaces."""
    return EXOTIC_SPACES.sub(" ", name)[:NAME_MAX].strip()


def media(
    files: Files,
    kind: str,
    content: Content,
    *,
    name: str | None = None,
    mime_type: str | None = None,
    file_size: int | None = None,
    omit: Collection[str] = (),
) -> dict[str, Any]:
    """
    The fields of a message that carries one file. An animation is also in `document`, a photo in several sizes.

    `file_size` is what the server announces, if not the truth; `omit` leaves out fields that the server may leave out.
    """
    if kind == "photo":
        return {"photo": _photo_sizes(files, content)}
    stored = files.add(content, kind, name)
    fields = {**stored.as_json(), **EXTRAS[kind]}
    if name is not None and kind in NAMED and cleaned_name(name):
        fields["file_name"] = cleaned_name(name)
    guessed = mime_type or (mimetypes.guess_type(name)[0] if name else None)
    if guessed and kind != "sticker":
        fields["mime_type"] = guessed
    if file_size is not None:
        fields["file_size"] = file_size
    described = {key: value for key, value in fields.items() if key not in omit}
    if kind != "animation":
        return {kind: described}
    document = {key: value for key, value in described.items() if key not in EXTRAS["animation"]}
    return {"animation": described, "document": document}


def _photo_sizes(files: Files, content: Content) -> list[dict[str, Any]]:
    small = files.add(Content.generated(min(1200, content.size)), "photo", "photo.jpg")
    full = files.add(content, "photo", "photo.jpg")
    return [{**small.as_json(), "width": 90, "height": 60}, {**full.as_json(), "width": 1280, "height": 853}]
