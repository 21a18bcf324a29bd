"""What the environment says about proxies, put such that all three libraries that read it do the same."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from trio_s3_bot.config.proxies import agree_on_proxies
from trio_s3_bot.errors import ConfigError


def test_a_proxy_without_a_scheme_is_one_over_http() -> None:
    environ = {"http_proxy": "proxy:3128", "HTTPS_PROXY": "http://user:word@proxy:3128/", "NO_PROXY": "localhost"}
    agree_on_proxies(environ)
    assert environ == {
        "http_proxy": "http://proxy:3128",
        "HTTPS_PROXY": "http://user:word@proxy:3128",
        "NO_PROXY": "localhost",
    }


@pytest.mark.parametrize("value", ["socks4://user:secret@proxy:1080", "http://proxy:secret", "proxy:0"])
def test_what_is_no_http_proxy_is_refused_with_its_variable_and_without_its_value(value: str) -> None:
    with pytest.raises(ConfigError, match="environment variable HTTPS_PROXY: it is not an http") as caught:
        agree_on_proxies({"HTTPS_PROXY": value})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["ALL_PROXY", "all_proxy"])
def test_one_that_only_some_would_obey_is_obeyed_by_none_and_that_is_said(name: str) -> None:
    environ = {name: "socks5://proxy:1080"}
    with capture_logs() as logs:
        agree_on_proxies(environ)
    assert environ == {}
    assert [line["variable"] for line in logs] == [name]
