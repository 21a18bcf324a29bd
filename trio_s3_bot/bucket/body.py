"""
The body of a PutObject or an UploadPart: a window on a reused buffer that can be sent again, stopped and watched.

boto3 sends what has `read` in a thread. A `bytearray` would go out in one call that nothing can stop; this goes out in
pieces, and between two of them a cancelled trio task ends the request.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import IO, cast

import trio

PIECE = 256 * 1024
"""
The least that `read` returns, in bytes, whatever it is asked for; the end excepted.

Python's calls per GB fall with it (urllib3 asks for 128 KiB). It can't be much larger: sending one piece must not take
longer than the connect timeout, which urllib3 applies to each of them.
"""


class Body:
    """
    A file-like object over `data`, which must not change until the request has ended.

    `on_progress` is called in the thread that sends, with the number of bytes that the socket has taken: it grows
    from 0 to the size, and starts again at 0 when the request is sent again. Reading for the signature is not progress.
    """

    def __init__(self, data: bytes | bytearray | memoryview, on_progress: Callable[[int], None] | None = None) -> None:
        self._data = memoryview(data).cast("B")
        self._on_progress = on_progress
        self._position = 0
        self._sending = False

    def __len__(self) -> int:
        return len(self._data)

    def read(self, size: int = -1) -> memoryview:
        """
        The next piece: at least `PIECE` bytes or what is left, without a copy.

        Raises `trio.Cancelled` when the task that waits for this thread is cancelled.
        """
        trio.from_thread.check_cancelled()
        if self._sending and self._on_progress is not None:
            self._on_progress(self._position)
        stop = len(self._data) if size < 0 else self._position + max(size, PIECE)
        piece = self._data[self._position : stop]
        self._position += len(piece)
        return piece

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position; botocore does so to measure, to sign and to send again."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._data)}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def begin_sending(self) -> None:
        """From here on, what is read goes to the socket. Before that, over plain http, it goes into the signature."""
        self._sending = True

    def from_start(self) -> IO[bytes]:
        """This body, rewound for a request, as the file that boto3's types want; it needs no more of one."""
        self._position, self._sending = 0, False
        return cast("IO[bytes]", self)

    def crc32(self) -> int:
        """The CRC32 of all of it; 0.3 s per GB, without holding the GIL."""
        return zlib.crc32(self._data)
