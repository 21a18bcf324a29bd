"""
versitygw, an S3 server in Go over a POSIX folder: built once from its source, started for the tests.

It checks what moto doesn't: signatures, CRC32s, key lengths, the conditions of all operations. Its metadata is in
extended attributes of files where the file system has them, otherwise in a folder beside.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

VERSION = "v1.8.0"
_MODULE = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"
_BUILD_SECONDS = 900
_ATTEMPTS = 5


class NotAvailable(Exception):
    """The server can't be built on this machine; the text says why."""


def built() -> Path:
    """The server's binary, from the cache or built now with `go install`. Raises `NotAvailable`."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trio-s3-bot"
    binary = cache / f"versitygw-{VERSION}"
    if binary.exists():
        return binary
    go = shutil.which("go")
    if go is None:
        raise NotAvailable("versitygw is built with Go, and there is no `go` on the PATH")
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / "lock"), tempfile.TemporaryDirectory(dir=cache) as folder:
        if binary.exists():
            return binary
        environment = os.environ | {"GOBIN": folder}
        command = [go, "install", _MODULE]
        done = subprocess.run(  # noqa: S603 - the command is all ours
            command, env=environment, capture_output=True, timeout=_BUILD_SECONDS, check=False
        )
        if done.returncode:
            raise NotAvailable(f"go install {_MODULE} failed: {done.stderr.decode(errors='replace')[-500:]}")
        Path(folder, "versitygw").replace(binary)  # whole or not at all
    return binary


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One at a time: tests may run in several processes, and building takes all cores for a minute."""
    with open(path, "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def serving(binary: Path, folder: Path, *, access_key: str, secret_key: str) -> Iterator[str]:
    """Serve `folder` on a free port of loopback; yields the endpoint's URL."""
    data, sidecar = folder / "data", folder / "sidecar"
    data.mkdir()
    sidecar.mkdir()
    backend = ["posix"] if _keeps_attributes(data) else ["posix", "--sidecar", str(sidecar)]
    for _ in range(_ATTEMPTS):
        port = _free_port()
        command = [str(binary), "--port", f"127.0.0.1:{port}", "--health", "/health", "--keep-alive", "--quiet"]
        command += ["--access", access_key, "--secret", secret_key, *backend, str(data)]
        with open(folder / "log", "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - the command is all ours
        try:
            if _answers(process, f"http://127.0.0.1:{port}/health"):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            process.terminate()
            process.wait(10)
    raise RuntimeError(f"versitygw did not start: {(folder / 'log').read_text()[-500:]}")


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    """Whether the server came up; it doesn't when somebody took the port meanwhile."""
    patient = urllib3.Retry(total=40, backoff_factor=0.02, backoff_max=0.5)
    try:
        urllib3.PoolManager().request("GET", url, retries=patient, timeout=5)
    except urllib3.exceptions.HTTPError:
        return False
    return process.poll() is None


def _free_port() -> int:
    """A port that is free now: versitygw takes 0 too, but doesn't say which one it got."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _keeps_attributes(folder: Path) -> bool:
    try:
        os.setxattr(folder, "user.probe", b"1")
    except OSError:
        return False
    return True
