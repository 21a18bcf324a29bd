"""The environment's proxy settings, which three libraries read, each in its own way."""

from __future__ import annotations

from collections.abc import MutableMapping

import structlog

from trio_s3_bot import notation
from trio_s3_bot.errors import ConfigError

UNUSED = ("ALL_PROXY", "all_proxy")
USED = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy")

log = structlog.get_logger()


def agree_on_proxies(environ: MutableMapping[str, str]) -> None:
    """
    Let API calls, file bodies and S3 go the same way, by changing `environ` such that the libraries agree about it.

    Only httpx obeys ALL_PROXY, and only urllib3 insists on a scheme. Raises `ConfigError` for what is no HTTP proxy.
    """
    for name in UNUSED:
        if environ.pop(name, None):
            log.warning("this variable isn't used; HTTP_PROXY, HTTPS_PROXY and [network] proxy are", variable=name)
    for name in USED:
        text = environ.get(name, "").strip()
        if text:
            environ[name] = _url(name, text)


def _url(name: str, text: str) -> str:
    try:
        return notation.proxy_url(text if "://" in text else f"http://{text}").reveal()
    except notation.Malformed as error:
        raise ConfigError(f"it is not {error.allowed}", file=f"environment variable {name}") from None
