"""Unit tests: the config file and the environment become settings, or one line that says what to change."""

from __future__ import annotations

import contextlib
import re
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_s3_bot import config
from trio_s3_bot.config import BotConfig, load
from trio_s3_bot.errors import ConfigError
from trio_s3_bot.model import Secret
from trio_s3_bot.settings import SETTINGS

SHIPPED = Path(__file__).parents[2] / "config.ini"
TOKEN = "123456:AAEfake-token_fake-token_fake-token"  # noqa: S105 (made up)
VK_TOKEN = "vk1.a.fake-token_fake-token_fake-token"  # noqa: S105 (made up)
OLD_VK_TOKEN = "0123456789abcdef" * 5 + "01234"
KEY_ID, KEY = "FAKEKEYID", "fake/secret+key%with#odd;characters="
MINIMAL = {("telegram", "token"): TOKEN, ("s3", "bucket"): "documents"}
MIB = 1024**2


def ini(settings: Mapping[tuple[str, str], str]) -> str:
    """A config file with these settings."""
    sections: dict[str, str] = {}
    for (section, key), text in settings.items():
        sections[section] = sections.get(section, f"[{section}]\n") + f"{key} = {text}\n"
    return "".join(sections.values())


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "bot.ini"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path, environ: Mapping[str, str] | None = None) -> ConfigError:
    """The error that loading gives, which is checked to be one line."""
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {})
    assert str(caught.value).isprintable()
    return caught.value


@pytest.fixture
def minimal(tmp_path: Path) -> Path:
    """A config file with nothing but what is required."""
    return write(tmp_path, ini(MINIMAL))


def test_the_shipped_file_holds_the_built_in_defaults(tmp_path: Path) -> None:
    (tmp_path / "shipped.ini").write_bytes(SHIPPED.read_bytes())
    (tmp_path / "empty.ini").write_bytes(b"")
    assert load(tmp_path / "shipped.ini", {}, MINIMAL) == load(tmp_path / "empty.ini", {}, MINIMAL)


def test_the_shipped_file_has_every_key_under_a_comment_that_explains_it_and_no_other_key() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    found, section = [], ""
    for above, line in zip(["", *lines], lines, strict=False):
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1]
        elif line and not line.startswith("#"):
            key, equals, default = line.partition("=")
            assert equals
            found.append((section, key.strip(), default.strip(), above))
    required = {("s3", "bucket"): " Required."}
    tails = {row[:2]: f" Default: {row.default}" if row.default else "" for row in SETTINGS} | required
    assert found == [(*row[:3], f"# {row.doc}{tails[row[:2]]}") for row in SETTINGS]


def test_the_shipped_file_asks_for_the_token_and_then_for_the_bucket() -> None:
    error = refused(SHIPPED)
    assert (error.file, error.section, error.key) == (str(SHIPPED), "telegram", "token")
    assert error.problem.endswith("put it there or set TRIO_S3_BOT_TELEGRAM_TOKEN")
    error = refused(SHIPPED, {"TRIO_S3_BOT_TELEGRAM_TOKEN": TOKEN})
    assert (error.file, error.section, error.key) == (str(SHIPPED), "s3", "bucket")
    assert error.problem.endswith("put it there or set TRIO_S3_BOT_S3_BUCKET")


def test_the_defaults_are_these(minimal: Path) -> None:
    assert load(minimal, {}) == BotConfig(
        telegram=config.TelegramConfig(
            token=Secret(TOKEN),
            api_url="https://api.telegram.org",
            local_root=None,
            local_server_root=None,
            messages_per_second=30,
            chat_messages_per_second=1,
            group_messages_per_minute=20,
        ),
        vk=None,
        s3=config.S3Config(
            bucket="documents",
            endpoint_url=None,
            public_endpoint_url=None,
            region=None,
            aws_access_key_id=None,
            aws_secret_access_key=None,
            request_checksum_calculation="when_supported",
        ),
        worker=config.WorkerConfig(concurrent_workers=4),
        queue=config.QueueConfig(capacity=100),
        uploads=config.UploadsConfig(
            concurrent_uploads=4, part_size=8 * MIB, memory_limit=64 * MIB, progress_interval=3
        ),
        state=config.StateConfig(path=minimal.parent / "state" / "bot.sqlite3"),
        access=config.AccessConfig(everybody=True, allowed=frozenset()),
        names=config.NamesConfig(rename="offer", ask_timeout=60, on_conflict="keep_both", key="{name}"),
        links=config.LinksConfig(lifetime=3600),
        limits=config.LimitsConfig(max_file_size=None, files_per_day=None, bytes_per_day=None),
        stop=config.StopConfig(grace_period=10),
        network=config.NetworkConfig(proxy=None),
        log=config.LogConfig(level="INFO", canary=0.5),
    )


