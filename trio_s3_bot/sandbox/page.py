"""
The chat page: a browser in the place of a phone.

    async with open_page([TelegramDesk(telegram)], s3, "files") as url: ...

A person types, sends files, presses buttons; replies, edits and the bucket's content appear as they happen.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from .page_app import ASSETS, PageApp, gone, impossible, no_space, not_found
from .page_desk import Desk
from .page_guard import Guard
from .s3 import S3
from .serving import serving, ungrouped
from .world import Changes


@asynccontextmanager
async def open_page(desks: Sequence[Desk], s3: S3, bucket: str, *, port: int = 0) -> AsyncIterator[str]:
    """
    Serve the page on 127.0.0.1 until the block ends; gives its URL.

    Files that people send are kept in a temporary folder, which is removed at the end.
    """
    changes = Changes()
    with tempfile.TemporaryDirectory(prefix="sandbox-page-") as folder:
        app = _routed(PageApp({desk.messenger: desk for desk in desks}, s3, bucket, Path(folder), changes))
        with ungrouped():
            async with trio.open_nursery() as nursery:
                for source in (s3.changes, *(desk.changes for desk in desks)):
                    nursery.start_soon(_pass_on, source, changes)
                async with serving(app, port=port) as address:
                    yield address + "/"
                nursery.cancel_scope.cancel()


async def _pass_on(source: Changes, target: Changes) -> None:
    count = source.count
    while True:
        count = await source.after(count)
        target.announce()


def _routed(page: PageApp) -> Starlette:
    assets = ["/", *(f"/{path.name}" for path in sorted(ASSETS.iterdir()))]
    return Starlette(
        routes=[
            *(Route(path, page.asset) for path in assets),
            Route("/events", page.events),
            Route("/people", page.people),
            Route("/people", page.add_person, methods=["POST"]),
            Route("/person", page.change_person, methods=["POST"]),
            Route("/say", page.say, methods=["POST"]),
            Route("/send", page.send, methods=["POST"]),
            Route("/press", page.press, methods=["POST"]),
            Route("/attachment/{person}/{message_id:int}", page.attachment),
            Route("/bucket/{key:path}", page.download),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={KeyError: not_found, ValueError: impossible, OSError: no_space, ClientDisconnect: gone},
    )
