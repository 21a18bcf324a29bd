"""Files as the Bot API hands them out: ids that last, paths that expire, and the 20 MiB limit of the cloud."""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from .telegram_replies import bad_request
from .world import Content

CLOUD_LIMIT = 20 * 2**20
PATH_LIFETIME = 3600.0

FOLDERS = {
    "document": "documents",
    "photo": "photos",
    "video": "videos",
    "audio": "music",
    "voice": "voice",
    "video_note": "video_notes",
    "animation": "animations",
    "sticker": "stickers",
    "thumbnail": "thumbnails",
}


@dataclass(eq=False)
class StoredFile:
    """A file somebody sent. `path` is where the file route serves it until `expires` (Unix seconds)."""

    content: Content
    kind: str
    extension: str
    file_id: str = field(default_factory=lambda: "BQACAgIAAx" + secrets.token_urlsafe(36))
    unique_id: str = field(default_factory=lambda: "AgAD" + secrets.token_urlsafe(8))
    path: str | None = None
    expires: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The fields every kind of file has; the size is left out when it is 0, as the real server does."""
        size = {"file_size": self.content.size} if self.content.size else {}
        return {"file_id": self.file_id, "file_unique_id": self.unique_id, **size}


class Files:
    """
    All files of one bot.

    `cloud_limit` is the greatest size in bytes that `getFile` gives out (`None`: a local server, no limit);
    `local_root` makes it a server started with `--local`, which answers absolute paths below that folder and has no
    file route; `lifetime` is how many seconds a path is good for; `honour_range` is whether the file route answers
    with partial content.
    """

    def __init__(self) -> None:
        self.cloud_limit: int | None = CLOUD_LIMIT
        self.local_root: Path | None = None
        self.lifetime = PATH_LIFETIME
        self.honour_range = True
        self._by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}
        self._numbers: Counter[str] = Counter()

    def add(self, content: Content, kind: str, name: str | None = None) -> StoredFile:
        """Keep a file; its path will have the extension of `name`, which may be of any letters."""
        stored = StoredFile(content, kind, os.path.splitext(name or "")[1])
        self._by_id[stored.file_id] = stored
        return stored

    def find(self, file_id: str) -> StoredFile:
        return self._by_id[file_id]

    def forget(self, file_id: str) -> None:
        """The file is gone for good; `getFile` refuses it from now on, and its path is dead."""
        stored = self._by_id.pop(file_id)
        if stored.path:
            self._by_path.pop(stored.path, None)

    def expire_paths(self) -> None:
        """Every path given out so far stops working, as after `lifetime` seconds."""
        self._by_path.clear()
        for stored in self._by_id.values():
            stored.path = None

    async def get_file(self, file_id: str, token: str) -> dict[str, Any]:
        """The method `getFile`; `token` is a part of the path on a local server."""
        if not file_id:
            raise bad_request("file_id not specified")
        stored = self._by_id.get(file_id)
        if stored is None:
            known = file_id.startswith("BQACAgIAAx")
            raise bad_request("wrong file_id or the file is temporarily unavailable" if known else "invalid file_id")
        if self.cloud_limit is not None and stored.content.size > self.cloud_limit:
            raise bad_request("file is too big")
        path = self._path_of(stored)
        if self.local_root is not None:
            path = await self._write(stored, self.local_root / token / path)
        return {**stored.as_json(), "file_path": path}

    def at(self, path: str) -> StoredFile | None:
        """What the file route serves at `path` now."""
        stored = self._by_path.get(path)
        return stored if stored and stored.expires > time.time() and self.local_root is None else None

    def _path_of(self, stored: StoredFile) -> str:
        if stored.path is None or stored.expires <= time.time():
            self._by_path.pop(stored.path or "", None)
            folder = FOLDERS[stored.kind]
            number = self._numbers[folder]
            self._numbers[folder] += 1
            stored.path = f"{folder}/file_{number}{stored.extension}"
            self._by_path[stored.path] = stored
        stored.expires = time.time() + self.lifetime
        return stored.path

    async def _write(self, stored: StoredFile, path: Path) -> str:
        """Put the file into the server's folder once; a second `getFile` finds it there."""

        def write() -> None:
            if path.exists() and path.stat().st_size == stored.content.size:
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as target:
                for chunk in stored.content.chunks():
                    target.write(chunk)

        await trio.to_thread.run_sync(write)
        return str(path)
