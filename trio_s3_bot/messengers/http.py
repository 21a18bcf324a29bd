"""What the messengers' APIs have in common: JSON over a pool of HTTP connections, and how that fails."""

from __future__ import annotations

import functools
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import httpx
import trio

from trio_s3_bot.errors import CheckFailed, Unavailable
from trio_s3_bot.model import Secret

SPARE = 10  # seconds that a request may take beyond its longest silence


class Connections:
    """Up to `limit` connections of `client`, `connect` being its seconds for that. Made by `open_connections`."""

    def __init__(self, client: httpx.AsyncClient, limit: int, connect: float) -> None:
        self._client = client
        self._connect = connect
        # httpcore 1.0.9 loses a pool slot for ever when a request is cancelled while it waits for one: let none wait.
        self._slots = trio.CapacityLimiter(limit)

    async def request(
        self,
        what: str,
        verb: str,
        url: str,
        *,
        read: float,
        json: object = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        turn: Callable[[], Awaitable[None]] | None = None,
    ) -> httpx.Response:
        """
        One request, with its body as JSON or as a form; `read` is how many seconds the server may be silent.

        `turn` is waited for last, when there is a connection: what has waited for one would come in a burst.

        Raises `Unavailable`, which says `what` failed and holds neither the URL nor a header: both may carry a secret.
        """
        timeout = httpx.Timeout(self._connect, read=read)
        async with self._slots:
            if turn is not None:
                await turn()
            with trio.move_on_after(read + SPARE):
                try:
                    return await self._client.request(verb, url, json=json, data=form, params=query, timeout=timeout)
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    # Not chained: an exception of httpx holds the request.
                    raise Unavailable(f"{what}: {_why(error)}") from None
        raise Unavailable(f"{what}: no answer in time")


@asynccontextmanager
async def open_connections(
    limit: int, *, proxy: Secret | None, connect: float, base_url: str = "", headers: Mapping[str, str] = {}
) -> AsyncIterator[Connections]:
    """Open a pool; without `proxy`, the environment's settings hold. `connect` is in seconds."""
    limits = httpx.Limits(max_connections=limit, max_keepalive_connections=limit)
    url = proxy.reveal() if proxy else None
    async with httpx.AsyncClient(
        base_url=base_url, headers=headers, proxy=url, limits=limits, verify=_certificates()
    ) as client:
        yield Connections(client, limit, connect)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """
    Whom to trust: httpx's own default, but read once for all pools, because nothing at a start takes longer.

    Raises `CheckFailed` when the environment names certificates that can't be read.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        what = f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names can't be read: {error.strerror or error}."
        raise CheckFailed(what, "Correct the variable, or unset it.") from error


def _why(error: httpx.HTTPError | httpx.InvalidURL) -> str:
    """What went wrong, and with which host; never the path, which may hold a token."""
    if not isinstance(error, httpx.RequestError):
        return type(error).__name__
    host = error.request.url.netloc.decode("ascii")
    return f"{host}: {_innermost(error) if isinstance(error, httpx.ConnectError) else type(error).__name__}"


def _innermost(error: BaseException) -> str:
    """The first cause of an error in words: "Connection refused"."""
    cause: BaseException | None = error
    while cause is not None:
        error = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else cause
        cause = error.__cause__ or error.__context__
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__


def sound_unicode(content: bytes) -> bytes:
    """
    JSON as it can be decoded: it may escape half a surrogate pair, which no string here can hold.

    Such halves become question marks. Raises `ValueError` or `RecursionError` for what is no JSON.
    """
    if rb"\ud" not in content.lower():
        return content
    return json.dumps(json.loads(content), ensure_ascii=False).encode(errors="replace")
