"""Ready-made answers, each in the form of the API that it pretends to come from."""

from __future__ import annotations

import json

from .kinds import Status


def TooMany(retry_after: int) -> Status:  # reads as the other faults do
    """429 as the Bot API gives it: seconds to wait in `parameters.retry_after` and in Retry-After."""
    return bot_api_error(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


def bot_api_error(code: int, description: str, **parameters: int) -> Status:
    """An error of the Bot API; `parameters` such as `retry_after` (seconds) or `migrate_to_chat_id`."""
    answer: dict[str, object] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        answer["parameters"] = parameters
    seconds = parameters.get("retry_after")
    headers = () if seconds is None else (("Retry-After", str(seconds)),)
    return Status(code, json.dumps(answer).encode(), "application/json", headers)


def vk_error(code: int, message: str) -> Status:
    """An error of the VK API, which comes with status 200."""
    answer = {"error": {"error_code": code, "error_msg": message, "request_params": []}}
    return Status(200, json.dumps(answer).encode(), "application/json; charset=utf-8")


def s3_error(status: int, code: str, message: str) -> Status:
    """An error of S3; `code` such as `SlowDown` is what clients go by."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message>"
        "<RequestId>4442587FB7D0A2F9</RequestId><HostId>sandbox</HostId></Error>"
    )
    return Status(status, body.encode(), "application/xml")


def _html(code: int, title: str) -> Status:
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    return Status(code, f"{page}<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n".encode(), "text/html")


SERVER_ERROR = Status(500, b"Internal Server Error")
BAD_GATEWAY = _html(502, "502 Bad Gateway")
S3_INTERNAL_ERROR = s3_error(500, "InternalError", "We encountered an internal error. Please try again.")
S3_SLOW_DOWN = s3_error(503, "SlowDown", "Please reduce your request rate.")
S3_ACCESS_DENIED = s3_error(403, "AccessDenied", "Access Denied")
BOT_API_FORBIDDEN = bot_api_error(403, "Forbidden: bot was blocked by the user")
