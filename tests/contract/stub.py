"""
A scripted S3 server for answers that no real one gives on demand, and a bad way to a real one.

The script sees each request and says what to answer: a `Reply`, or `HANG_UP` to close the connection without one.
`forward` asks a real server, so a script can lose an answer, drop a header or refuse one request in a working store.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_NOT_FORWARDED = frozenset({"connection", "content-length", "transfer-encoding"})


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]  # names in lower case
    body: bytes
    target: str


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


HANG_UP = None
Script = Callable[[Request], Reply | None]


def error(status: int, code: str, message: str = "", more: str = "", headers: dict[str, str] | None = None) -> Reply:
    """An error as S3 words it."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>"
    return Reply(status, body.encode(), {"Content-Type": "application/xml"} | (headers or {}))


class Stub:
    """What the script answered so far is in `requests`, in the order of arrival."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.server = _Server(("127.0.0.1", 0), partial(_Handler, self))
        self.scheme = "https" if tls else "http"
        if tls:
            # Without the lazy handshake, one client that says nothing would stop all others.
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://{self.address}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up or speak no TLS are what some of the tests are about."""


@contextmanager
def stub(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Stub]:
    """Serve `script` on a free port of loopback until the block ends."""
    serving = Stub(script, tls)
    thread = threading.Thread(target=serving.server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield serving
    finally:
        serving.server.shutdown()
        thread.join()
        serving.server.server_close()


def forward(endpoint: str, asked: Request, *, drop: frozenset[str] = frozenset()) -> Reply:
    """What the server at `endpoint` answers to the request, sent on as it came but for the headers in `drop`."""
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=30)
    headers = {name: value for name, value in asked.headers.items() if name not in _NOT_FORWARDED | drop}
    try:
        connection.request(asked.method, asked.target, asked.body, headers)
        answer = connection.getresponse()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _NOT_FORWARDED}
        if asked.method == "HEAD":
            kept["Content-Length"] = answer.headers["Content-Length"] or "0"
        return Reply(answer.status, answer.read(), kept)
    finally:
        connection.close()


@contextmanager
def mute() -> Iterator[str]:
    """A port that takes connections and never says a word; yields `host:port`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def closed() -> Iterator[str]:
    """A port that nobody listens on and nobody else can take meanwhile; yields `host:port`."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, serving: Stub, *connection: Any) -> None:
        self.serving = serving
        super().__init__(*connection)

    def answer(self) -> None:
        asked = self.read_request()
        if len(asked.body) < int(self.headers.get("Content-Length", 0)):
            self.close_connection = True
            return
        self.serving.requests.append(asked)
        reply = self.serving.script(asked)
        if reply is None:
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        usual = {"Content-Length": str(len(reply.body)), "Date": self.date_time_string()}
        for name, value in (usual | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

    def read_request(self) -> Request:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        return Request(
            self.command,
            parts.path,
            parse_qs(parts.query, keep_blank_values=True),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
            self.path,
        )

    def log_message(self, *_: Any) -> None:
        """The requests are in `Stub.requests`."""
