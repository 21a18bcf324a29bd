"""The chat page's HTTP side: what a person does comes as POSTs, what they see goes out as server-sent events."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import trio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import ASGIApp

from .page_desk import Desk, Upload
from .page_feed import Feed, people_of
from .replies import Reply
from .s3 import S3
from .world import Changes, Content

ASSETS = Path(__file__).with_name("page")
PRESS_ANSWER = 30.0
"""Seconds that a pressed button waits for the bot's answer."""

PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n": "image/png", b"GIF8": "image/gif"}


class PageApp:
    """The handlers. `folder` is where uploaded files are kept; `bucket` is what the panel shows."""

    def __init__(self, desks: Mapping[str, Desk], s3: S3, bucket: str, folder: Path, changes: Changes) -> None:
        self._desks = desks
        self._s3 = s3
        self._bucket = bucket
        self._folder = folder
        self._changes = changes

    async def asset(self, request: Request) -> Response:
        """One of the page's own files; they are listed in the routes, so no other path comes here."""
        return FileResponse(ASSETS / (request.url.path.lstrip("/") or "index.html"))

    async def events(self, request: Request) -> ASGIApp:
        """All that one person sees, in full at first and then as it changes."""
        desk, person = self._person(request.query_params.get("person", ""))
        desks = list(self._desks.values())
        return Feed(desk, person, desks, lambda: self._s3.objects(self._bucket), self._bucket, self._changes)

    async def people(self, request: Request) -> Response:  # noqa: ARG002
        """Whom one can be."""
        return JSONResponse(people_of(list(self._desks.values())))

    async def add_person(self, request: Request) -> Response:
        values = await request.json()
        desk = self._desks[values["messenger"]]
        person = desk.add_person(values["name"].strip() or "Somebody", values["language"])
        return JSONResponse({"id": f"{desk.messenger}:{person.id}"})

    async def change_person(self, request: Request) -> Response:
        values = await request.json()
        desk, person = self._person(values["person"])
        name = (values.get("name") or "").strip()
        desk.change_person(person, name=name or None, language=values.get("language"))
        return Response(status_code=204)

    async def say(self, request: Request) -> Response:
        values = await request.json()
        desk, person = self._person(values["person"])
        desk.say(person, values["text"], values.get("reply_to"))
        return Response(status_code=204)

    async def send(self, request: Request) -> Response:
        """Send a file: its bytes are the body, everything else is in the query. They go to disk as they come."""
        query = request.query_params
        desk, person = self._person(query["person"])
        upload = Upload(
            name=query["name"],
            mime_type=request.headers.get("content-type") or None,
            content=Content.file(await self._receive(request)),
            photo=query.get("photo") == "1",
            caption=query.get("caption") or None,
            album=query.get("album") or None,
            album_size=int(query.get("album_size") or 1),
            reply_to=int(query["reply_to"]) if query.get("reply_to") else None,
        )
        desk.send(person, upload)
        return Response(status_code=204)

    async def press(self, request: Request) -> Response:
        """Press a button; the answer is the bot's, or empty when it gives none in time."""
        values = await request.json()
        desk, person = self._person(values["person"])
        answer: dict[str, Any] = {}
        with trio.move_on_after(PRESS_ANSWER):
            answer = await desk.press(person, int(values["message_id"]), values["data"])
        return JSONResponse({"text": answer.get("text", ""), "alert": bool(answer.get("show_alert"))})

    async def attachment(self, request: Request) -> ASGIApp:
        """A file from a chat: pictures to be seen, everything else to be saved."""
        desk, person = self._person(request.path_params["person"])
        index = int(request.query_params.get("index") or 0)
        name, content = desk.attachment(person, request.path_params["message_id"], index)
        start = await trio.to_thread.run_sync(content.read, 0, 8)
        picture = next((kind for magic, kind in PICTURES.items() if start.startswith(magic)), None)
        return Reply(200, content, {"content-type": picture} if picture else _saved_as(name))

    async def download(self, request: Request) -> ASGIApp:
        """An object of the bucket, to be saved; never shown, because its content is anybody's."""
        key = request.path_params["key"]
        return Reply(200, self._s3.content(self._bucket, key), _saved_as(key.rpartition("/")[2] or key))

    async def _receive(self, request: Request) -> Path:
        """Stream a body into a new file; a file that did not come whole is removed."""
        path = self._folder / secrets.token_hex(8)
        try:
            async with await trio.open_file(path, "xb") as target:
                async for chunk in request.stream():
                    await target.write(chunk)
        except (OSError, ClientDisconnect):
            path.unlink(missing_ok=True)
            raise
        return path

    def _person(self, key: str) -> tuple[Desk, str]:
        messenger, _, person = key.partition(":")
        desk = self._desks[messenger]
        if all(known.id != person for known in desk.people()):
            raise KeyError(key)
        return desk, person


async def not_found(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return JSONResponse({"error": f"There is no {error}."}, status_code=404)


async def impossible(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return JSONResponse({"error": str(error)}, status_code=409)


async def no_space(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return JSONResponse({"error": f"The file could not be kept: {error}"}, status_code=507)


async def gone(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """The browser hung up in the middle of a body; nobody reads this answer."""
    return Response(status_code=400)


def _saved_as(name: str) -> dict[str, str]:
    """Headers that make a browser save a file under a name of any letters (RFC 6266, RFC 8187)."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return {"content-type": "application/octet-stream", "content-disposition": disposition}