def test_the_defaults_of_vk_are_these(minimal: Path) -> None:
    assert load(minimal, {"TRIO_S3_BOT_VK_TOKEN": VK_TOKEN}).vk == config.VkConfig(
        token=Secret(VK_TOKEN),
        group_id=None,
        api_url="https://api.vk.ru/method",
        wait=25,
        messages_per_second=15,
        chat_messages_per_second=1,
        group_messages_per_minute=20,
    )


def test_a_messenger_without_a_token_is_off_and_one_at_least_is_on(minimal: Path) -> None:
    loaded = load(minimal, {"TRIO_S3_BOT_TELEGRAM_TOKEN": "", "TRIO_S3_BOT_VK_TOKEN": VK_TOKEN})
    assert loaded.telegram is None
    assert loaded.vk is not None
    error = refused(minimal, {"TRIO_S3_BOT_TELEGRAM_TOKEN": ""})
    assert (error.file, error.section, error.key) == ("TRIO_S3_BOT_TELEGRAM_TOKEN", "telegram", "token")
    assert "[vk] token" in error.problem


def test_every_section_of_the_table_is_a_part_with_its_keys_as_fields(minimal: Path) -> None:
    parts = load(minimal, {"TRIO_S3_BOT_VK_TOKEN": VK_TOKEN})
    fields = {
        (section, key)
        for section in BotConfig.__dataclass_fields__
        for key in getattr(parts, section).__dataclass_fields__
    }
    access = {("access", "everybody"), ("access", "allowed")}
    assert fields - access == {row[:2] for row in SETTINGS} - {("access", "allowed_users")}


def test_a_wrong_value_given_by_an_override_is_refused_as_such(minimal: Path) -> None:
    with pytest.raises(ConfigError, match=r"^overrides: \[queue\] capacity: 'x' is not a whole number"):
        load(minimal, {}, {("queue", "capacity"): "x"})
    with pytest.raises(ConfigError, match=r"^overrides: \[queue\] size: there is no such setting$"):
        load(minimal, {}, {("queue", "size"): "1"})


def test_a_comment_behind_a_value_is_explained(tmp_path: Path) -> None:
    error = refused(write(tmp_path, ini(MINIMAL | {("queue", "capacity"): "5 ; a few"})))
    assert error.problem.startswith("'5 ; a few' is not ")
    assert error.problem.endswith("; a comment goes on a line of its own")


def test_a_line_indented_by_mistake_is_explained(tmp_path: Path) -> None:
    error = refused(write(tmp_path, ini(MINIMAL | {("queue", "capacity"): "5\n  [s3]"})))
    assert error.problem.startswith("'5\\n[s3]' is not ")
    assert error.problem.endswith("; an indented line belongs to the value above it")


def test_a_long_value_is_shown_shortened(tmp_path: Path) -> None:
    assert f"'{'9' * 77}...'" in refused(write(tmp_path, ini(MINIMAL | {("queue", "capacity"): "9" * 5000}))).problem


@pytest.mark.parametrize(
    ("endpoint", "checksums"),
    [
        ("", "when_supported"),
        ("https://s3.eu-central-1.amazonaws.com", "when_supported"),
        ("https://s3.cn-north-1.amazonaws.com.cn", "when_supported"),
        ("https://s3.dualstack.eu-central-1.api.aws", "when_supported"),
        ("https://amazonaws.com.example.org", "when_required"),
        ("https://notamazonaws.com", "when_required"),
        ("http://127.0.0.1:9000", "when_required"),
    ],
)
def test_checksums_are_sent_where_supported_on_aws_and_where_required_elsewhere(
    minimal: Path, endpoint: str, checksums: str
) -> None:
    s3 = load(minimal, {"TRIO_S3_BOT_S3_ENDPOINT_URL": endpoint}).s3
    assert s3.request_checksum_calculation == checksums


