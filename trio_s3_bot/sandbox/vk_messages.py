"""The methods `messages.*`: what each does to the world, and what it refuses."""

from __future__ import annotations

import time
from typing import Any

from .vk_chats import Chat
from .vk_params import PEERS, PEERS_MAX, Forward
from .vk_replies import Refusal, invalid
from .vk_room import GROUP_PEERS, Message, as_foreign
from .vk_text import utf16_length
from .vk_world import Vk

Params = dict[str, Any]

TEXT_MAX = 4096
"""UTF-16 units. The schema says 9000, but what is longer than this is refused or cut, and every library splits here."""


async def send(vk: Vk, params: Params) -> Any:
    text = _text(params)
    _check_keyboard(vk, params)
    peers = _peers(params)
    if "peer_ids" not in params:
        return _say(vk, peers[0], text, params)["id"]
    return [_said(vk, peer, text, params) for peer in peers]


async def edit(vk: Vk, params: Params) -> Any:
    text = _text(params)
    _check_keyboard(vk, params)
    chat = vk.chat(params["peer_id"])
    message = _own(chat, params)
    if time.time() - message["date"] > vk.edit_window:
        raise Refusal(909)
    lost = {"keyboard"} if params.get("keep_forward_messages") else {"keyboard", "reply_message", "fwd_messages"}
    kept = {"fwd_messages": []} | {key: value for key, value in message.items() if key not in lost}
    new = chat.replace({**kept, "text": text, **_inline_keyboard(vk, params)})
    if not params.get("disable_mentions"):
        chat.notify(text)
    chat.record("messages.edit", text, new["message_id"])
    vk.tell(chat, "message_edit", new)
    return 1


async def send_event_answer(vk: Vk, params: Params) -> Any:
    press = vk.presses.get(params["event_id"])
    late = press is None or press.answer is not None or time.time() - press.time > vk.callback_lifetime
    if press is None or late:
        raise invalid("event_id is invalid or expired")
    if (press.user.id, press.peer_id) != (params["user_id"], params["peer_id"]):
        raise invalid("user_id or peer_id is not that of the event")
    press.answer = {**params, **params.get("event_data", {})}
    vk.changes.announce()
    return 1


async def set_activity(vk: Vk, params: Params) -> Any:
    peer_id = params.get("peer_id", params.get("user_id"))
    if peer_id is None:
        raise invalid("peer_id is undefined")
    chat = vk.chat(peer_id)
    if "type" not in params:
        raise invalid("type is undefined")
    chat.actions.append(params["type"])
    chat.record("messages.setActivity", params["type"], None)
    return 1


async def get_by_conversation_message_id(vk: Vk, params: Params) -> Any:
    chat = vk.chats.get(params["peer_id"])
    if chat is None:
        raise Refusal(917)
    return _listed(vk, [chat.find(number) for number in params["conversation_message_ids"]])


async def get_by_id(vk: Vk, params: Params) -> Any:
    if "cmids" in params:
        if "peer_id" not in params:
            raise invalid("peer_id is undefined")
        numbers = {"conversation_message_ids": params["cmids"]}
        return await get_by_conversation_message_id(vk, {**params, **numbers})
    if "message_ids" not in params:
        raise invalid("message_ids is undefined")
    known = {message["id"]: message for chat in vk.chats.values() for message in chat.messages if message["id"]}
    return _listed(vk, [known.get(message_id) for message_id in params["message_ids"]])


def _listed(vk: Vk, messages: list[Message | None]) -> Any:
    """The messages that there are; what isn't there is left out."""
    items = [vk.shown(message) for message in messages if message is not None]
    return {"count": len(items), "items": items}


def _text(params: Params) -> str:
    text = str(params.get("message", ""))
    if not text.strip():
        raise invalid("message is empty or invalid")
    if utf16_length(text) > TEXT_MAX:
        raise Refusal(914)
    return text


def _check_keyboard(vk: Vk, params: Params) -> None:
    if "keyboard" in params and not vk.bot_features:
        raise Refusal(912)


