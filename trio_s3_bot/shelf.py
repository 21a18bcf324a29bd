"""Looking at saved files for people: whether they are still there, and links to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog
import trio

from trio_s3_bot.bucket import Bucket
from trio_s3_bot.conversation.state import Decision, Effect, Forget, MakeLink, Say
from trio_s3_bot.errors import ObjectRefused, StoreError
from trio_s3_bot.inbox import Files
from trio_s3_bot.model import Chat, SavedFile, Secret
from trio_s3_bot.notices import Card, FileList, Link, NoSuchFile

PATIENCE = 3  # seconds for looking; then a list shows what is on record
LONGEST_ADDRESS = 3600  # characters; with what is said about it, it has to fit into a message of 4096

log = structlog.get_logger()


class Shelf:
    """
    Does for a decision what needs the store: `link_lifetime` is in seconds, `page_sizes` says how many files a list
    shows at a time, by messenger.
    """

    def __init__(self, bucket: Bucket, files: Files, link_lifetime: int, page_sizes: Mapping[str, int]) -> None:
        self._bucket = bucket
        self._files = files
        self._link_lifetime = link_lifetime
        self._page_sizes = page_sizes

    async def prepared(self, chat: Chat, decision: Decision) -> Decision:
        """The decision with links made, after a look at the files that are about to be shown."""
        effects: list[Effect] = []
        for effect in decision.effects:
            match effect:
                case MakeLink():
                    effects.append(await self._link(chat, effect))
                case Say(notice=FileList() as shown):
                    size = self._page_sizes[chat.messenger]
                    await self._look_at(await self._files.page(chat, shown.page, shown.query, size))
                    effects.append(effect)
                case Say(notice=Card(upload=item)):
                    await self._look_at_one(chat, item)
                    effects.append(effect)
                case Forget(item=item):
                    effects += [effect] if await self._is_gone(chat, item) else []
                case _:
                    effects.append(effect)
        return replace(decision, effects=tuple(effects))

    async def _link(self, chat: Chat, effect: MakeLink) -> Say:
        file = await self._looked_at(chat, effect.item)
        if file is None or file.gone:
            return Say(NoSuchFile(name=file.name if file else None, reply_to=effect.reply_to))
        name = file.key.rpartition("/")[2]
        url = await self._address(file.key, name)
        link = Link(upload=file.id, name=name, url=url.reveal(), lifetime=self._link_lifetime, reply_to=effect.reply_to)
        return Say(link)

    async def _address(self, key: str, name: str) -> Secret:
        """
        A link that a message can hold. Where it would be too long, what it downloads is called as it was stored.

        A letter of a name that isn't ASCII takes six characters in a key, and ten more where a link says what its
        file is called. Raises `ObjectRefused` when even the key is too long, beside the credentials of a role.
        """
        for file_name in (name, None):
            url = await self._bucket.presign(key, lifetime=self._link_lifetime, file_name=file_name)
            if len(url.reveal()) <= LONGEST_ADDRESS:
                return url
        raise ObjectRefused(f"a link to it is longer than {LONGEST_ADDRESS} characters")

    async def _is_gone(self, chat: Chat, item: str) -> bool:
        file = await self._looked_at(chat, item)
        return file is not None and file.gone

    async def _looked_at(self, chat: Chat, item: str) -> SavedFile | None:
        """A file as it is after a look at it."""
        await self._look_at_one(chat, item)
        return await self._files.get(chat, item)

    async def _look_at_one(self, chat: Chat, item: str) -> None:
        file = await self._files.get(chat, item)
        await self._look_at([file] if file else [])

    async def _look_at(self, files: Sequence[SavedFile]) -> None:
        """Ask the store about each file; what it doesn't answer in time stays as it is on record."""
        found: list[tuple[SavedFile, bool]] = []

        async def look(file: SavedFile) -> None:
            try:
                there = await self._bucket.head(file.key)
            except StoreError as error:
                log.info("the store could not be asked about a file", error=str(error))
            else:
                found.append((file, there is None or (there.size, there.etag) != (file.size, file.etag)))

        with trio.move_on_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                for file in files:
                    nursery.start_soon(look, file)
        await self._files.mark(found)