@pytest.mark.parametrize("bucket", ["Documents", "my_bucket", "ab", "a" * 255, "a..b"])
def test_another_store_than_aws_may_have_other_bucket_names(minimal: Path, bucket: str) -> None:
    environ = {"TRIO_S3_BOT_S3_BUCKET": bucket}
    assert refused(minimal, environ).key == "bucket"
    assert load(minimal, environ | {"TRIO_S3_BOT_S3_ENDPOINT_URL": "http://store:9000"}).s3.bucket == bucket


def test_links_lead_to_the_endpoint_unless_another_is_set(minimal: Path) -> None:
    environ = {"TRIO_S3_BOT_S3_ENDPOINT_URL": "http://store:9000"}
    assert load(minimal, environ).s3.public_endpoint_url == "http://store:9000"
    environ["TRIO_S3_BOT_S3_PUBLIC_ENDPOINT_URL"] = "https://files.example.org"
    assert load(minimal, environ).s3.public_endpoint_url == "https://files.example.org"


def test_the_two_keys_of_the_store_are_set_together_or_not_at_all(minimal: Path) -> None:
    key_id, key = "TRIO_S3_BOT_S3_AWS_ACCESS_KEY_ID", "TRIO_S3_BOT_S3_AWS_SECRET_ACCESS_KEY"
    s3 = load(minimal, {key_id: KEY_ID, key: KEY}).s3
    assert (s3.aws_access_key_id, s3.aws_secret_access_key) == (Secret(KEY_ID), Secret(KEY))
    for given_one, lacking in ((key_id, "aws_secret_access_key"), (key, "aws_access_key_id")):
        error = refused(minimal, {given_one: KEY})
        assert (error.section, error.key) == ("s3", lacking)
        assert "set both or neither" in error.problem


def test_there_are_as_many_upload_slots_as_workers_unless_set(minimal: Path) -> None:
    environ = {"TRIO_S3_BOT_WORKER_CONCURRENT_WORKERS": "7"}
    assert load(minimal, environ).uploads.concurrent_uploads == 7
    assert load(minimal, environ | {"TRIO_S3_BOT_UPLOADS_CONCURRENT_UPLOADS": "2"}).uploads.concurrent_uploads == 2


def test_the_memory_limit_has_room_for_one_part_at_least(minimal: Path) -> None:
    environ = {"TRIO_S3_BOT_UPLOADS_PART_SIZE": "64 MiB"}
    assert load(minimal, environ).uploads.part_size == load(minimal, environ).uploads.memory_limit
    error = refused(minimal, {"TRIO_S3_BOT_UPLOADS_PART_SIZE": "65 MiB"})
    assert (error.file, error.key) == (str(minimal), "memory_limit")


def test_a_relative_path_starts_at_the_folder_of_the_config_file(minimal: Path) -> None:
    environ = {
        "TRIO_S3_BOT_STATE_PATH": "bot.db",
        "TRIO_S3_BOT_TELEGRAM_LOCAL_ROOT": "files",
        "TRIO_S3_BOT_TELEGRAM_API_URL": "http://127.0.0.1:8081",
    }
    with contextlib.chdir(minimal.parent.parent):
        loaded = load(minimal.relative_to(minimal.parent.parent), environ)
    assert loaded.state.path == minimal.parent / "bot.db"
    assert loaded.telegram is not None
    assert loaded.telegram.local_root == minimal.parent / "files"


def test_a_local_server_names_its_folder_as_this_machine_does_unless_set(minimal: Path) -> None:
    environ = {
        "TRIO_S3_BOT_TELEGRAM_LOCAL_ROOT": "/mnt/telegram",
        "TRIO_S3_BOT_TELEGRAM_API_URL": "http://127.0.0.1:8081",
    }
    telegram = load(minimal, environ).telegram
    assert telegram is not None
    assert telegram.local_server_root == "/mnt/telegram"
    environ["TRIO_S3_BOT_TELEGRAM_LOCAL_SERVER_ROOT"] = "/var/lib/telegram-bot-api"
    telegram = load(minimal, environ).telegram
    assert telegram is not None
    assert telegram.local_server_root == "/var/lib/telegram-bot-api"


