"""
From what people call their files to what S3 can call an object in the root of a bucket, and back. Pure.

The key is the file's name as it came; only what can't be a key in the root is changed:

- `/` and `\\` become `_`: a slash would leave the root;
- control characters, line and paragraph separators, noncharacters and bidi overrides are dropped: XML 1.0 can't carry
  the first, and the last make a name read as another one. Joiners of emoji and Persian stay, and so do leading spaces;
- `.`, `..` and names of nothing but white space are replaced, because servers collapse or trim them;
- over 1024 bytes of UTF-8 (Amazon S3, "Object key naming guidelines") the stem is cut, never the extension.
"""

from __future__ import annotations

import mimetypes
import unicodedata
from datetime import UTC, datetime
from string import Formatter
from urllib.parse import quote

KEY_LIMIT = 1024  # bytes of UTF-8
PREFIX_LIMIT = 512  # bytes of UTF-8 before the name, so that there is room for that and for a number
NAME_FIELD = "{name}"
_EXTENSION_LIMIT = 32  # bytes; a longer "extension" is just a name with a dot in it
_DROPPED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_DEFAULT_TYPE = "application/octet-stream"
# What mimetypes leaves to the system's tables differs between machines; these must not.
_EXTENSIONS = {"application/octet-stream": "", "text/plain": ".txt", "image/jpeg": ".jpg", "audio/ogg": ".ogg"}


def key_for(file_name: str | None, unique_id: str, mime_type: str | None) -> str:
    """The key for a file that its sender calls `file_name`; without a usable one, made of `unique_id` and the type."""
    key = clean(file_name or "")
    return key or fit(clean(unique_id) + extension_for(mime_type)) or "file"


def clean(name: str) -> str:
    """The name as a key, or an empty string when nothing usable is left of it."""
    replaced = name.replace("/", "_").replace("\\", "_")
    kept = fit("".join(char for char in replaced if not _is_dropped(char)))
    return "" if kept.strip() in ("", ".", "..") else kept


def fit(name: str, suffix: str = "", limit: int = KEY_LIMIT) -> str:
    """Cut the stem until stem, `suffix` and extension fit into `limit` bytes of UTF-8; whole characters only."""
    stem, extension = split(name)
    room = limit - len((suffix + extension).encode())
    return stem.encode()[:room].decode(errors="ignore") + suffix + extension


def split(name: str) -> tuple[str, str]:
    """Stem and extension (with its dot); `.env` and `archive.` have none, `a.tar.gz` has `.gz`. Takes keys as well."""
    stem, dot, extension = name.rpartition(".")
    if (
        not dot
        or not stem
        or stem.endswith("/")
        or not extension
        or "/" in extension
        or len(extension.encode()) >= _EXTENSION_LIMIT
    ):
        return name, ""
    return stem, dot + extension


def numbered(name: str, number: int) -> str:
    """`report.pdf`, 2 -> `report (2).pdf`; 0 is the name itself."""
    return fit(name, f" ({number})") if number else name


def before_number(name: str, most: int) -> str:
    """What `numbered` makes of a name begins with this, for all numbers up to `most`."""
    stem, extension = split(name)
    shortest = fit(name, f" ({most})").removesuffix(f" ({most}){extension}")
    # A name near the limit loses more of its stem to a longer number.
    return f"{stem} (" if shortest == stem else shortest


def number_in(key: str, name: str) -> int | None:
    """The number that `numbered` gave to `key`, were it one of `name`'s; `None` if it isn't."""
    if key == name:
        return 0
    before, bracket, rest = key.rpartition(" (")
    digits = rest.partition(")")[0]
    if not before or not bracket or not digits.isascii() or not digits.isdigit():
        return None
    return int(digits) if numbered(name, int(digits)) == key else None


def extension_for(mime_type: str | None) -> str:
    """The usual extension of a MIME type, with its dot; empty when there is none."""
    if not mime_type:
        return ""
    known = _EXTENSIONS.get(mime_type.lower())
    return known if known is not None else mimetypes.guess_extension(mime_type, strict=False) or ""


def filled(template: str, *, chat: int, user: int, messenger: str, date: int) -> str:
    """
    What a key template puts before the name: `{chat}`, `{user}`, `{messenger}` and `{date:%Y/%m}` filled in.

    `date` is in Unix seconds and written in UTC. Raises `ValueError` for anything else in braces, and for a template
    that doesn't end with `{name}`.
    """
    if not template.endswith(NAME_FIELD) or template.count(NAME_FIELD) != 1:
        raise ValueError(f"must end with {NAME_FIELD}")
    when = datetime.fromtimestamp(date, UTC)
    facts = {"chat": chat, "user": user, "messenger": messenger}
    written = []
    for literal, field, layout, conversion in Formatter().parse(template.removesuffix(NAME_FIELD)):
        if field == "date" and layout and not conversion:
            written += [literal, when.strftime(layout)]
        elif field in facts and not layout and not conversion:
            written += [literal, str(facts[field])]
        elif field is None:
            written.append(literal)
        else:
            raise ValueError(f"unknown field {{{field}}}; known are {{chat}}, {{user}}, {{messenger}}, {{date:%Y/%m}}")
    prefix = "".join(written)
    if prefix.startswith("/") or "//" in prefix or any(step in (".", "..") for step in prefix.split("/")):
        raise ValueError("must not begin with / nor have empty, . or .. steps")
    return prefix


def checked(template: str) -> str:
    """The template. Raises `ValueError` if what it makes can't be a key; ids and dates are a little longer at times."""
    prefix = filled(template, chat=0, user=0, messenger="telegram", date=0)
    if any(map(_is_dropped, prefix)):
        raise ValueError("must not have control characters")
    if len(prefix.encode()) > PREFIX_LIMIT:
        raise ValueError(f"must not have more than {PREFIX_LIMIT} bytes before the name")
    return template


def fields_of(template: str) -> set[str]:
    """The names of what stands in braces in a key template."""
    return {field for _, field, _, _ in Formatter().parse(template) if field}


def content_type(mime_type: str | None, name: str) -> str:
    """The Content-Type to store: what the sender's client said if it is a plausible type, else by the name."""
    if mime_type and _is_media_type(mime_type):
        return mime_type
    guessed, encoding = mimetypes.guess_type(name, strict=False)
    return guessed if guessed and not encoding else _DEFAULT_TYPE


def content_disposition(name: str) -> str:
    """`attachment` with the name in ASCII for old clients and whole for all others (RFC 6266, RFC 8187)."""
    printable = "".join(char for char in name if not _is_dropped(char)) or "file"
    plain = unicodedata.normalize("NFKD", printable).encode("ascii", "ignore").decode()
    quoted = "".join("_" if char in '"\\%' else char for char in plain) or "file"
    return f"attachment; filename=\"{quoted}\"; filename*=UTF-8''{quote(printable, safe='!#$&+^`|~')}"


def _is_dropped(char: str) -> bool:
    return unicodedata.category(char) in _DROPPED_CATEGORIES or char in _BIDI or ord(char) & 0xFFFE == 0xFFFE


def _is_media_type(text: str) -> bool:
    """RFC 9110, section 8.3.1: `type/subtype` of token characters, without parameters that could smuggle anything."""
    kind, slash, subtype = text.partition("/")
    return bool(slash) and len(text) <= 127 and all(part and _is_token(part) for part in (kind, subtype))


def _is_token(text: str) -> bool:
    return text.isascii() and all(char.isalnum() or char in "!#$&^_.+-" for char in text)
