"""What a messenger's API says can be printed without giving a secret away."""

from __future__ import annotations

import msgspec
import pytest

from trio_s3_bot.messengers.telegram_types import TFile, TWebhookInfo
from trio_s3_bot.messengers.vk_long_poll import VServer
from trio_s3_bot.messengers.vk_types import FileId, VDoc, VMessage
from trio_s3_bot.model import Source

DOC = {"id": 1, "owner_id": 2, "url": "secret"}


@pytest.mark.parametrize(
    "shape",
    [
        msgspec.convert(DOC, VDoc),
        msgspec.convert({"peer_id": 1, "from_id": 1, "attachments": [{"type": "doc", "doc": DOC}]}, VMessage),
        FileId(1, 2, 3, 4, 5, "secret"),
        VServer("secret", "https://secret/", "1"),
        TFile("secret/documents/file_1.pdf"),
        TWebhookInfo("https://secret/"),
        Source(path="/secret/documents/file_1.pdf"),
    ],
    ids=lambda shape: type(shape).__name__,
)
def test_no_secret_is_printed(shape: object) -> None:
    assert "secret" not in repr(shape) + str(shape) + f"{[shape]}"
