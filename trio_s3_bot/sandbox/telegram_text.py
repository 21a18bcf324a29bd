"""
Texts as the Bot API sees them: lengths in UTF-16 units, entities, and the HTML of `parse_mode`.

Error texts are those of tdlib (`MessageEntity.cpp`, `parse_html`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .telegram_replies import Refusal, bad_request

TEXT_MAX = 4096
RAW_MAX = 32_768
ESCAPES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler", "span": "spoiler",
    "code": "code", "pre": "pre", "blockquote": "blockquote", "a": "text_link", "tg-emoji": "custom_emoji",
}  # fmt: skip
FOUND = re.compile(
    r"(?P<bot_command>(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/<>]))"
    r"|(?P<mention>(?<!\w)@[A-Za-z]\w{3,31})"
    r"|(?P<url>https?://[^\s<>\"]+)"
)
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)([^<>]*)>")
ATTRIBUTE = re.compile(r"""\s+([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
ESCAPE = re.compile(r"&(?:#(\d+)|#x([0-9a-fA-F]+)|([a-z]+));?")


@dataclass(frozen=True)
class FormattedText:
    """A text and its entities, offsets and lengths in UTF-16 units."""

    text: str
    entities: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        return {"text": self.text, **({"entities": self.entities} if self.entities else {})}


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def find_entities(text: str) -> list[dict[str, Any]]:
    """What Telegram marks by itself: commands, mentions, links."""
    return [
        {"type": match.lastgroup, "offset": utf16_length(text[: match.start()]), "length": utf16_length(match[0])}
        for match in FOUND.finditer(text)
    ]


def formatted(raw: str, parse_mode: str, entities: list[dict[str, Any]] | None, *, too_long: str) -> FormattedText:
    """
    What a message of this text will look like; `too_long` is the refusal for more than 4096 UTF-16 units.

    `parse_mode` is empty or `HTML`; explicit entities are taken as they come when there is none.
    """
    _check_raw(raw)
    if parse_mode.lower() == "html":
        text, marked = _HtmlReader(raw).read()
    elif parse_mode:
        raise bad_request("unsupported parse_mode")
    else:
        text, marked = raw, [dict(entity) for entity in entities or []]
    text, marked = _trimmed(text, marked)
    if not text:
        raise bad_request("text must be non-empty")
    if utf16_length(text) > TEXT_MAX:
        raise bad_request(too_long)
    literal = [entity for entity in marked if entity["type"] in ("code", "pre", "text_link")]
    marked += [entity for entity in find_entities(text) if not any(_overlap(entity, other) for other in literal)]
    return FormattedText(text, sorted(marked, key=lambda e: (e["offset"], -e["length"])))


def _overlap(one: dict[str, Any], two: dict[str, Any]) -> bool:
    return bool(one["offset"] < two["offset"] + two["length"] and two["offset"] < one["offset"] + one["length"])


def _check_raw(raw: str) -> None:
    if not raw:
        raise bad_request("message text is empty")
    if any(0xD800 <= ord(letter) < 0xE000 for letter in raw):
        raise bad_request("strings must be encoded in UTF-8")
    if len(raw.encode()) > RAW_MAX:
        raise bad_request("text is too long")


def _trimmed(text: str, entities: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """Without the white space at both ends; entities move along and are cut at the end."""
    shift = utf16_length(text) - utf16_length(text.lstrip())
    text = text.strip()
    end = utf16_length(text)
    kept = []
    for entity in entities:
        start = max(entity["offset"] - shift, 0)
        stop = min(entity["offset"] + entity["length"] - shift, end)
        if stop > start:
            kept.append({**entity, "offset": start, "length": stop - start})
    return text, kept


class _HtmlReader:
    """One pass over a text with tags: what remains is text, what the tags enclosed are entities."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._at = 0
        self._text = ""
        self._open: list[tuple[str, int, dict[str, Any]]] = []
        self._entities: list[dict[str, Any]] = []

    def read(self) -> tuple[str, list[dict[str, Any]]]:
        while self._at < len(self._raw):
            letter = self._raw[self._at]
            if letter == "<":
                self._tag()
            elif letter == "&":
                self._escape()
            else:
                self._text += letter
                self._at += 1
        if self._open:
            raise self._error(f'Can\'t find end tag corresponding to start tag "{self._open[-1][0]}"', at=False)
        return self._text, self._entities

    def _escape(self) -> None:
        match = ESCAPE.match(self._raw, self._at)
        letter = _unescaped(match) if match else None
        self._text += letter or "&"
        self._at += len(match[0]) if match and letter else 1

    def _tag(self) -> None:
        match = TAG.match(self._raw, self._at)
        if match is None:
            closing = self._raw.startswith("</", self._at)
            raise self._error("Unclosed end tag" if closing else "Unclosed start tag")
        name = match[2].lower()
        if match[1]:
            self._close(name)
        else:
            self._begin(name, match[3])
        self._at = match.end()

    def _begin(self, name: str, attributes: str) -> None:
        if name not in TAGS:
            raise self._error(f'Unsupported start tag "{name}"')
        values = {m[1].lower(): m[2] or m[3] or m[4] or "" for m in ATTRIBUTE.finditer(attributes)}
        if name == "span" and values.get("class") != "tg-spoiler":
            raise self._error('Tag "span" must have class "tg-spoiler"')
        entity: dict[str, Any] = {"type": TAGS[name]}
        if name == "a" and "href" in values:
            entity["url"] = ESCAPE.sub(lambda m: _unescaped(m) or m[0], values["href"])
        self._open.append((name, utf16_length(self._text), entity))

    def _close(self, name: str) -> None:
        if not self._open:
            raise self._error("Unexpected end tag")
        opened, offset, entity = self._open.pop()
        if opened != name:
            at = self._byte_offset()
            message = f'Unmatched end tag at byte offset {at}, expected "</{opened}>", found "</{name}>"'
            raise self._error(message, at=False)
        length = utf16_length(self._text) - offset
        if length and (entity["type"] != "text_link" or entity.get("url")):
            self._entities.append({**entity, "offset": offset, "length": length})

    def _byte_offset(self) -> int:
        return len(self._raw[: self._at].encode())

    def _error(self, problem: str, *, at: bool = True) -> Refusal:
        where = f" at byte offset {self._byte_offset()}" if at else ""
        return bad_request(f"can't parse entities: {problem}{where}")


def _unescaped(match: re.Match[str]) -> str | None:
    if match[3]:
        return ESCAPES.get(match[3])
    code = int(match[1]) if match[1] else int(match[2], 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else None