def test_a_folder_of_a_local_server_makes_no_sense_without_that_server(minimal: Path) -> None:
    assert "api_url" in refused(minimal, {"TRIO_S3_BOT_TELEGRAM_LOCAL_ROOT": "/mnt/telegram"}).problem
    error = refused(minimal, {"TRIO_S3_BOT_TELEGRAM_LOCAL_SERVER_ROOT": "/var/lib/telegram-bot-api"})
    assert error.key == "local_server_root"
    assert "local_root" in error.problem


def test_everybody_may_use_the_bot_unless_users_are_named(minimal: Path) -> None:
    assert load(minimal, {}).access.allows("telegram", 1, None)


def test_nobody_may_use_the_bot_when_the_list_is_empty(minimal: Path) -> None:
    access = load(minimal, {"TRIO_S3_BOT_ACCESS_ALLOWED_USERS": ""}).access
    assert not access.everybody
    assert not access.allows("telegram", 1, "name")


def test_only_named_users_may_use_the_bot_and_the_case_of_a_username_is_no_matter(minimal: Path) -> None:
    access = load(minimal, {"TRIO_S3_BOT_ACCESS_ALLOWED_USERS": "telegram:123456, Telegram:@Some_Name,vk:77,"}).access
    assert access.allowed == {"telegram:123456", "telegram:@some_name", "vk:77"}
    assert access.allows("telegram", 123456, None)
    assert access.allows("telegram", 5, "SOME_name")
    assert access.allows("vk", 77, None)
    assert not access.allows("telegram", 77, None)
    assert not access.allows("vk", 123456, "some_name")
    assert not access.allows("telegram", 12345, "other")
    assert not access.allows("telegram", 12345, "")


def test_the_list_of_users_may_go_over_several_lines_with_comments_between(tmp_path: Path) -> None:
    users = "\n  telegram:1\n# an old friend\n  telegram:2, telegram:3\n"
    access = load(write(tmp_path, ini(MINIMAL | {("access", "allowed_users"): users})), {}).access
    assert access.allowed == {"telegram:1", "telegram:2", "telegram:3"}


def test_the_environment_wins_over_the_file_and_an_override_over_both(tmp_path: Path) -> None:
    path = write(tmp_path, ini(MINIMAL | {("queue", "capacity"): "1"}))
    environ = {"TRIO_S3_BOT_QUEUE_CAPACITY": "2", "PATH": "/bin", "TRIO_S3": "x"}
    assert load(path, {}).queue.capacity == 1
    assert load(path, environ).queue.capacity == 2
    assert load(path, environ, {("queue", "capacity"): "3"}).queue.capacity == 3


def test_a_blank_variable_makes_a_setting_blank(tmp_path: Path) -> None:
    path = write(tmp_path, ini(MINIMAL | {("limits", "max_file_size"): "1 GB"}))
    assert load(path, {"TRIO_S3_BOT_LIMITS_MAX_FILE_SIZE": " "}).limits.max_file_size is None
    error = refused(path, {"TRIO_S3_BOT_S3_BUCKET": ""})
    assert error.file == "TRIO_S3_BOT_S3_BUCKET"


