"""
Every setting of the bot, read once from the config file and the environment into frozen parts.

A setting is looked up in the overrides, then in the environment (`TRIO_S3_BOT_<SECTION>_<KEY>`), then in the file, and
has its default if it is in none of them. `settings` is the table of what can be set. A new section is a dataclass in
`sections`, its rows in that table, and a line in `_build`.
"""

from __future__ import annotations

import configparser
import difflib
import itertools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from trio_s3_bot import names
from trio_s3_bot.config.sections import (
    AccessConfig,
    BotConfig,
    LimitsConfig,
    LinksConfig,
    LogConfig,
    NamesConfig,
    NetworkConfig,
    QueueConfig,
    S3Config,
    StateConfig,
    StopConfig,
    TelegramConfig,
    UploadsConfig,
    VkConfig,
    WorkerConfig,
)
from trio_s3_bot.errors import ConfigError
from trio_s3_bot.notation import TOKEN, Malformed
from trio_s3_bot.settings import CLOUD_API_URL, ENVIRONMENT_PREFIX, SETTINGS, Setting

__all__ = [
    "AccessConfig",
    "BotConfig",
    "LimitsConfig",
    "LinksConfig",
    "LogConfig",
    "NamesConfig",
    "NetworkConfig",
    "QueueConfig",
    "S3Config",
    "StateConfig",
    "StopConfig",
    "TelegramConfig",
    "UploadsConfig",
    "VkConfig",
    "WorkerConfig",
    "load",
]

_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
# "Bucket naming rules" of the Amazon S3 User Guide; access points (arn:) have names of their own.
_AWS_BUCKET = r"arn:.*|(?=.{3,63}$)(?!.*\.\.)(?!([0-9]+\.){3}[0-9]+$)[a-z0-9][a-z0-9.-]*[a-z0-9]"


class _Written(NamedTuple):
    """The text of a setting, and where it stands: a file, a variable, the overrides."""

    text: str
    origin: str


def load(path: Path, environ: Mapping[str, str], overrides: Mapping[tuple[str, str], str] = {}) -> BotConfig:
    """
    All settings from the file at `path`, changed by the environment and then by `overrides` (section, key -> text).

    ConfigError if the file can't be read, if anything in it, in a `TRIO_S3_BOT_` variable or in `overrides` is unknown
    or malformed, or if a setting without a default is missing.
    """
    written = {(row.section, row.key): _Written(row.default, str(path)) for row in SETTINGS}
    written |= _from_file(path) | _from_environment(environ) | _from_overrides(overrides)
    _require_a_messenger(written)
    return _build(_Parsed(written), path.absolute().parent)


def _from_file(path: Path) -> dict[tuple[str, str], _Written]:
    file, sections = str(path), _keys_by_section()
    found = {}
    ini = _read_ini(path)
    for section in ini.sections():
        if section not in sections:
            problem = f"unknown section; {_known(section, sections)}"
            raise ConfigError(problem, file=file, section=_showable(section))
        for key, text in ini.items(section):
            if key not in sections[section]:
                problem = f"unknown key; {_known(key, sections[section])}"
                raise ConfigError(problem, file=file, section=section, key=_showable(key))
            found[section, key] = _Written(text.strip(), file)
    return found


