"""
Documents as VK hands them out: a link to vk.com that runs out, which redirects to a link on a storage host.

What VK knows of a document is its title, its size, and the extension of the stored file; there is no MIME type.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import os
import re
import secrets
import struct
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from .world import Content

LINK_LIFETIME = 3600.0
STORED_NAME_MAX = 60

KINDS = {
    1: "txt doc docx xls xlsx ppt pptx rtf pdf odt csv",
    2: "zip rar 7z tar gz bz2",
    3: "gif",
    4: "png jpg jpeg bmp tif tiff webp psd",
    5: "wav ogg m4a flac",
    6: "mp4 avi mkv mov webm",
    7: "epub fb2 mobi djvu",
}
KIND_OF = {extension: kind for kind, extensions in KINDS.items() for extension in extensions.split()}
UNKNOWN_KIND = 8

STORAGE_PATH = re.compile(r"/c909618/u(-?\d+)/docs/d(\d+)/.*")
UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\u2028\u2029]")


@dataclass(eq=False)
class StoredDoc:
    """A document somebody sent. `size` is what VK announces, in bytes; `gone` once it was deleted."""

    owner_id: int
    id: int
    title: str
    extension: str
    content: Content
    size: int
    date: int = field(default_factory=lambda: int(time.time()))
    access_key: str = field(default_factory=lambda: secrets.token_hex(9))
    hash: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    gone: bool = False

    @property
    def file_id(self) -> str:
        return f"{self.owner_id}_{self.id}"

    @property
    def stored_name(self) -> str:
        """The name in the storage's URL."""
        name = UNFIT.sub("_", self.title[:STORED_NAME_MAX])
        return name if name.lower().endswith(f".{self.extension}") or not self.extension else f"{name}.{self.extension}"


class Docs:
    """
    All documents, and the links to them.

    `pages_url` is where vk.com is, `storage_url` where the storage host is. `lifetime` is how many seconds a new link
    is good for, on either. `honour_range` is whether the storage answers with partial content, `gone_status` how it
    answers a link that has run out.
    """

    def __init__(self) -> None:
        self.pages_url = ""
        self.storage_url = ""
        self.lifetime = LINK_LIFETIME
        self.honour_range = True
        self.gone_status = 404
        self._key = secrets.token_bytes(16)
        self._ids = itertools.count(446_688_001)
        self._docs: dict[str, StoredDoc] = {}

    def add(
        self, owner_id: int, title: str, content: Content, *, extension: str | None = None, size: int | None = None
    ) -> StoredDoc:
        """Keep a document. Its extension is that of `title` unless told, its size the truth unless told."""
        known = os.path.splitext(title)[1].removeprefix(".") if extension is None else extension
        announced = content.size if size is None else size
        doc = StoredDoc(owner_id, next(self._ids), title, known.lower(), content, announced)
        self._docs[doc.file_id] = doc
        return doc

    def find(self, file_id: str) -> StoredDoc:
        """The document `<owner>_<id>`; `KeyError` if there is none."""
        return self._docs[file_id]

    def forget(self, file_id: str) -> None:
        """Its owner deletes it: messages still show it, its links lead to an error page."""
        self._docs[file_id].gone = True

    def expire_links(self) -> None:
        """Every link given out so far stops working, as after `lifetime` seconds."""
        self._key = secrets.token_bytes(16)

    def as_json(self, doc: StoredDoc, omit: Collection[str] = ()) -> dict[str, Any]:
        """The document as a message shows it, with a link of this moment."""
        described = {
            "id": doc.id,
            "owner_id": doc.owner_id,
            "title": doc.title,
            "size": doc.size,
            "ext": doc.extension,
            "date": doc.date,
            "type": KIND_OF.get(doc.extension, UNKNOWN_KIND),
            "url": self.page_link(doc),
            "is_licensed": 0,
            "access_key": doc.access_key,
        }
        return {key: value for key, value in described.items() if key not in omit}

    def renewed(self, message: dict[str, Any]) -> dict[str, Any]:
        """A message with new links in it, also in what it quotes and forwards."""
        new = {**message, "attachments": [self._renewed(attachment) for attachment in message["attachments"]]}
        if "reply_message" in message:
            new["reply_message"] = self.renewed(message["reply_message"])
        new["fwd_messages"] = [self.renewed(inner) for inner in message.get("fwd_messages", [])]
        return new

    def page_link(self, doc: StoredDoc) -> str:
        query = {"hash": doc.hash, "dl": self._signed("dl", doc), "api": "1", "no_preview": "1"}
        return f"{self.pages_url}/doc{doc.file_id}?{urlencode(query)}"

    def storage_link(self, doc: StoredDoc) -> str:
        name = quote(doc.stored_name, safe="", errors="replace")
        query = urlencode({"extra": self._signed("extra", doc)})
        return f"{self.storage_url}/c909618/u{doc.owner_id}/docs/d{doc.id}/{name}?{query}"

    def by_page(self, file_id: str, query: Mapping[str, str]) -> StoredDoc | None:
        """The document that a link on vk.com is good for now."""
        doc = self._docs.get(file_id)
        if doc is None or doc.gone or query.get("hash") != doc.hash:
            return None
        return doc if self._good("dl", doc, query.get("dl", "")) else None

    def by_storage(self, path: str, query: Mapping[str, str]) -> StoredDoc | None:
        """The document that a link on the storage host is good for now."""
        match = STORAGE_PATH.fullmatch(path)
        doc = self._docs.get(f"{match[1]}_{match[2]}") if match else None
        return doc if doc and not doc.gone and self._good("extra", doc, query.get("extra", "")) else None

    def _renewed(self, attachment: dict[str, Any]) -> dict[str, Any]:
        shown = attachment.get(attachment["type"], {})
        if "attachments" in shown:
            inner = [self._renewed(inside) for inside in shown["attachments"]]
            return {**attachment, attachment["type"]: {**shown, "attachments": inner}}
        doc = self._docs.get(f"{shown.get('owner_id')}_{shown.get('id')}") if attachment["type"] == "doc" else None
        return {**attachment, "doc": {**shown, "url": self.page_link(doc)}} if doc and "url" in shown else attachment

    def _signed(self, purpose: str, doc: StoredDoc) -> str:
        return self._mark(purpose, doc, struct.pack(">d", time.time() + self.lifetime))

    def _good(self, purpose: str, doc: StoredDoc, mark: str) -> bool:
        try:
            expires = base64.urlsafe_b64decode(mark)[:8]
            return self._mark(purpose, doc, expires) == mark and struct.unpack(">d", expires)[0] > time.time()
        except (ValueError, struct.error):
            return False

    def _mark(self, purpose: str, doc: StoredDoc, expires: bytes) -> str:
        sealed = f"{purpose} {doc.file_id}".encode() + expires
        return base64.urlsafe_b64encode(expires + hmac.digest(self._key, sealed, hashlib.sha256)[:19]).decode()
