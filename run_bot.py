"""Command line -> config -> logging -> the bot -> exit code."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

try:
    import trio

    from trio_s3_bot import logs
    from trio_s3_bot.base import Bot, BotConfig
    from trio_s3_bot.checks import Finding
    from trio_s3_bot.config import load
    from trio_s3_bot.config.proxies import agree_on_proxies
    from trio_s3_bot.errors import CheckFailed, ConfigError, StateError
    from trio_s3_bot.sandbox.launch import SandboxFailed, launched
except ModuleNotFoundError as missing:
    # Nearly always: started with another Python than the one that the packages were installed for.
    print(  # noqa: T201 - for the person at the terminal
        f"run_bot.py: {missing.name} is not installed for {sys.executable}; README.md says how", file=sys.stderr
    )
    sys.exit(2)
except KeyboardInterrupt:  # in the second that the imports take
    sys.exit(130)

DONE, WRONG, INTERRUPTED = 0, 2, 130
EXPECTED = (ConfigError, CheckFailed, StateError, SandboxFailed)
DEFAULT_CONFIG = Path(__file__).with_name("config.ini")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# What may stand in an operator's own settings and would lead out of the sandbox, or keep its people out of the bot.
NOT_IN_THE_SANDBOX = {
    ("telegram", "local_root"): "",
    ("telegram", "local_server_root"): "",
    ("s3", "public_endpoint_url"): "",
    ("access", "allowed_users"): "*",
    ("network", "proxy"): "",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code: 0 when it was stopped, 2 for what a restart can't cure."""
    options = _parser().parse_args(arguments)
    try:
        with _overrides(options) as overrides:
            config = load(options.config, os.environ, overrides)
            logs.configure(options.log_level or config.log.level)
            if config.network.proxy is None:
                agree_on_proxies(os.environ)
            if options.check:
                return _print_findings(trio.run(Bot(config).check))
            trio.run(_run, config)
    except EXPECTED as error:
        return _wrong(error)
    except BaseExceptionGroup as group:
        # A nursery groups even a lone error. What isn't expected is a bug, and keeps its traceback.
        expected, others = group.split(EXPECTED)
        if expected is None or others is not None:
            raise
        return _wrong(_first(expected))
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


def _wrong(error: BaseException) -> int:
    print(f"run_bot.py: {error}", file=sys.stderr)  # noqa: T201 - for the person at the terminal
    return WRONG


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Save the files that people send to a bot in Telegram or VK in an S3 bucket.",
        epilog="Every setting of the config file can be given as TRIO_S3_BOT_<SECTION>_<KEY> in the environment too.",
    )
    parser.add_argument(
        "--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help="the settings (default: config.ini)"
    )
    parser.add_argument("--check", action="store_true", help="check tokens and bucket, print a table, and exit")
    parser.add_argument(
        "--sandbox", action="store_true", help="try it without any account: Telegram, VK and S3 are emulated here"
    )
    parser.add_argument(
        "--log-level", type=str.upper, choices=LEVELS, help="how much is logged on stderr (default: INFO)"
    )
    return parser


@contextmanager
def _overrides(options: argparse.Namespace) -> Iterator[dict[tuple[str, str], str]]:
    """What the command line sets above all other settings: with `--sandbox`, where the sandbox is."""
    if not options.sandbox:
        yield {}
        return
    with launched() as sandbox:
        print(f"The chat is at {sandbox.page_url}", flush=True)  # noqa: T201 - for the person at the terminal
        if _has_a_desktop():
            webbrowser.open(sandbox.page_url)
        _bypass_proxies()
        yield NOT_IN_THE_SANDBOX | sandbox.settings


def _has_a_desktop() -> bool:
    """Without one, `webbrowser` would start a text browser in this very terminal."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _bypass_proxies() -> None:
    """Let no proxy that the environment names stand between the bot and the sandbox."""
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost"]))


async def _run(config: BotConfig) -> None:
    """The bot, until a signal; the first one asks it to stop, a second one leaves at once."""
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_at_signal, stop, config.stop.grace_period)
        await Bot(config).run(stop)
        nursery.cancel_scope.cancel()


async def _stop_at_signal(
    stop: trio.Event, grace_period: float, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            break
    stop.set()
    # From here on nothing may hold the process: not a thread that waits for a dead server, not a blocked loop. What is
    # unfinished stands in the inbox, as it would after a power cut.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(INTERRUPTED))
    timer = threading.Timer(grace_period, os._exit, (DONE,))
    timer.daemon = True
    timer.start()


def _print_findings(findings: Sequence[Finding]) -> int:
    marks = {True: "ok  ", False: "FAIL", None: "note"}
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        print(f"{marks[finding.good]}  {finding.what:<{width}}  {finding.detail}")  # noqa: T201 - what was asked for
    return WRONG if any(finding.good is False for finding in findings) else DONE


if __name__ == "__main__":
    sys.exit(main())
