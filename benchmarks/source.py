"""
A server of files that cost nothing to make: `python benchmarks/source.py`, then GET /<size in bytes>.

It prints its port and serves 127.0.0.1 until its standard input ends.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = secrets.token_bytes(1024 * 1024)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        left = int(self.path.strip("/"))
        self.send_response(200)
        self.send_header("Content-Length", str(left))
        self.end_headers()
        while left:
            left -= self.connection.send(memoryview(PIECE)[:left])

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are no news."""


def main() -> None:
    """Serve until the one who holds the other end of standard input is gone."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    while os.read(0, 4096):
        pass


if __name__ == "__main__":
    main()