def _read_ini(path: Path) -> configparser.ConfigParser:
    # Values hold % (tokens), # and ; (paths, keys), so there is no interpolation and no comment behind a value.
    # A blank name can't be written, so no section is the one that lends its keys to all others.
    ini = configparser.ConfigParser(interpolation=None, default_section="")
    file = str(path)
    try:
        ini.read_string(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError("there is no such file", file=file) from None
    except OSError as error:
        raise ConfigError(f"the file can't be read: {error.strerror}", file=file) from error
    except UnicodeDecodeError:
        raise ConfigError("the file is not text in UTF-8", file=file) from None
    except configparser.Error as error:
        # Not `from error`: its text quotes lines of the file, and those may hold secrets.
        raise _not_ini(error, file) from None
    return ini


def _not_ini(error: configparser.Error, file: str) -> ConfigError:
    match error:
        case configparser.DuplicateOptionError():
            problem = f"the key is there twice, again in line {error.lineno}; keep one"
            return ConfigError(problem, file=file, section=_showable(error.section), key=_showable(error.option))
        case configparser.DuplicateSectionError():
            problem = f"the section is there twice, again in line {error.lineno}; keep one"
            return ConfigError(problem, file=file, section=_showable(error.section))
        case configparser.MissingSectionHeaderError():
            return ConfigError(f"line {error.lineno} stands before the first [section]", file=file)
        case configparser.ParsingError(errors=[(line, _), *_]):
            return ConfigError(f"line {line} is neither [section] nor key = value nor a comment", file=file)
    return ConfigError("the file has not the form of an INI file", file=file)


def _from_environment(environ: Mapping[str, str]) -> dict[tuple[str, str], _Written]:
    rows = {row.variable: row for row in SETTINGS}
    found = {}
    for variable, text in environ.items():
        if variable in rows:
            found[rows[variable].section, rows[variable].key] = _Written(text.strip(), variable)
        elif variable.startswith(ENVIRONMENT_PREFIX):
            raise ConfigError(f"unknown variable; {_known_variable(variable, rows)}", file=ascii(variable)[1:-1])
    return found


def _known_variable(variable: str, known: Iterable[str]) -> str:
    # The prefix, being common to all, would make all of them look alike.
    name = variable.removeprefix(ENVIRONMENT_PREFIX)
    endings = [full.removeprefix(ENVIRONMENT_PREFIX) for full in known]
    without_section = [ending for ending in endings if ending.endswith(f"_{name}")]
    close = without_section or difflib.get_close_matches(name, endings, 1, 0.5)
    meant = " or ".join(f"{ENVIRONMENT_PREFIX}{ending}" for ending in close)
    return f"did you mean {meant}?" if meant else "config.ini lists all settings"


def _from_overrides(overrides: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], _Written]:
    known = {(row.section, row.key) for row in SETTINGS}
    for section, key in overrides:
        if (section, key) not in known:
            raise ConfigError("there is no such setting", file="overrides", section=section, key=key)
    return {name: _Written(text.strip(), "overrides") for name, text in overrides.items()}


def _require_a_messenger(written: Mapping[tuple[str, str], _Written]) -> None:
    token = written["telegram", "token"]
    if not token.text and not written["vk", "token"].text:
        problem = (
            "it is blank, and so is [vk] token, but the bot has to be in one of the two at least; put it there or set "
            f"{ENVIRONMENT_PREFIX}TELEGRAM_TOKEN"
        )
        raise ConfigError(problem, file=token.origin, section="telegram", key="token")


def _keys_by_section() -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for row in SETTINGS:
        keys.setdefault(row.section, []).append(row.key)
    return keys


