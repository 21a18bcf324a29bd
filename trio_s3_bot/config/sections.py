"""The settings of each section as a frozen value, and all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trio_s3_bot.model import Secret

Checksums = Literal["when_supported", "when_required"]


@dataclass(frozen=True, slots=True)
class TelegramConfig:
    """
    How to reach Telegram, and how much may be said there.

    `local_root` is the folder of a local Bot API server, `local_server_root` the same folder as that server names it;
    both are None without one. URLs of this module never end with a slash.
    """

    token: Secret
    api_url: str
    local_root: Path | None
    local_server_root: str | None
    messages_per_second: float
    chat_messages_per_second: float
    group_messages_per_minute: float


@dataclass(frozen=True, slots=True)
class VkConfig:
    """
    How to reach VK, and how much may be said there.

    `group_id` is None where the token alone says which community it is; `wait` is how many seconds a long poll lasts.
    """

    token: Secret
    group_id: int | None
    api_url: str
    wait: float
    messages_per_second: float
    chat_messages_per_second: float
    group_messages_per_minute: float


@dataclass(frozen=True, slots=True)
class S3Config:
    """
    Where objects go. `endpoint_url` is None for AWS; `public_endpoint_url` is the one for links that people open.

    The two keys are both None where the usual AWS credential chain is to find them.
    """

    bucket: str
    endpoint_url: str | None
    public_endpoint_url: str | None
    region: str | None
    aws_access_key_id: Secret | None
    aws_secret_access_key: Secret | None
    request_checksum_calculation: Checksums


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """How many updates are handled at the same time."""

    concurrent_workers: int


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """How many updates wait in memory for a worker; the others wait on disk."""

    capacity: int


@dataclass(frozen=True, slots=True)
class UploadsConfig:
    """Upload slots, sizes in bytes (`memory_limit` is for all slots together) and seconds between progress edits."""

    concurrent_uploads: int
    part_size: int
    memory_limit: int
    progress_interval: float


@dataclass(frozen=True, slots=True)
class StateConfig:
    """The state file, as an absolute path."""

    path: Path


@dataclass(frozen=True, slots=True)
class AccessConfig:
    """Who may use the bot: everybody, or those in `allowed`, written `telegram:123456` or `telegram:@name`."""

    everybody: bool
    allowed: frozenset[str]

    def allows(self, messenger: str, user_id: int, username: str | None) -> bool:
        """Whether this person may use the bot; `username` is without the @, in any case, None if there is none."""
        names = {f"{messenger}:{user_id}"} | ({f"{messenger}:@{username.lower()}"} if username else set())
        return self.everybody or not names.isdisjoint(self.allowed)


@dataclass(frozen=True, slots=True)
class NamesConfig:
    """
    Whether new names are offered, asked for or neither; how many seconds a question holds a document up; what happens
    when a name is taken; and the template of keys, which ends with `{name}`.
    """

    rename: Literal["offer", "ask", "off"]
    ask_timeout: float
    on_conflict: Literal["keep_both", "overwrite", "ask"]
    key: str


@dataclass(frozen=True, slots=True)
class LinksConfig:
    """How many seconds a link to a saved file works."""

    lifetime: float


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """The largest document that is saved, and what one person may send in 24 hours (bytes); None for no limit."""

    max_file_size: int | None
    files_per_day: int | None
    bytes_per_day: int | None

    @property
    def per_day(self) -> bool:
        """Whether it has to be counted how much a person sends."""
        return self.files_per_day is not None or self.bytes_per_day is not None


@dataclass(frozen=True, slots=True)
class StopConfig:
    """Seconds that running work gets to finish or park once a stop was asked for."""

    grace_period: float


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The proxy for all traffic; None for what HTTP_PROXY, HTTPS_PROXY and NO_PROXY say."""

    proxy: Secret | None


@dataclass(frozen=True, slots=True)
class LogConfig:
    """The least level that is logged, and by how many seconds the event loop may be late without a warning."""

    level: str
    canary: float


@dataclass(frozen=True, slots=True)
class BotConfig:
    """All settings; each part of the program is given its own section only. A messenger that is off is None."""

    telegram: TelegramConfig | None
    vk: VkConfig | None
    s3: S3Config
    worker: WorkerConfig
    queue: QueueConfig
    uploads: UploadsConfig
    state: StateConfig
    access: AccessConfig
    names: NamesConfig
    links: LinksConfig
    limits: LimitsConfig
    stop: StopConfig
    network: NetworkConfig
    log: LogConfig

    @property
    def accounts(self) -> dict[str, TelegramConfig | VkConfig]:
        """The messengers that are on, by name."""
        both = {"telegram": self.telegram, "vk": self.vk}
        return {name: account for name, account in both.items() if account is not None}