@pytest.mark.parametrize("prefix", ["", "\ufeff", "# a comment\n; another\n\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_file_of_any_editor_is_read(tmp_path: Path, prefix: str, line_end: str) -> None:
    text = prefix + ini(MINIMAL | {("queue", "CAPACITY"): "5"})
    assert load(write(tmp_path, text.replace("\n", line_end)), {}).queue.capacity == 5


BROKEN = [
    ("[sandwich]\nkey = 1\n", "sandwich", None, "unknown section; known are telegram, vk, s3"),
    ("[upload]\npart_size = 8 MiB\n", "upload", None, "unknown section; did you mean uploads?"),
    ("[S3]\nbucket = abc\n", "S3", None, "unknown section; did you mean s3?"),
    ("[DEFAULT]\ncapacity = 5\n", "DEFAULT", None, "unknown section"),
    ("[queue]\nxyz = 5\n", "queue", "xyz", "unknown key; known are capacity"),
    ("[s3]\nend_point = http://h\n", "s3", "end_point", "unknown key; did you mean endpoint_url?"),
    ("[queue]\ncapacity = 5\nCapacity = 6\n", "queue", "capacity", "twice, again in line 3"),
    ("[queue]\ncapacity = 5\n[stop]\n[queue]\n", "queue", None, "twice, again in line 4"),
    ("[queue]\n\ncapacity\n", None, None, "line 3 is neither"),
    ("[queue\n", None, None, "line 1 stands before the first [section]"),
    ("capacity = 5\n[queue]\n", None, None, "line 1 stands before the first [section]"),
    (b"[queue]\ncapacity = \xff\xfe5\n", None, None, "not text in UTF-8"),
    ("[queue]\ncapacity = 5\n".encode("utf-16"), None, None, "not text in UTF-8"),
    (b"SQLite format 3\x00", None, None, "line 1 stands before the first [section]"),
]


@pytest.mark.parametrize(("content", "section", "key", "problem"), BROKEN)
def test_a_broken_file_is_refused_with_the_place_to_look_at(
    tmp_path: Path, content: str | bytes, section: str | None, key: str | None, problem: str
) -> None:
    path = write(tmp_path, content)
    error = refused(path)
    assert (error.file, error.section, error.key) == (str(path), section, key)
    assert problem in error.problem


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path: Path) -> None:
    assert str(refused(tmp_path / "none.ini")) == f"{tmp_path / 'none.ini'}: there is no such file"
    assert str(refused(tmp_path)) == f"{tmp_path}: the file can't be read: Is a directory"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("TRIO_S3_BOT_S3_BUKET", "unknown variable; did you mean TRIO_S3_BOT_S3_BUCKET?"),
        ("TRIO_S3_BOT_BUCKET", "unknown variable; did you mean TRIO_S3_BOT_S3_BUCKET?"),
        ("TRIO_S3_BOT_TOKEN", "did you mean TRIO_S3_BOT_TELEGRAM_TOKEN or TRIO_S3_BOT_VK_TOKEN?"),
        ("TRIO_S3_BOT_TELEGRAM_TOKEN_", "unknown variable; did you mean TRIO_S3_BOT_TELEGRAM_TOKEN?"),
        ("TRIO_S3_BOT_s3_bucket", "unknown variable"),
        ("TRIO_S3_BOT_", "unknown variable; config.ini lists all settings"),
        ("TRIO_S3_BOT_X\nY", "unknown variable"),
    ],
)
def test_an_unknown_variable_with_the_prefix_is_refused(minimal: Path, name: str, problem: str) -> None:
    error = refused(minimal, {name: "value"})
    assert error.file == name.replace("\n", "\\n")
    assert problem in error.problem
    assert "value" not in str(error)


@pytest.mark.parametrize("template", ["{user}/{name}", "{chat}-{name}", "{date:%Y}/{user}/{name}"])
def test_with_both_messengers_on_a_key_by_person_or_chat_has_to_name_the_messenger(
    tmp_path: Path, template: str
) -> None:
    path = write(tmp_path, ini(MINIMAL | {("names", "key"): template}))
    assert load(path, {}).names.key == template
    error = refused(path, {"TRIO_S3_BOT_VK_TOKEN": VK_TOKEN})
    assert (error.file, error.section, error.key) == (str(path), "names", "key")
    assert "put {messenger} into it" in error.problem
    assert template in error.problem
    alone = {"TRIO_S3_BOT_VK_TOKEN": VK_TOKEN, "TRIO_S3_BOT_TELEGRAM_TOKEN": ""}
    assert load(path, alone).names.key == template


@pytest.mark.parametrize("template", ["{messenger}/{user}/{name}", "{chat}@{messenger}/{name}", "{{user}}/{name}"])
def test_with_both_messengers_on_a_key_that_names_the_messenger_may_name_the_person(
    tmp_path: Path, template: str
) -> None:
    path = write(tmp_path, ini(MINIMAL | {("names", "key"): template}))
    assert load(path, {"TRIO_S3_BOT_VK_TOKEN": VK_TOKEN}).names.key == template


