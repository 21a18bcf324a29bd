"""
A bot as one writes it in an afternoon, for comparison: `python benchmarks/afternoon.py API_URL TOKEN ENDPOINT_URL`.

It says and stores the same as the real one, in four threads, and keeps none of its promises: it confirms updates before
they are handled, forgets everything when it ends, holds whole files in memory, overwrites, and knows no limits.
"""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import urllib3
from botocore.config import Config

WORKERS = 4


class Afternoon:
    """All of it."""

    def __init__(self, api_url: str, token: str, endpoint_url: str) -> None:
        self._api = f"{api_url}/bot{token}"
        self._files = f"{api_url}/file/bot{token}"
        self._http = urllib3.PoolManager(maxsize=WORKERS + 1)
        self._s3 = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="benchmark",
            aws_secret_access_key="benchmark",  # noqa: S106
            config=Config(request_checksum_calculation="when_required", s3={"addressing_style": "path"}),
        )

    def run(self) -> None:
        """Poll for ever."""
        offset = 0
        with ThreadPoolExecutor(WORKERS) as workers:
            while True:
                for update in self._call("getUpdates", offset=offset, timeout=60, allowed_updates=["message"]):
                    offset = update["update_id"] + 1
                    workers.submit(self._answer, update["message"])

    def _answer(self, message: dict[str, Any]) -> None:
        chat = message["chat"]["id"]
        if "document" not in message:
            self._call("sendMessage", chat_id=chat, text="[greeting]")
            return
        document = message["document"]
        self._call("sendMessage", chat_id=chat, text=f"[document] {document['file_name']}")
        path = self._call("getFile", file_id=document["file_id"])["file_path"]
        body = self._http.request("GET", f"{self._files}/{path}").data
        self._s3.put_object(Bucket="files", Key=document["file_name"], Body=body)
        self._call("sendMessage", chat_id=chat, text=f"[document has been saved] {document['file_name']}")

    def _call(self, method: str, **params: Any) -> Any:
        return self._http.request("POST", f"{self._api}/{method}", json=params, timeout=90).json()["result"]


def main() -> None:
    """Run until the one who holds the other end of standard input is gone."""
    bot = Afternoon(*sys.argv[1:])
    threading.Thread(target=bot.run, daemon=True).start()
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
