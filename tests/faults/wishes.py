"""What people want done with a document: the fault strikes on the way there, and in the end it is done and told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.faults.ground import SAVED
from tests.faults.scenes import SOMEBODY_ELSES, Cell, Scene, take_name
from tests.world import BUCKET
from trio_s3_bot.sandbox.faults import Hold, When

RENAME, CANCEL, DELETE, YES = "✏️ Rename", "✖️ Cancel", "🗑 Delete", "Yes, delete"
IRREVOCABLE = "It can't be brought back."


async def renamed(cell: Cell) -> None:
    """
    The saved document is given another name, by copying it in the store.

    If the question for the new name is what is struck, and is lost, the button is pressed once more.
    """
    message = await cell.saved()
    cell.strike()
    _press(cell, message, RENAME)
    if not await cell.heard("What shall"):
        _press(cell, message, RENAME)
    await _name_given(cell, f"{cell.stem} new")


async def pressed_for_something(cell: Cell) -> None:
    """The answers to two presses are struck: the one that asks for a new name, and the one that confirms a deletion."""
    message = await cell.saved()
    cell.strike()
    _press(cell, message, RENAME)
    await _name_given(cell, f"{cell.stem} new")
    await cell.chat.wait_for(cell.told[0])
    cell.chat.say(cell.person, "/delete", reply_to=message["message_id"])
    question = await cell.chat.wait_for(IRREVOCABLE)
    cell.strike()
    _press(cell, question, YES)
    _is_deleted(cell)


async def renamed_to_a_taken_name(cell: Cell) -> None:
    """Somebody else takes the new name while the copy is made, so that has to be aborted, and another one is given."""
    message = await cell.saved()
    completion = cell.ground.store.hold("CompleteMultipartUpload")
    cell.strike()
    _press(cell, message, RENAME)
    await _name_given(cell, f"{cell.stem} new")
    await completion.reached.wait()
    cell.ground.world.s3.put(BUCKET, f"{cell.stem} new.bin", SOMEBODY_ELSES)
    completion.release()
    question = await cell.chat.wait_for("There is a file of that name already.")
    cell.chat.say(cell.person, f"{cell.stem} newer", reply_to=question["message_id"])
    _is_called(cell, f"{cell.stem} newer.bin")


async def deleted(cell: Cell) -> None:
    """The saved document is deleted by its sender. If the question whether to is lost, it is asked for once more."""
    message = await cell.saved()
    cell.strike()
    cell.chat.say(cell.person, "/delete", reply_to=message["message_id"])
    if not await cell.heard(IRREVOCABLE):
        cell.chat.say(cell.person, "/delete", reply_to=message["message_id"])
    await _deletion_confirmed(cell)


async def deleted_in_the_list(cell: Cell) -> None:
    """The document is looked up in the list and deleted there: what each press shows is struck, always an edit."""
    await cell.saved()
    await cell.chat.wait_for(f"[document] {cell.name}\nsaved")  # no other edit is still to come
    cell.chat.say(cell.person, "/list")
    listed = await cell.chat.wait_for("Your saved files: 1")
    card = await _turned(cell, listed, "1", _offers(cell, DELETE))
    question = await _turned(cell, card, DELETE, _offers(cell, YES))
    cell.strike()
    _press(cell, question, YES)
    _is_deleted(cell)
    cell.also_said += (f"{cell.name}\n", "Your saved files: 1")
    cell.went_on = False  # what is struck now is the last that is said


async def asked_whether_to_rename(cell: Cell) -> None:
    """The question whether to rename it before it is saved is struck; it is answered in reply to the document."""
    cell.strike(skip=1)
    sent = cell.send()
    await cell.heard("Rename it before it is saved?")
    cell.chat.say(cell.person, "keep", reply_to=sent["message_id"])
    cell.also_said = (f"[document] {cell.name}: got it. Rename it", f"It will be called {cell.name}.")


async def asked_about_the_name(cell: Cell) -> None:
    """The question what to do about a taken name is struck; it is answered in reply to the document."""
    sent = await _name_kept(cell)
    await cell.heard("is there already. Replace it")
    cell.chat.say(cell.person, "both", reply_to=sent["message_id"])


async def replaced(cell: Cell) -> None:
    """The document takes the place of somebody else's, as its sender wants."""
    await _name_kept(cell)
    _press(cell, await cell.chat.wait_for("is there already. Replace it"), "Replace")
    cell.wants(cell.name, f"{SAVED} {cell.name}")


