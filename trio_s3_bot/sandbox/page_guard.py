"""
Who may talk to the chat page: a browser on this machine, showing the page itself.

Other sites that the same browser shows could post to loopback, or read it by a name of theirs that resolves to
127.0.0.1 (DNS rebinding). The Host header stops the second, the Origin header the first.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
POLICY += "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
SAFE = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class Guard:
    """ASGI middleware: refuses strangers with 403, and adds headers that keep content from becoming script."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = refusal(scope["method"], Headers(scope=scope))
        if problem:
            await PlainTextResponse(problem, status_code=403)(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name, value) for name, value in message["headers"] if name not in SAFE]
                message = {**message, "headers": own + list(SAFE.items())}
            await send(message)

        await self._app(scope, receive, send_safely)


def refusal(method: str, headers: Headers) -> str | None:
    """Why a request is refused, or `None`."""
    host = headers.get("host", "")
    if not LOOPBACK.fullmatch(host):
        return "This page answers to loopback names only."
    if method in ("GET", "HEAD"):
        return None
    if headers.get("origin") != f"http://{host}":
        return "Only the page itself may post here."
    return None
