"""
Where a VK document can be read.

An event brings a link to vk.com along, which redirects to a storage host and runs out after a time that VK doesn't
publish. A new one comes with the message when it is asked for again.
"""

from __future__ import annotations

import ipaddress
import time
from urllib.parse import urlsplit

import msgspec

from trio_s3_bot.errors import ChatUnreachable, DocumentRefused, Reason, RequestRefused, SourceUnavailable
from trio_s3_bot.messengers.vk_api import Api, Param
from trio_s3_bot.messengers.vk_types import FileId, VMessages, docs_of
from trio_s3_bot.model import Document, Secret, Source

LINK_AGE = 300  # seconds since the message's date for which the link of its event is used
USED = 1000  # documents of which it is remembered that their event's link was used
HOSTS = ("vk.com", "vk.ru", "userapi.com", "vkuser.net")  # and those below them
PAGES = ("vk.com", "vk.ru", "m.vk.com", "m.vk.ru")  # where nothing is stored
_HTML = (".html", ".htm", ".xhtml", ".xht", ".shtml")  # what may be served as a web page, being one


class Links:
    """
    Links to documents: that of the event once, while it is new; after that a fresh one for each attempt.

    On an API at a loopback address, documents may be at one too; its pages are where it is itself.
    """

    def __init__(self, api: Api, api_url: str) -> None:
        self._api = api
        host = urlsplit(api_url).hostname or ""
        here = _is_loopback(host)
        self._hosts = HOSTS + (("127.0.0.1", "localhost") if here else ())
        self._pages = PAGES + ((host,) if here else ())
        self._used: dict[str, None] = {}

    async def source(self, document: Document) -> Source:
        """
        Where the document can be read now; whoever reads it there makes sure that it is at VK.

        Raises `DocumentRefused` when there is no link any more, `SourceUnavailable`, `Unavailable` and `TokenRefused`.
        """
        file_id = msgspec.json.decode(document.file_id, type=FileId)
        url = await self._link(document.file_id, file_id)
        refuse_html = not (document.file_name or "").lower().endswith(_HTML)
        return Source(Secret(url), size=document.size, hosts=self._hosts, refuse_html=refuse_html, pages=self._pages)

    async def _link(self, key: str, file_id: FileId) -> str:
        unused = bool(file_id.url) and key not in self._used
        if not unused or time.time() - file_id.date > LINK_AGE:
            fresh = await self._fresh_link(file_id, needed=not unused)
            if fresh is not None:
                return fresh
            if not unused:
                raise DocumentRefused(Reason.GONE, "its message is gone, or is without it now")
        self._used[key] = None
        if len(self._used) > USED:
            del self._used[next(iter(self._used))]
        return file_id.url

    async def _fresh_link(self, file_id: FileId, *, needed: bool) -> str | None:
        """
        The link that the message has now; `None` when the message is gone, or the document from it.

        What VK refuses it may grant later: raises `SourceUnavailable` then if the link is needed.
        """
        where: dict[str, Param] = {
            "peer_id": file_id.peer_id,
            "conversation_message_ids": file_id.message_id,
        }
        try:
            found = await self._api.call("messages.getByConversationMessageId", where, VMessages)
        except ChatUnreachable:
            return None
        except RequestRefused as error:
            if needed:
                raise SourceUnavailable(f"there is no new link to it: {error}") from error
            return None
        docs = (doc for message in found.items for doc in docs_of(message))
        return next((doc.url for doc in docs if (doc.owner_id, doc.id) == (file_id.owner_id, file_id.doc_id)), None)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