def _known(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name.lower(), known, 1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"


def _showable(name: str) -> str | None:
    """The name, unless it may be a secret that somebody pasted without a key."""
    return name if re.fullmatch(r"[\w.-]{1,30}", name, re.ASCII) else None


def _quote(text: str) -> str:
    """The text in quotes, on one line, shortened, and without what looks like a token."""
    text = TOKEN.sub("***", text)
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


class _Parsed:
    """The values of all settings, and for the rules between settings where each of them was written."""

    def __init__(self, written: Mapping[tuple[str, str], _Written]) -> None:
        self._written = written
        self._values = {(row.section, row.key): self._parse(row) for row in SETTINGS}

    def section(self, name: str) -> dict[str, Any]:
        """The values of one section by key."""
        return {key: value for (section, key), value in self._values.items() if section == name}

    def wrong(self, section: str, key: str, problem: str, *, quote: bool = False) -> ConfigError:
        """The error that says what is wrong with a setting, after its text if `quote` is set."""
        text, origin = self._written[section, key]
        return ConfigError(f"{_quote(text)} {problem}" if quote else problem, file=origin, section=section, key=key)

    def _parse(self, row: Setting) -> object:
        text, _ = self._written[row.section, row.key]
        try:
            return row.parse(text)
        except Malformed as error:
            raise self.wrong(row.section, row.key, _problem(row, text, error)) from None


def _problem(row: Setting, text: str, error: Malformed) -> str:
    if not text:
        return f"it is blank, but has to be {error.allowed}; put it there or set {row.variable}"
    what = "what is written there" if error.hide else _quote(error.piece or text)
    return f"{what} is not {error.allowed}{_hint(text)}"


def _hint(text: str) -> str:
    if "\n" in text:
        return "; an indented line belongs to the value above it"
    return "; a comment goes on a line of its own" if re.search(r"\s[#;]", text) else ""


def _build(parsed: _Parsed, folder: Path) -> BotConfig:
    allowed = parsed.section("access")["allowed_users"]
    worker = WorkerConfig(**parsed.section("worker"))
    return BotConfig(
        telegram=_telegram(parsed, folder),
        vk=_vk(parsed),
        s3=_s3(parsed),
        worker=worker,
        queue=QueueConfig(**parsed.section("queue")),
        uploads=_uploads(parsed, worker.concurrent_workers),
        state=StateConfig(path=folder / parsed.section("state")["path"]),
        access=AccessConfig(everybody="*" in allowed, allowed=allowed - {"*"}),
        names=_names(parsed),
        links=LinksConfig(**parsed.section("links")),
        limits=LimitsConfig(**parsed.section("limits")),
        stop=StopConfig(**parsed.section("stop")),
        network=NetworkConfig(**parsed.section("network")),
        log=LogConfig(**parsed.section("log")),
    )


def _vk(parsed: _Parsed) -> VkConfig | None:
    values = parsed.section("vk")
    return VkConfig(**values) if values["token"] is not None else None


def _telegram(parsed: _Parsed, folder: Path) -> TelegramConfig | None:
    values = parsed.section("telegram")
    if values["token"] is None:
        return None
    root, server_root = values["local_root"], values["local_server_root"]
    if root is None:
        if server_root is not None:
            raise parsed.wrong("telegram", "local_server_root", "it needs local_root to be set as well")
        return TelegramConfig(**values)
    if values["api_url"] == CLOUD_API_URL:
        raise parsed.wrong("telegram", "local_root", "it is for a local Bot API server; set api_url to its address")
    local_root = folder / root
    return TelegramConfig(**values | {"local_root": local_root, "local_server_root": server_root or str(local_root)})


def _s3(parsed: _Parsed) -> S3Config:
    values = parsed.section("s3")
    endpoint, bucket = values["endpoint_url"], values["bucket"]
    on_aws = endpoint is None or str(urlsplit(endpoint).hostname).endswith(_AWS_DOMAINS)
    if on_aws and not re.fullmatch(_AWS_BUCKET, bucket):
        problem = "is not a bucket name on AWS (3 to 63 lower-case letters, digits, dots and hyphens; no IP address)"
        raise parsed.wrong("s3", "bucket", problem, quote=True)
    for key, other in itertools.permutations(("aws_access_key_id", "aws_secret_access_key")):
        if values[key] is None and values[other] is not None:
            raise parsed.wrong("s3", key, f"it is blank although {other} is set; set both or neither")
    if values["request_checksum_calculation"] == "auto":
        values["request_checksum_calculation"] = "when_supported" if on_aws else "when_required"
    return S3Config(**values | {"public_endpoint_url": values["public_endpoint_url"] or endpoint})


def _names(parsed: _Parsed) -> NamesConfig:
    """The messengers number their people and chats independently: without their names two of them are one."""
    values = parsed.section("names")
    both = all(parsed.section(messenger)["token"] is not None for messenger in ("telegram", "vk"))
    fields = names.fields_of(values["key"])
    if both and not fields.isdisjoint({"chat", "user"}) and "messenger" not in fields:
        problem = (
            "would mix people of Telegram and VK, who may have the same number: with both on, put {messenger} into it"
        )
        raise parsed.wrong("names", "key", problem, quote=True)
    return NamesConfig(**values)


def _uploads(parsed: _Parsed, workers: int) -> UploadsConfig:
    values = parsed.section("uploads")
    if values["memory_limit"] < values["part_size"]:
        raise parsed.wrong("uploads", "memory_limit", "is less than part_size", quote=True)
    return UploadsConfig(**values | {"concurrent_uploads": values["concurrent_uploads"] or workers})
