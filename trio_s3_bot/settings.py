"""The table of settings: what can be set, how it is written, its default, and what it does."""

from __future__ import annotations

from typing import NamedTuple

from . import notation
from .notation import Parser, count, duration, matching, one_of, or_blank, rate, secret, size

ENVIRONMENT_PREFIX = "TRIO_S3_BOT_"
CLOUD_API_URL = "https://api.telegram.org"
VK_API_URL = "https://api.vk.ru/method"


class Setting(NamedTuple):
    """One row of the table. `default` is written as in the file; `doc` is the comment above it there."""

    section: str
    key: str
    default: str
    parse: Parser
    doc: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"{ENVIRONMENT_PREFIX}{self.section}_{self.key}".upper()


_token = secret(r"[0-9]+:\S+", "a bot token (digits, a colon, more characters; no spaces)")
_access_token = secret(r"[!-~]+", "an access token (printable characters, no spaces)")
_key = secret(r"[!-~]+", "a key (printable characters, no spaces)")
_server_path = matching(r"/[^\x00-\x1f]*", "an absolute path")
# The two patterns are as wide as those of botocore; `config` knows what AWS itself allows.
_bucket = matching(
    r"[a-zA-Z0-9._-]{1,255}|arn:aws[^:\s]*:s3[a-z-]*:[a-z0-9-]*:[0-9]{12}:[a-zA-Z0-9./:-]+",
    "a bucket name (letters, digits, dots, hyphens and underscores)",
)
_region = matching(r"(?![0-9]+$)(?!-)[a-zA-Z0-9-]{1,63}(?<!-)", "a region (such as eu-central-1)")
_checksums = one_of("auto", "when_supported", "when_required")
_level = one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# A row is three lines at most; formatted, most would be seven.
# fmt: off
SETTINGS = (
    Setting("telegram", "token", "", or_blank(_token),
            "The bot's token, as @BotFather gives it; blank: there is no bot in Telegram."),
    Setting("telegram", "api_url", CLOUD_API_URL, notation.url, "Address of the Bot API server."),
    Setting("telegram", "local_root", "", or_blank(notation.path),
            "Folder of a local Bot API server, as this machine sees it; blank: none."),
    Setting("telegram", "local_server_root", "", or_blank(_server_path),
            "The same folder as that server sees it; blank: the same as local_root."),
    Setting("telegram", "messages_per_second", "30", rate("0.01", "1000"),
            "Messages a second, at most, to all chats together."),
    Setting("telegram", "chat_messages_per_second", "1", rate("0.01", "1000"),
            "Messages a second, at most, to one chat; short bursts are allowed."),
    Setting("telegram", "group_messages_per_minute", "20", rate("0.01", "1000"),
            "Messages a minute, at most, to one group."),
    Setting("vk", "token", "", or_blank(_access_token),
            "Access token of the community that is the bot; blank: there is no bot in VK."),
    Setting("vk", "group_id", "", or_blank(count("1", "999999999999")),
            "The community's number, to make sure; blank: the community that the token belongs to."),
    Setting("vk", "api_url", VK_API_URL, notation.url, "Address of the methods of VK's API."),
    Setting("vk", "wait", "25 s", duration("1 s", "90 s"),
            "Time that VK waits for events before it answers without, 1 s to 90 s."),
    Setting("vk", "messages_per_second", "15", rate("0.01", "1000"),
            "Messages a second, at most, to all chats together. VK takes 20 requests a second; files need some."),
    Setting("vk", "chat_messages_per_second", "1", rate("0.01", "1000"),
            "Messages a second, at most, to one chat; short bursts are allowed."),
    Setting("vk", "group_messages_per_minute", "20", rate("0.01", "1000"),
            "Messages a minute, at most, to one group."),
    Setting("s3", "bucket", "", _bucket, "The bucket that documents are saved in."),
    Setting("s3", "endpoint_url", "", or_blank(notation.url), "Address of the S3 service; blank: AWS."),
    Setting("s3", "public_endpoint_url", "", or_blank(notation.url),
            "Its address in links that are given to people; blank: the same as endpoint_url."),
    Setting("s3", "region", "", or_blank(_region),
            "Region of the bucket; blank: the one in this machine's AWS settings, if any."),
    Setting("s3", "aws_access_key_id", "", or_blank(_key),
            "Access key, to be set together with its secret; both blank: the usual AWS credential chain."),
    Setting("s3", "aws_secret_access_key", "", or_blank(_key), "The secret of the access key; blank: as above."),
    Setting("s3", "request_checksum_calculation", "auto", _checksums,
            "when_supported, when_required or auto: when_supported on AWS, when_required elsewhere."),
    Setting("worker", "concurrent_workers", "4", count("1", "1000"), "Updates that are handled at the same time."),
    Setting("queue", "capacity", "100", count("1", "100000"),
            "Updates that wait in memory for a worker; the others wait on disk."),
    Setting("uploads", "concurrent_uploads", "", or_blank(count("1", "1000")),
            "Documents that are saved at the same time; blank: as many as concurrent_workers."),
    Setting("uploads", "part_size", "8 MiB", size("5 MiB", "5 GiB"),
            "Size of the parts that a document is uploaded in, 5 MiB to 5 GiB (the limits of S3)."),
    Setting("uploads", "memory_limit", "64 MiB", size("5 MiB"),
            "Memory for the parts of all uploads together, at least one part_size."),
    Setting("uploads", "progress_interval", "3 s", duration("1 s"),
            "Time between two edits of a message that shows progress, at least 1 s."),
    Setting("state", "path", "state/bot.sqlite3", notation.path,
            "The file that the bot keeps its state in; relative to the folder of the config file."),
    Setting("access", "allowed_users", "*", notation.users,
            "Who may use the bot: *, or a list such as telegram:123456, telegram:@name, vk:123456; blank: nobody."),
    Setting("names", "rename", "offer", one_of("offer", "ask", "off"),
            "offer: save at once, rename at any time; ask: ask for a new name before saving; off: neither."),
    Setting("names", "ask_timeout", "60 s", duration("1 s"), "Time that a question about a document holds it up."),
    Setting("names", "on_conflict", "keep_both", one_of("keep_both", "overwrite", "ask"),
            "If the name is taken: keep_both (report (1).pdf), overwrite, or ask the sender."),
    Setting("names", "key", "{name}", notation.key_template,
            "Key in the bucket; may use {messenger}, {chat}, {user}, {date:%Y/%m}; ends with {name}. "
            "If both messengers are on, {chat} and {user} need {messenger}."),
    Setting("links", "lifetime", "1 h", duration("1 s", "168 h"), "Time that a link to a file works, at most 168 h."),
    Setting("limits", "max_file_size", "", or_blank(size("1 B")), "Largest document that is saved; blank: no limit."),
    Setting("limits", "files_per_day", "", or_blank(count("1", "1000000")),
            "Documents that one person may send in 24 hours; blank: no limit."),
    Setting("limits", "bytes_per_day", "", or_blank(size("1 B")),
            "Bytes that one person may send in 24 hours; blank: no limit."),
    Setting("stop", "grace_period", "10 s", duration("0 s", "1 h"),
            "Time that running work is given to finish when the bot is told to stop, at most 1 h."),
    Setting("network", "proxy", "", or_blank(notation.proxy_url),
            "HTTP proxy for all traffic; blank: the environment's HTTP_PROXY, HTTPS_PROXY and NO_PROXY."),
    Setting("log", "level", "INFO", _level, "The least level that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL."),
    Setting("log", "canary", "0.5 s", duration("1 ms"), "The log warns when the event loop is late by more than this."),
)
# fmt: on