async def cancelled_while_asking(cell: Cell) -> None:
    """The document is cancelled before anything is done with it; the edit that says so is struck."""
    cell.send()
    message = await cell.chat.wait_for("Rename it before it is saved?")
    cell.strike()
    _press(cell, message, CANCEL)
    _is_cancelled(cell, end=None)
    cell.also_said = (f"[document] {cell.name}: got it. Rename it",)


def cancelled_during(call: str, when: When = When.BEFORE) -> Scene:
    """The document is cancelled while that call is under way; a later one is struck."""

    async def scene(cell: Cell) -> None:
        held = await _cancelled_during(cell, call, when)
        cell.strike()
        held.release()

    return scene


async def cancelled_meanwhile(cell: Cell) -> None:
    """The call is under way when the document is cancelled, and then it is struck."""
    held = await _cancelled_during(cell, cell.call, cell.when)
    held.release(then=cell.fault)


async def _name_given(cell: Cell, name: str) -> None:
    await cell.chat.wait_for("What shall")
    cell.chat.say(cell.person, name)
    _is_called(cell, f"{name}.bin")


def _is_called(cell: Cell, name: str) -> None:
    cell.wants(name, f"{cell.name} is called {name} now.", end="renamed")
    cell.also_said = (
        f"What shall {cell.name} be called?",
        f"There is a file of that name already. What shall {cell.name} be called?",
    )


async def _deletion_confirmed(cell: Cell) -> None:
    await cell.chat.wait_for(IRREVOCABLE)
    cell.chat.say(cell.person, "yes")
    _is_deleted(cell)


def _is_deleted(cell: Cell) -> None:
    cell.also_said += (*cell.told, f"Delete {cell.key}?")
    cell.wants(None, f"{cell.key} is deleted.", end="deleted")


async def _name_kept(cell: Cell) -> Any:
    """A document whose name is taken, and is to be kept; what follows that is struck."""
    take_name(cell)
    sent = cell.send()
    message = await cell.chat.wait_for("Rename it before it is saved?")
    cell.strike()
    _press(cell, message, "Keep name")
    cell.also_said = (f"[document] {cell.name}: got it. Rename it", f"{cell.name} is there already.")
    return sent


async def _cancelled_during(cell: Cell, call: str, when: When) -> Hold:
    held = cell.ground.store.hold(call, when=when)
    cell.send()
    message = await cell.chat.wait_for("[document]")
    await held.reached.wait()
    _press(cell, message, CANCEL)
    _is_cancelled(cell)
    await cell.chat.wait_for(cell.told[0])
    return held


def _is_cancelled(cell: Cell, end: str | None = "cancelled by its sender") -> None:
    cell.wants(None, f"[document] {cell.name}\ncancelled", f"{cell.name}\ncancelled", end=end)


def _press(cell: Cell, message: Any, label: str) -> None:
    cell.presses.append(cell.chat.press(cell.person, message["message_id"], label))


def _offers(cell: Cell, label: str) -> Callable[[Any], bool]:
    return lambda message: label in cell.ground.side.labels(message)


async def _turned(cell: Cell, message: Any, label: str, what: Callable[[Any], bool]) -> Any:
    """Press a button, once more if it shows nothing; returns the message that shows what it is to show."""
    cell.strike()
    _press(cell, message, label)
    if not await cell.heard(what) and _offers(cell, label)(cell.chat.find(message["message_id"])):
        _press(cell, message, label)
    return await cell.chat.wait_for(what)