PASSWORD = "fake-password-0123456789"  # noqa: S105 (made up)
LEAKS = [
    ini({("telegram", "token"): f"bot {TOKEN}"}),
    ini(MINIMAL | {("s3", "aws_access_key_id"): f"{PASSWORD} x"}),
    ini(MINIMAL | {("s3", "aws_access_key_id"): "x", ("s3", "aws_secret_access_key"): f"{PASSWORD} x"}),
    ini(MINIMAL | {("s3", "aws_secret_access_key"): PASSWORD}),
    ini(MINIMAL | {("network", "proxy"): f"socks5://me:{PASSWORD}@proxy"}),
    ini(MINIMAL | {("network", "proxy"): f"me:{PASSWORD}@proxy"}),
    ini(MINIMAL | {("s3", "endpoint_url"): f"https://me:{PASSWORD}@store"}),
    ini(MINIMAL | {("s3", "public_endpoint_url"): f"https://store/?X-Amz-Signature={PASSWORD}"}),
    ini(MINIMAL | {("telegram", "api_url"): f"https://api.telegram.org/bot{TOKEN}"}),
    ini(MINIMAL | {("access", "allowed_users"): TOKEN}),
    ini(MINIMAL | {("vk", "token"): f"{VK_TOKEN} x"}),
    ini(MINIMAL | {("vk", "group_id"): VK_TOKEN}),
    ini(MINIMAL | {("vk", "group_id"): OLD_VK_TOKEN}),
    ini(MINIMAL | {("vk", "api_url"): f"https://api.vk.ru/method/{VK_TOKEN}"}),
    f"[vk]\n{VK_TOKEN}\n",
    f"[vk]\ntoken {OLD_VK_TOKEN}\n",
    ini(MINIMAL | {("queue", "capacity"): f"5\n  token = {TOKEN}"}),
    f"{TOKEN}\n",
    f"[telegram]\n{TOKEN}\n",
    f"[telegram]\ntoken {TOKEN}\n",
    f"[telegram]\ntoken\n{PASSWORD}\n",
    f"[s3]\naws_secret_access_key {PASSWORD}=\n",
    f"[s3]\n{PASSWORD}/{PASSWORD}=\n",
    f"[s3]\n{PASSWORD}{PASSWORD[:16]}=\n",
    f"[{TOKEN}]\n",
    f"[telegram]\ntoken = {TOKEN}\ntoken = {TOKEN}\n",
]


@pytest.mark.parametrize("content", LEAKS)
def test_no_error_shows_a_secret_wherever_it_was_written(tmp_path: Path, content: str) -> None:
    error = refused(write(tmp_path, content))
    shown = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    for hidden in (TOKEN.partition(":")[2], VK_TOKEN.removeprefix("vk1.a."), OLD_VK_TOKEN[:40], PASSWORD):
        assert hidden.lower() not in shown.lower()


def test_the_settings_show_no_secret_when_printed(minimal: Path) -> None:
    proxy = f"http://me:{PASSWORD}@proxy:3128"
    loaded = load(
        minimal,
        {
            "TRIO_S3_BOT_S3_AWS_ACCESS_KEY_ID": KEY_ID,
            "TRIO_S3_BOT_S3_AWS_SECRET_ACCESS_KEY": KEY,
            "TRIO_S3_BOT_NETWORK_PROXY": proxy,
            "TRIO_S3_BOT_VK_TOKEN": VK_TOKEN,
        },
    )
    assert loaded.network.proxy == Secret(proxy)
    for hidden in (TOKEN, VK_TOKEN, KEY_ID, KEY, PASSWORD):
        assert hidden not in repr(loaded)
        assert hidden not in str(loaded)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config")


@given(st.text().map(str.encode) | st.binary() | st.text("[]=:;#%\n a").map(str.encode))
def test_any_file_is_refused_in_one_line_if_it_lacks_what_is_required(folder: Path, content: bytes) -> None:
    assert refused(write(folder, content)).file == str(folder / "bot.ini")