def _inline_keyboard(vk: Vk, params: Params) -> Params:
    """The field `keyboard` of the new message: only an inline one belongs to it."""
    keyboard = params.get("keyboard", {})
    if not keyboard.get("inline") or not keyboard["buttons"]:
        return {}
    return {"keyboard": {"one_time": False, "inline": True, "author_id": -vk.group_id, "buttons": keyboard["buttons"]}}


def _peers(params: Params) -> list[int]:
    """Who is written to; one way of saying so has to be chosen."""
    given = params.keys() & PEERS.keys()
    if len(given) != 1:
        raise invalid("you should specify peer_id, user_id, domain, chat_id or user_ids param")
    if "chat_id" in params:
        return [GROUP_PEERS + params["chat_id"]]
    name = given.pop()
    peers = params[name] if name == "peer_ids" else [params[name]]
    if not 1 <= len(peers) <= PEERS_MAX or 0 in peers:
        raise invalid(f"{name} is undefined")
    return list(peers)


def _said(vk: Vk, peer_id: int, text: str, params: Params) -> Params:
    """What became of a message to one of several peers: a refusal is no refusal of the call."""
    try:
        message = _say(vk, peer_id, text, params)
    except Refusal as error:
        problem = {"code": error.code, "description": error.text}
        return {"peer_id": peer_id, "message_id": 0, "conversation_message_id": 0, "error": problem}
    number = message["conversation_message_id"]
    return {"peer_id": peer_id, "message_id": message["id"], "conversation_message_id": number}


def _say(vk: Vk, peer_id: int, text: str, params: Params) -> Message:
    """Say something in one chat, unless that was done before under the same `random_id`."""
    chat = vk.chat(peer_id)
    random_id = params["random_id"]
    known = vk.random_ids if vk.one_random_id else chat.random_ids
    if random_id in known:
        return known[random_id]
    fields = {"text": text, "random_id": random_id, **_quoted(chat, params), **_inline_keyboard(vk, params)}
    if "payload" in params:
        fields["payload"] = params["payload"]
    message = chat.add(-vk.group_id, fields)
    if random_id:
        known[random_id] = message
    if "keyboard" in params and not params["keyboard"].get("inline"):
        chat.keyboard = params["keyboard"] if params["keyboard"]["buttons"] else None
    if not params.get("disable_mentions"):
        chat.notify(text)
    chat.record("messages.send", text, message["message_id"])
    vk.tell(chat, "message_reply", message)
    return message


def _quoted(chat: Chat, params: Params) -> Params:
    """The fields of a reply or of forwarded messages; only those of the same chat are emulated."""
    forward: Forward | None = params.get("forward")
    if forward is None:
        return {"reply_message": as_foreign(_by_id(chat, params["reply_to"]))} if "reply_to" in params else {}
    if forward.peer_id not in (None, chat.id):
        raise Refusal(921)
    messages = [chat.find(number) for number in (*forward.conversation_message_ids, *forward.cmids)]
    quoted = [as_foreign(message) for message in messages if message is not None]
    quoted += [as_foreign(_by_id(chat, message_id)) for message_id in forward.message_ids]
    if None in messages or not quoted or (forward.is_reply and len(quoted) > 1):
        raise Refusal(921)
    return {"reply_message": quoted[0]} if forward.is_reply else {"fwd_messages": quoted}


def _by_id(chat: Chat, message_id: int) -> Message:
    """A message by its own id, which those of groups don't have."""
    for message in chat.messages:
        if message_id and message["id"] == message_id:
            return message
    raise Refusal(921)


def _own(chat: Chat, params: Params) -> Message:
    """The bot's message that is meant. Another's and one that isn't there are both refused with 15."""
    number = params.get("cmid", params.get("conversation_message_id"))
    message_id = params.get("message_id", 0)
    if number is None and not message_id:
        raise invalid("message_id is a required parameter")
    for message in chat.bot_messages:
        if message["message_id"] == number if number is not None else message["id"] == message_id:
            return message
    raise Refusal(15)
