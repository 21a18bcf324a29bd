"""
An S3 server that takes everything and keeps nothing but names and sizes: `python benchmarks/sink.py`.

It prints its port, serves 127.0.0.1 until its standard input ends, and answers what the bot asks of S3, conditions
included. Real servers are slower; that is the point: what is measured against this one is the bot, not the store.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ROOM = 1024 * 1024  # bytes read at a time
XML = '<?xml version="1.0" encoding="UTF-8"?>'


class Store:
    """What is known of the objects (size and the bot's metadata) and the multipart uploads (sizes by part number)."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[int, dict[str, str]]] = {}
        self.uploads: dict[str, tuple[str, dict[str, str], dict[int, int]]] = {}
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """One connection. The body of a request is read into one buffer, over and over."""

    protocol_version = "HTTP/1.1"
    # Headers and body leave in one segment: with Nagle's algorithm the second of two would wait for an ACK.
    wbufsize = -1
    disable_nagle_algorithm = True
    store: Store

    def setup(self) -> None:
        super().setup()
        self.room = memoryview(bytearray(ROOM))

    def do_GET(self) -> None:
        bucket, key, query = self._target()
        if "uploads" in query:
            begun = f"<Initiated>{formatdate(usegmt=True)}</Initiated>"
            open_ones = [(escape(name), upload) for upload, (name, _, _) in list(self.store.uploads.items())]
            listed = "".join(f"<Upload><Key>{n}</Key><UploadId>{u}</UploadId>{begun}</Upload>" for n, u in open_ones)
            body = f"<ListMultipartUploadsResult><Bucket>{bucket}</Bucket>{listed}</ListMultipartUploadsResult>"
        elif "uploadId" in query:
            parts = self.store.uploads[query["uploadId"]][2].items()
            listed = "".join(f"<Part><PartNumber>{n}</PartNumber><Size>{s}</Size></Part>" for n, s in parts)
            body = f"<ListPartsResult><Key>{escape(key)}</Key>{listed}</ListPartsResult>"
        else:
            found = [name for name in list(self.store.objects) if name.startswith(query.get("prefix", ""))][:1000]
            listed = "".join(f"<Contents><Key>{escape(name)}</Key></Contents>" for name in found)
            count = f"<KeyCount>{len(found)}</KeyCount><IsTruncated>false</IsTruncated>"
            body = f"<ListBucketResult><Name>{bucket}</Name>{count}{listed}</ListBucketResult>"
        self._answer(200, body)

    def do_HEAD(self) -> None:
        _, key, _ = self._target()
        size, metadata = self.store.objects.get(key, (0, {}))
        self._answer(200 if key in self.store.objects else 404, headers=metadata, length=size)

    def do_PUT(self) -> None:
        size = self._discard()
        _, key, query = self._target()
        if "uploadId" in query:
            self.store.uploads[query["uploadId"]][2][int(query["partNumber"])] = size
            self._answer(200)
        else:
            self._store(key, size, self._metadata())

    def do_POST(self) -> None:
        self._discard()
        _, key, query = self._target()
        if "uploadId" in query:
            metadata, parts = self.store.uploads[query["uploadId"]][1:]
            self._store(key, sum(parts.values()), metadata, upload=query["uploadId"])
        else:
            upload = secrets.token_hex(16)
            self.store.uploads[upload] = (key, self._metadata(), {})
            result = f"<Key>{escape(key)}</Key><UploadId>{upload}</UploadId>"
            self._answer(200, f"<InitiateMultipartUploadResult>{result}</InitiateMultipartUploadResult>")

    def do_DELETE(self) -> None:
        _, key, query = self._target()
        if "uploadId" in query:
            self.store.uploads.pop(query["uploadId"], None)
        else:
            self.store.objects.pop(key, None)
        self._answer(204)

    def handle_expect_100(self) -> bool:
        """boto3 waits a second for this answer."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are no news."""

    def _store(self, key: str, size: int, metadata: dict[str, str], upload: str = "") -> None:
        """Keep the size, unless the condition says no; no ETag that If-Match names exists."""
        with self.store.lock:
            taken = self.headers["If-None-Match"] == "*" and key in self.store.objects
            if taken or self.headers["If-Match"]:
                self._answer(412, "<Error><Code>PreconditionFailed</Code></Error>")
                return
            self.store.objects[key] = (size, metadata)
            self.store.uploads.pop(upload, None)
        result = f'<CompleteMultipartUploadResult><ETag>"{"0" * 31}1"</ETag></CompleteMultipartUploadResult>'
        self._answer(200, result if upload else "")

    def _target(self) -> tuple[str, str, dict[str, str]]:
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        return bucket, key, {name: found[0] for name, found in parse_qs(parts.query, keep_blank_values=True).items()}

    def _metadata(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name.lower().startswith("x-amz-meta-")}

    def _discard(self) -> int:
        size = left = int(self.headers["Content-Length"] or 0)
        while left:
            got = self.rfile.readinto1(self.room[:left])
            if not got:
                raise ConnectionError("the client hung up in the middle of a body")
            left -= got
        return size

    def _answer(self, status: int, body: str = "", headers: dict[str, str] = {}, length: int | None = None) -> None:
        content = f"{XML}{body}".encode() if body else b""
        self.send_response(status)
        for name, value in {"ETag": f'"{"0" * 31}1"', **headers}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    """Serve until the one who holds the other end of standard input is gone."""
    Handler.store = Store()
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    while os.read(0, 4096):
        pass


if __name__ == "__main__":
    main()
