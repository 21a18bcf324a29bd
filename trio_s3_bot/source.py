"""
Reading a document where its messenger keeps it: over HTTP or from a folder, in a thread, into somebody's buffer.

urllib3 and not httpx: under trio, httpx takes 2 CPU seconds for a GB over http and 6 over TLS; this takes 0.3 and 1.
"""

from __future__ import annotations

import ipaddress
import os
import re
import time
import urllib.request
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO
from urllib.parse import unquote, urljoin, urlsplit

import trio
import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from trio_s3_bot.errors import DocumentRefused, OperatorNeeded, Reason, SourceExpired, SourceUnavailable
from trio_s3_bot.model import Secret, Source
from trio_s3_bot.patience import SHIPPED, Timeouts

PIECE = 256 * 1024  # bytes read between two looks for a cancel
REDIRECTS = 5
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class Pools:
    """
    The connections for file bodies, straight and through a proxy.

    urllib3 doesn't read the environment's proxy settings as httpx and botocore do, so that is done here: without
    `proxy`, HTTP_PROXY, HTTPS_PROXY and NO_PROXY hold.
    """

    def __init__(self, proxy: Secret | None, connections: int, timeouts: Timeouts = SHIPPED.timeouts) -> None:
        self._connections = connections
        self._timeout = urllib3.Timeout(connect=timeouts.connect, read=timeouts.body)
        self.piece = timeouts.piece
        self._always = proxy
        self._direct = urllib3.PoolManager(maxsize=connections, timeout=self._timeout, retries=False)
        self._through: dict[str, urllib3.PoolManager] = {}

    def get(self, url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """Ask for `url`; the body is left to be read, redirects are left to the caller."""
        pool = self._pool_for(url)
        return pool.request("GET", url, headers=headers, preload_content=False, decode_content=False, redirect=False)

    def close(self) -> None:
        for pool in (self._direct, *self._through.values()):
            pool.clear()

    def _pool_for(self, url: str) -> urllib3.PoolManager:
        parts = urlsplit(url)
        if self._always:
            return self._proxied(self._always.reveal())
        found = urllib.request.getproxies().get(parts.scheme)
        if not found or urllib.request.proxy_bypass(parts.hostname or ""):
            return self._direct
        return self._proxied(found)

    def _proxied(self, proxy: str) -> urllib3.PoolManager:
        if proxy not in self._through:
            parts = urlsplit(proxy)
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
            self._through[proxy] = urllib3.ProxyManager(
                proxy,
                proxy_headers=urllib3.make_headers(proxy_basic_auth=login),
                maxsize=self._connections,
                timeout=self._timeout,
                retries=False,
            )
        return self._through[proxy]


class Reader:
    """
    One pass over a source, used by one thread at a time; only `interrupt`, `waits_for` and `close` may be called from
    another.
    """

    def __init__(self, source: Source, pools: Pools) -> None:
        self._source = source
        self._pools = pools
        self._file: BinaryIO | None = None
        self._response: urllib3.BaseHTTPResponse | None = None
        self._position = 0
        self._interrupted = False
        self._asked_at: float | None = None

    def is_at(self, position: int) -> bool:
        """Whether the next byte to be read is the one at `position`."""
        return (self._file is not None or self._response is not None) and position == self._position

    def go_to(self, position: int) -> None:
        """
        Open the source, if need be, such that the next byte to be read is the one at `position`.

        A server may be silent for long before it answers, and nothing can end that wait; so the thread that does this
        may be abandoned. Raises `SourceUnavailable`, `SourceExpired`, `DocumentRefused`.
        """
        with _translated():
            self._go_to(position)
        if self._interrupted:
            self.close()

    def read_into(self, view: memoryview, count: Callable[[int], None] = lambda _: None) -> int:
        """
        Fill `view` with the next bytes; returns how many there were, fewer only at the end.

        `count` is told how many there are so far, in this thread. Raises `SourceUnavailable`; `trio.Cancelled` soon
        after a cancel.
        """
        with _translated():
            filled = 0
            while filled < len(view):
                trio.from_thread.check_cancelled()
                came = self._read(view[filled : filled + PIECE])
                if came == 0:
                    break
                filled += came
                count(filled)
        return filled

    def waits_for(self) -> float:
        """How many seconds the piece that is being read has taken by now; 0 while none is."""
        asked_at = self._asked_at
        return 0 if asked_at is None else time.monotonic() - asked_at

    def interrupt(self) -> None:
        """Make a read that waits for the network end now."""
        self._interrupted = True
        if self._response is not None and not self._response.closed:
            self._response.shutdown()

    def close(self) -> None:
        """Let go of the file or the connection; one with bytes left in it isn't used again."""
        if self._file is not None:
            self._file.close()
        if self._response is not None:
            self._response.close()
        self._file = self._response = None

    def _go_to(self, position: int) -> None:
        if self._file is None and self._response is None:
            self._open(position)
        elif self._file is not None:
            self._file.seek(position)
            self._position = position
        elif position != self._position:
            self.close()
            self._open(position)
        if self._position < position:
            self._skip(position - self._position)

    def _skip(self, count: int) -> None:
        """Read past what is in the store already: this source can't begin in the middle."""
        scratch = memoryview(bytearray(min(PIECE, count)))
        while count:
            trio.from_thread.check_cancelled()
            got = self._read(scratch[: min(len(scratch), count)])
            if got == 0:
                raise SourceUnavailable("the document is shorter than what was read of it before")
            count -= got

    def _read(self, view: memoryview) -> int:
        stream = self._file if self._file is not None else self._response
        assert stream is not None
        self._asked_at = time.monotonic()
        try:
            count = stream.readinto(view)  # type: ignore[union-attr]
        except Exception:
            self._raise_if_interrupted()  # what the read ends with then depends on how the body is framed
            raise
        finally:
            self._asked_at = None
        self._raise_if_interrupted()
        self._position += count
        return count

    def _raise_if_interrupted(self) -> None:
        if self._interrupted:
            trio.from_thread.check_cancelled()
            raise SourceUnavailable("the document comes too slowly") from None

    def _open(self, position: int) -> None:
        self._position = 0
        if self._source.path is not None:
            self._open_file(position)
        else:
            self._open_url(position)

    def _open_file(self, position: int) -> None:
        assert self._source.path is not None
        try:
            self._file = open(self._source.path, "rb")  # noqa: SIM115 - closed by `close`
            on_disk = os.fstat(self._file.fileno()).st_size
        except FileNotFoundError:
            raise SourceExpired("its file has been removed") from None
        except PermissionError as error:
            advice = "Let the bot's user read what the local Bot API server has fetched."
            raise OperatorNeeded(f"a document's file can't be read: {error.strerror}", advice, 60) from error
        except OSError as error:
            raise SourceUnavailable(f"its file can't be read: {error.strerror}") from error
        if self._source.size is not None and self._source.size != on_disk:
            raise SourceUnavailable(f"{on_disk} bytes on disk where {self._source.size} were announced")
        self._file.seek(position)
        self._position = position

    def _open_url(self, position: int) -> None:
        response, url = self._get(position)
        if position and _is_of_another_range(response, position, self._source.size):
            # A server that has its own way with ranges: what it gives from the start can be trusted.
            response.close()
            (response, url), position = self._get(0), 0
        self._accept(response, url, position)

    def _get(self, position: int) -> tuple[urllib3.BaseHTTPResponse, str]:
        """The answer to a request for the bytes from `position` on, whatever it is, and where redirects led to."""
        assert self._source.url is not None
        url = self._source.url.reveal()
        if self._source.hosts:
            url = permitted(url, self._source.hosts)
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={position}-"} if position else {})
        for _ in range(REDIRECTS + 1):
            response = self._pools.get(url, headers)
            location = response.headers.get("Location") if 300 <= response.status < 400 else None
            if location is None:
                return response, url
            response.close()
            url = permitted(location, self._source.hosts, seen_from=url)
        raise SourceUnavailable("the document's address redirects without end")

    def _accept(self, response: urllib3.BaseHTTPResponse, url: str, position: int) -> None:
        self._response = response
        status = response.status
        if status == 416 and _ends_at(response, position):
            self._open_at_end(position)
            return
        if status in (401, 403, 404, 410):
            raise SourceExpired(f"HTTP {status} for the document")
        if status not in (200, 206):
            raise SourceUnavailable(f"HTTP {status} for the document")
        is_page = self._source.refuse_html and "html" in response.headers.get("Content-Type", "").lower()
        if is_page or parse_url(url).host in self._source.pages:
            raise SourceExpired("a web page came in place of the document")
        if status == 206:
            if not _holds(response, position, self._source.size):
                raise SourceUnavailable("a partial answer of another range than was asked for")
            self._position = position

    def _open_at_end(self, position: int) -> None:
        """Nothing comes after `position`, which only the server knew; what it answers is no byte of the document."""
        self.close()
        self._file = BytesIO()
        self._position = position


def permitted(url: str, hosts: Collection[str], *, seen_from: str = "") -> str:
    """
    The address as it is connected to, if it may be: at one of `hosts` or below it, over TLS, at the usual port.

    `seen_from` is the one that redirects there. It is judged by the parser of the library that connects, because
    another one may see another host in the same text. Only at a loopback address, where that is among `hosts`, TLS and
    the port don't matter. Raises `DocumentRefused`.
    """
    try:
        parts = parse_url(urljoin(seen_from, url))
    except ValueError:
        raise DocumentRefused(Reason.NOT_READABLE, "its address can't be understood") from None
    host = parts.host or ""
    if not any(host == known or host.endswith(f".{known}") for known in hosts):
        raise DocumentRefused(Reason.NOT_READABLE, f"its address leads to {host or 'nowhere'}")
    if parts.auth is not None:
        raise DocumentRefused(Reason.NOT_READABLE, f"its address leads to {host} with a user name")
    if not _is_loopback(host) and (parts.scheme, parts.port or 443) != ("https", 443):
        raise DocumentRefused(Reason.NOT_READABLE, f"its address leads to {host}, but not over TLS at its usual port")
    return parts.url


def _is_of_another_range(response: urllib3.BaseHTTPResponse, position: int, size: int | None) -> bool:
    """Whether the answer is neither the range that was asked for nor about the document as a whole."""
    if response.status == 206:
        return not _holds(response, position, size)
    return response.status == 416 and not _ends_at(response, position)


def _ends_at(response: urllib3.BaseHTTPResponse, position: int) -> bool:
    """RFC 9110, section 15.5.17: a 416 says in Content-Range how long the document is."""
    return response.headers.get("Content-Range") == f"bytes */{position}"


def _holds(response: urllib3.BaseHTTPResponse, position: int, size: int | None) -> bool:
    """
    Whether a 206 holds the bytes from `position` to the end of what was announced.

    RFC 9110, section 15.3.7: it says so in Content-Range; what wasn't asked for is not trusted.
    """
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != position:
        return False
    total = size if found[3] == "*" else int(found[3])
    return size in (None, total) and total in (None, int(found[2]) + 1)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _translated() -> Iterator[None]:
    """urllib3's errors as ours. Not chained: they hold the URL, and with it the token."""
    try:
        yield
    except HTTPError as error:
        raise SourceUnavailable(f"the document could not be read: {type(error).__name__}") from None
    except OSError as error:
        raise SourceUnavailable(f"the document could not be read: {error.strerror or type(error).__name__}") from None
