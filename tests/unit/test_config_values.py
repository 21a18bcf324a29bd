"""Unit tests: every setting takes the values it is meant to take and refuses all others in one line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_s3_bot.config import BotConfig, load
from trio_s3_bot.errors import ConfigError
from trio_s3_bot.model import Secret
from trio_s3_bot.notation import parse_duration, parse_size
from trio_s3_bot.settings import SETTINGS, Setting

TOKEN = "123456:AAEfake-token_fake-token_fake-token"  # noqa: S105 (made up)
VK_TOKEN = "vk1.a.fake-token_fake-token_fake-token"  # noqa: S105 (made up)
# What has to be set, and the token without which the rest of [vk] is of no use.
REQUIRED = {
    "TRIO_S3_BOT_TELEGRAM_TOKEN": TOKEN,
    "TRIO_S3_BOT_VK_TOKEN": VK_TOKEN,
    "TRIO_S3_BOT_S3_BUCKET": "documents",
}
MIB = 1024**2


def in_file(folder: Path, section: str, key: str, text: str) -> BotConfig | ConfigError:
    """What comes of the setting when the file has it."""
    path = folder / "bot.ini"
    path.write_text(f"[{section}]\n{key} = {text}\n", encoding="utf-8")
    required = {name: value for name, value in REQUIRED.items() if name != variable(section, key)}
    return outcome(path, required)


def in_environment(folder: Path, section: str, key: str, text: str) -> BotConfig | ConfigError:
    """What comes of the setting when the environment has it."""
    path = folder / "bot.ini"
    path.write_bytes(b"")
    return outcome(path, REQUIRED | {variable(section, key): text})


def outcome(path: Path, environ: Mapping[str, str]) -> BotConfig | ConfigError:
    try:
        return load(path, environ)
    except ConfigError as error:
        return error


def variable(section: str, key: str) -> str:
    return f"TRIO_S3_BOT_{section}_{key}".upper()


RIGHT = [
    ("telegram", "token", f"  {TOKEN}  ", Secret(TOKEN)),
    ("telegram", "token", "1:a%b#c;d", Secret("1:a%b#c;d")),
    ("telegram", "api_url", "http://127.0.0.1:8081/", "http://127.0.0.1:8081"),
    ("telegram", "api_url", "HTTP://[::1]:8081/prefix//", "http://[::1]:8081/prefix"),
    ("telegram", "api_url", "http://bot_api:/", "http://bot_api"),
    ("telegram", "messages_per_second", "29.5", 29.5),
    ("telegram", "chat_messages_per_second", "0.01", 0.01),
    ("telegram", "group_messages_per_minute", "1000", 1000),
    ("vk", "token", f"  {VK_TOKEN}  ", Secret(VK_TOKEN)),
    ("vk", "token", "0123456789abcdef" * 5 + "01234", Secret("0123456789abcdef" * 5 + "01234")),
    ("vk", "group_id", "200000001", 200_000_001),
    ("vk", "group_id", "", None),
    ("vk", "api_url", "http://127.0.0.1:8081/method/", "http://127.0.0.1:8081/method"),
    ("vk", "wait", "90 s", 90),
    ("vk", "wait", "1", 1),
    ("vk", "messages_per_second", "19.5", 19.5),
    ("vk", "chat_messages_per_second", "0.01", 0.01),
    ("vk", "group_messages_per_minute", "1000", 1000),
    ("s3", "bucket", "abc", "abc"),
    ("s3", "bucket", "a.b-" + "c" * 59, "a.b-" + "c" * 59),
    ("s3", "bucket", "1.2.3.4x", "1.2.3.4x"),
    (
        "s3",
        "bucket",
        "arn:aws:s3:us-east-1:123456789012:accesspoint/point",
        "arn:aws:s3:us-east-1:123456789012:accesspoint/point",
    ),
    ("s3", "endpoint_url", "https://s3.example.org/base/", "https://s3.example.org/base"),
    ("s3", "public_endpoint_url", "https://files.example.org/", "https://files.example.org"),
    ("s3", "region", "eu-central-1", "eu-central-1"),
    ("s3", "region", "RegionOne", "RegionOne"),
    ("s3", "request_checksum_calculation", "WHEN_REQUIRED", "when_required"),
    ("s3", "request_checksum_calculation", "when_supported", "when_supported"),
    ("worker", "concurrent_workers", "1", 1),
    ("worker", "concurrent_workers", "1000", 1000),
    ("queue", "capacity", "1", 1),
    ("uploads", "concurrent_uploads", "9", 9),
    ("uploads", "part_size", "5 MiB", 5 * MIB),
    ("uploads", "part_size", "64 mib", 64 * MIB),
    ("uploads", "memory_limit", "8MiB", 8 * MIB),
    ("uploads", "memory_limit", "1.5 GiB", 1536 * MIB),
    ("uploads", "progress_interval", "1", 1),
    ("uploads", "progress_interval", "1500 ms", 1.5),
    ("state", "path", "/var/lib/bot #1; old.sqlite3", Path("/var/lib/bot #1; old.sqlite3")),
    ("limits", "max_file_size", "2 GB", 2_000_000_000),
    ("limits", "max_file_size", "1", 1),
    ("limits", "files_per_day", "100", 100),
    ("limits", "bytes_per_day", "1 GiB", 2**30),
    ("names", "rename", "ASK", "ask"),
    ("names", "ask_timeout", "2 min", 120),
    ("names", "on_conflict", "overwrite", "overwrite"),
    ("names", "key", "{messenger}/{user}/{date:%Y-%m}-{name}", "{messenger}/{user}/{date:%Y-%m}-{name}"),
    ("links", "lifetime", "168 h", 7 * 24 * 3600),
    ("stop", "grace_period", "0", 0),
    ("stop", "grace_period", "2 min", 120),
    ("network", "proxy", "http://me:p%40ss@proxy.example.org:3128/", Secret("http://me:p%40ss@proxy.example.org:3128")),
    ("log", "level", "debug", "DEBUG"),
    ("log", "canary", "1 ms", 0.001),
]


@pytest.mark.parametrize(("section", "key", "text", "value"), RIGHT)
def test_a_right_value_is_read_from_the_file_and_from_the_environment(
    tmp_path: Path, section: str, key: str, text: str, value: object
) -> None:
    loaded = in_file(tmp_path, section, key, text)
    assert isinstance(loaded, BotConfig)
    assert getattr(getattr(loaded, section), key) == value
    assert loaded == in_environment(tmp_path, section, key, text)


WRONG = [
    ("telegram", "token", "AAEfake", "a bot token"),
    ("telegram", "token", "123:with space", "a bot token"),
    ("telegram", "token", "x123:AAE", "a bot token"),
    ("telegram", "api_url", "", "http"),
    ("telegram", "api_url", "api.telegram.org", "http"),
    ("telegram", "api_url", "ftp://api.telegram.org", "http"),
    ("telegram", "api_url", "http://", "with a host"),
    ("telegram", "api_url", "http://:8081", "with a host"),
    ("telegram", "api_url", "http://host:port", "with a host"),
    ("telegram", "api_url", "http://host:0", "with a host"),
    ("telegram", "api_url", "http://host:65536", "with a host"),
    ("telegram", "api_url", "http://[::1", "with a host"),
    ("telegram", "api_url", "http://a host/", "http"),
    ("telegram", "api_url", "http://ho\tst/", "http"),
    ("telegram", "api_url", "http://host\\path", "http"),
    ("telegram", "api_url", "http://host/#part", "fragment"),
    ("telegram", "local_root", "~/files", "~ is not expanded"),
    ("telegram", "local_server_root", "files", "an absolute path"),
    ("telegram", "messages_per_second", "0", "a number from 0.01 to 1000"),
    ("telegram", "chat_messages_per_second", "-1", "a number from 0.01 to 1000"),
    ("telegram", "group_messages_per_minute", "1e3", "a number from 0.01 to 1000"),
    ("vk", "token", "with space", "an access token"),
    ("vk", "token", "токен", "an access token"),
    ("vk", "group_id", "-200000001", "a whole number from 1 to 999999999999"),
    ("vk", "group_id", "club1", "a whole number from 1 to 999999999999"),
    ("vk", "group_id", "0", "a whole number from 1 to 999999999999"),
    ("vk", "api_url", "", "http"),
    ("vk", "api_url", "api.vk.ru/method", "http"),
    ("vk", "wait", "91 s", "from 1 s to 90 s"),
    ("vk", "wait", "0", "from 1 s to 90 s"),
    ("vk", "messages_per_second", "0", "a number from 0.01 to 1000"),
    ("vk", "chat_messages_per_second", "-1", "a number from 0.01 to 1000"),
    ("vk", "group_messages_per_minute", "1e3", "a number from 0.01 to 1000"),
    ("s3", "bucket", "", "a bucket name"),
    ("s3", "bucket", "my bucket", "a bucket name"),
    ("s3", "bucket", "a/b", "a bucket name"),
    ("s3", "bucket", "ab", "3 to 63"),
    ("s3", "bucket", "a" * 64, "3 to 63"),
    ("s3", "bucket", "Documents", "lower-case"),
    ("s3", "bucket", "-documents", "bucket name on AWS"),
    ("s3", "bucket", "documents.", "bucket name on AWS"),
    ("s3", "bucket", "a..b", "bucket name on AWS"),
    ("s3", "bucket", "192.168.5.4", "no IP address"),
    ("s3", "endpoint_url", "minio:9000", "http"),
    ("s3", "public_endpoint_url", "/files", "http"),
    ("s3", "region", "eu central", "a region"),
    ("s3", "region", "-eu", "a region"),
    ("s3", "region", "eu-", "a region"),
    ("s3", "region", "123", "a region"),
    ("s3", "aws_access_key_id", "with space", "a key"),
    ("s3", "aws_secret_access_key", "with\ttab", "a key"),
    ("s3", "request_checksum_calculation", "never", "auto, when_supported, when_required"),
    ("worker", "concurrent_workers", "0", "a whole number from 1 to 1000"),
    ("worker", "concurrent_workers", "1001", "a whole number from 1 to 1000"),
    ("worker", "concurrent_workers", "2.5", "a whole number from 1 to 1000"),
    ("worker", "concurrent_workers", "four", "a whole number from 1 to 1000"),
    ("worker", "concurrent_workers", "٤", "a whole number from 1 to 1000"),
    ("queue", "capacity", "", "a whole number from 1 to 100000"),
    ("queue", "capacity", "-1", "a whole number from 1 to 100000"),
    ("uploads", "concurrent_uploads", "0", "a whole number from 1 to 1000"),
    ("uploads", "part_size", "4.9 MiB", "from 5 MiB to 5 GiB"),
    ("uploads", "part_size", "5.1 GiB", "from 5 MiB to 5 GiB"),
    ("uploads", "part_size", "8M", "such as 8 MiB"),
    ("uploads", "part_size", "8 s", "such as 8 MiB"),
    ("uploads", "part_size", "1,5 GiB", "such as 8 MiB"),
    ("uploads", "memory_limit", "7 MiB", "less than part_size"),
    ("uploads", "memory_limit", "lots", "at least 5 MiB"),
    ("uploads", "progress_interval", "999 ms", "at least 1 s"),
    ("uploads", "progress_interval", "3 MiB", "such as 500 ms"),
    ("state", "path", "", "a path"),
    ("state", "path", "~/bot.sqlite3", "a path"),
    ("state", "path", "state\tbot.sqlite3", "a path"),
    ("access", "allowed_users", "123456", "telegram:<number>"),
    ("access", "allowed_users", "telegram:0", "telegram:<number>"),
    ("access", "allowed_users", "telegram:@a-b", "telegram:@<name>"),
    ("access", "allowed_users", "icq:123456", "vk:<number>"),
    ("access", "allowed_users", "*, telegram:1", "* alone"),
    ("limits", "max_file_size", "0", "at least 1 B"),
    ("limits", "max_file_size", "none", "at least 1 B"),
    ("limits", "files_per_day", "0", "from 1 to 1000000"),
    ("limits", "bytes_per_day", "much", "at least 1 B"),
    ("names", "rename", "maybe", "offer, ask, off"),
    ("names", "ask_timeout", "0 s", "at least 1 s"),
    ("names", "on_conflict", "panic", "keep_both, overwrite, ask"),
    ("names", "key", "files/", "must end with {name}"),
    ("names", "key", "{name}/{name}", "must end with {name}"),
    ("names", "key", "{size}/{name}", "unknown field {size}"),
    ("names", "key", "{date}/{name}", "unknown field {date}"),
    ("names", "key", "../{name}", "must not begin with /"),
    ("names", "key", "{chat", "must end with {name}"),
    ("names", "key", "{date:%Y%n}/{name}", "control characters"),
    ("names", "key", "{chat{name}", "template"),
    ("links", "lifetime", "169 h", "from 1 s to 168 h"),
    ("stop", "grace_period", "-1 s", "from 0 s to 1 h"),
    ("stop", "grace_period", "2 h", "from 0 s to 1 h"),
    ("stop", "grace_period", "1" + "0" * 18, "such as 500 ms"),
    ("stop", "grace_period", "soon", "such as 500 ms"),
    ("network", "proxy", "socks5://proxy:1080", "http"),
    ("network", "proxy", "http://proxy:3128/path", "without path"),
    ("log", "level", "LOUD", "DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    ("log", "canary", "0", "at least 1 ms"),
]
SECRETS = {("telegram", "token"), ("vk", "token"), ("network", "proxy")}
SECRETS |= {("s3", "aws_access_key_id"), ("s3", "aws_secret_access_key")}


@pytest.mark.parametrize(("section", "key", "text", "allowed"), WRONG)
def test_a_wrong_value_is_refused_in_one_line_with_its_place_itself_and_what_is_allowed(
    tmp_path: Path, section: str, key: str, text: str, allowed: str
) -> None:
    error, from_environment = in_file(tmp_path, section, key, text), in_environment(tmp_path, section, key, text)
    assert isinstance(error, ConfigError)
    assert allowed in error.problem
    assert str(error) == f"{tmp_path / 'bot.ini'}: [{section}] {key}: {error.problem}"
    assert str(error).isprintable()
    assert str(from_environment) == f"{variable(section, key)}: [{section}] {key}: {error.problem}"
    if text:
        piece = text.split(",")[0] if key == "allowed_users" else text
        assert (repr(piece) in error.problem) is ((section, key) not in SECRETS)


def test_every_setting_has_a_wrong_value_in_this_file() -> None:
    assert {row[:2] for row in WRONG} == {row[:2] for row in SETTINGS}


SIZE_UNITS = {"": 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4}
SIZE_UNITS |= {"KiB": 1024, "MiB": MIB, "GiB": 1024**3, "TiB": 1024**4, "mib": MIB}
DURATION_UNITS = {"": "1", "ms": "0.001", "s": "1", "min": "60", "h": "3600", "Min": "60"}
numbers = st.decimals(min_value=0, max_value=10**9, places=3)
gaps = st.sampled_from(["", " ", "  "])


@given(numbers, gaps, st.sampled_from(sorted(SIZE_UNITS)))
def test_a_size_that_is_written_down_is_read_back(number: Decimal, gap: str, unit: str) -> None:
    assert parse_size(f"{number}{gap}{unit}") == int(number * SIZE_UNITS[unit])


@given(numbers, gaps, st.sampled_from(sorted(DURATION_UNITS)))
def test_a_duration_that_is_written_down_is_read_back(number: Decimal, gap: str, unit: str) -> None:
    assert parse_duration(f"{number}{gap}{unit}") == float(number * Decimal(DURATION_UNITS[unit]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config")


@given(st.sampled_from(SETTINGS), st.text() | st.from_regex(r"\A[a-z0-9:/@.?\[\]]+\Z"))
def test_any_text_for_any_setting_is_a_value_or_a_one_line_error(folder: Path, setting: Setting, text: str) -> None:
    result = in_environment(folder, setting.section, setting.key, text)
    if isinstance(result, ConfigError):
        assert str(result).isprintable()
        # Of the two keys of the store, which go together, the one that is missing is named.
        assert result.key == setting.key or {result.key, setting.key} == {"aws_access_key_id", "aws_secret_access_key"}
