"""One HTTP/1.1 connection: a stream and h11's view of it, and messages that are read from it piece by piece."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable

import h11
import trio

RECEIVE_SIZE = 128 * 1024
"""
Bytes asked for at once. Large pieces make relaying cheap, up to the size for which malloc maps fresh pages each time:
measured over loopback, 64 KiB cost 1.4 CPU s/GB, 128 KiB 0.9, 160 KiB and more 1.5.
"""

LOOK_AHEAD = 1024 * 1024
"""Bytes of a body that are held at most where it has to be seen before it is passed on."""

_PIECES_PER_SECOND = 20
_LINGER_SECONDS = 1.0
# Only Linux tells of a peer that has closed while bytes of it still wait to be read.
_PEER_CLOSED = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR

Send = Callable[[h11.Event], Awaitable[None]]


class PeerLost(Exception):
    """
    The other end of `wire` is gone, or never was there if that is `None`.

    `reset`: the connection broke; otherwise it was closed in the middle of a message, or the peer doesn't speak HTTP.
    """

    def __init__(self, wire: Wire | None, *, reset: bool) -> None:
        self.wire, self.reset = wire, reset
        super().__init__("reset" if reset else "closed")


class Wire:
    """A connection in the role of h11.SERVER (towards a client) or h11.CLIENT (towards a server)."""

    def __init__(self, stream: trio.SocketStream, role: type[h11.CLIENT] | type[h11.SERVER]) -> None:
        self._stream = stream
        self.conn = h11.Connection(role, max_incomplete_event_size=64 * 1024)

    async def next_event(self) -> h11.Event:
        """The next event of the peer; PeerLost when it broke off or broke the protocol."""
        try:
            while (event := self.conn.next_event()) is h11.NEED_DATA:
                await self.fill()
        except h11.RemoteProtocolError as error:
            raise PeerLost(self, reset=False) from error
        if isinstance(event, h11.Event):
            return event
        raise PeerLost(self, reset=False)  # it asks for another protocol

    async def fill(self) -> int:
        """Receive something and return its size; 0 is the end of the stream."""
        try:
            data = await self._stream.receive_some(RECEIVE_SIZE)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise PeerLost(self, reset=True) from error
        self.conn.receive_data(data)
        return len(data)

    async def send(self, event: h11.Event) -> None:
        """Send an event; the bytes of a Data event of known length are not copied."""
        pieces = self.conn.send_with_data_passthrough(event)
        if pieces:
            await self.send_raw(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    async def send_raw(self, data: bytes) -> None:
        """Send bytes behind h11's back, which is of no use for this connection afterwards."""
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise PeerLost(self, reset=True) from error

    def recycle(self) -> bool:
        """Make ready for the next request and answer; False when the connection can't have one."""
        if self.conn.our_state is not h11.DONE or self.conn.their_state is not h11.DONE:
            return False
        self.conn.start_next_cycle()
        return True

    def quiet(self) -> bool:
        """True while nothing has come, neither bytes nor the end: an idle connection that can be used again."""
        return not self._stream.socket.is_readable()

    def peer_closed(self) -> bool:
        """True when the peer has closed, even though bytes of it wait to be read (on Linux), or when we have."""
        if self._stream.socket.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(self._stream.socket.fileno(), _PEER_CLOSED)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close with a FIN; with an RST if bytes of the peer were not read, as TCP has it."""
        self._stream.socket.close()

    def reset(self) -> None:
        """Close with an RST, throwing away what the kernel hasn't sent yet."""
        if self._stream.socket.fileno() >= 0:
            self._stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._stream.socket.close()

    async def linger(self) -> None:
        """Say that no more comes and read on for a while, lest an RST destroy the last answer (RFC 9112, 9.6)."""
        with (
            trio.move_on_after(_LINGER_SECONDS),
            contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError),
        ):
            await self._stream.send_eof()
            while await self._stream.receive_some(RECEIVE_SIZE):
                pass


class Incoming:
    """
    A request or an answer whose head has come, and whose body is read in the pieces in which it comes.

    `length` is that of the body in bytes, `None` where the head doesn't tell; `held` is how many were read ahead.
    """

    def __init__(self, wire: Wire, length: int | None) -> None:
        self.length = length
        self.held = 0
        self.trailers: list[tuple[bytes, bytes]] = []
        self._wire, self._complete = wire, False
        self._ahead: deque[bytes] = deque()

    async def read(self) -> bytes:
        """The next piece of the body; empty at its end."""
        if not self._ahead:
            return await self._receive()
        data = self._ahead.popleft()
        self.held -= len(data)
        return data

    async def read_ahead(self, limit: int) -> None:
        """Receive the body into memory, to its end or until `limit` bytes are held."""
        while self.held < limit and (data := await self._receive()):
            self._ahead.append(data)
            self.held += len(data)

    async def discard(self) -> None:
        """Read the body to its end."""
        while await self.read():
            pass

    async def _receive(self) -> bytes:
        if self._complete:
            return b""
        event = await self._wire.next_event()
        if isinstance(event, h11.Data):
            return event.data
        if isinstance(event, h11.EndOfMessage):
            self._complete, self.trailers = True, list(event.headers.raw_items())
        return b""


def announced_length(head: h11.Request | h11.Response) -> int | None:
    """Bytes of the body as the head tells (RFC 9112, 6.3), but for answers that have none by their nature."""
    fields = dict(head.headers)
    if b"transfer-encoding" in fields:
        return None
    if b"content-length" in fields:
        return int(fields[b"content-length"])
    return 0 if isinstance(head, h11.Request) else None


async def copy(message: Incoming, send: Send, bytes_per_second: int | None = None) -> None:
    """Send the body of `message` and its end, as fast as it comes or at most at the given rate."""
    while data := await message.read():
        if bytes_per_second is None:
            await send(h11.Data(data=data))
        else:
            await _trickle(data, send, bytes_per_second)
    await send(h11.EndOfMessage(headers=message.trailers))


async def copy_some(message: Incoming, send: Send, limit: int) -> None:
    """Send at most `limit` bytes of the body of `message`, and not its end."""
    while limit > 0 and (data := await message.read()):
        await send(h11.Data(data=data[:limit]))
        limit -= len(data)


async def _trickle(data: bytes, send: Send, bytes_per_second: int) -> None:
    size = max(1, bytes_per_second // _PIECES_PER_SECOND)
    for start in range(0, len(data), size):
        piece = data[start : start + size]
        await trio.sleep(len(piece) / bytes_per_second)
        await send(h11.Data(data=piece))
