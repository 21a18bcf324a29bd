"""What the messenger refuses to show: nobody is taken to have read it, and how things ended is said all the same."""

from __future__ import annotations

from tests.bot.dialogue import ASK, saved
from tests.bot.talk import NO_LIMITS, in_each, said
from tests.sides import Side
from tests.world import World
from trio_s3_bot.sandbox.replies import Instead
from trio_s3_bot.sandbox.telegram import BadRequest
from trio_s3_bot.sandbox.vk import ApiError

REFUSALS: dict[str, Instead] = {"new": BadRequest("SOMETHING_NEW"), "error 113": ApiError(113)}
each_refusal = in_each("refusal", telegram=["new"], vk=["error 113"])


@each_refusal
async def test_what_is_said_after_a_question_that_never_came_is_no_answer_to_it(
    world: World, side: Side, refusal: str
) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        message = await saved(chat, alice, "report.pdf")
        refused = side.world.faults.add(method=side.names.send, answer=REFUSALS[refusal])
        side.press(chat, alice, message, "Rename")
        await side.world.wait(lambda: refused.hits)
        chat.say(alice, side.command("status"))
        await chat.wait_for("Nothing is waiting")  # so the question has been given up
        chat.say(alice, "hello?")
        await chat.wait_for("[document is required]")
        side.press(chat, alice, message, "Rename")
        await chat.wait_for("What shall report.pdf be called?")
    assert list(world.objects) == ["report.pdf"]


@each_refusal
async def test_what_a_pressed_button_cannot_show_in_its_message_is_said_in_another(
    world: World, side: Side, refusal: str
) -> None:
    alice, chat = side.meet()
    async with world.bot(NO_LIMITS):
        await saved(chat, alice, "report.pdf")
        await chat.wait_for("[document] report.pdf\nsaved")
        chat.say(alice, side.command("list"))
        listed = await chat.wait_for("Your saved files: 1")
        side.world.faults.add(method=side.names.edit, answer=REFUSALS[refusal])
        side.press(chat, alice, listed, "1")
        await side.world.wait(lambda: said(chat)[-1].startswith("report.pdf\n7 bytes, saved"))
    assert said(chat)[-2].startswith("Your saved files: 1")


@each_refusal
async def test_that_a_document_is_cancelled_is_said_where_its_message_cannot_show_it(
    world: World, side: Side, refusal: str
) -> None:
    alice, chat = side.meet()
    async with world.bot({**NO_LIMITS, **ASK}):
        chat.send_document(alice, "report.pdf", b"content")
        asked = await chat.wait_for("Rename it before it is saved?")
        side.world.faults.add(method=side.names.edit, answer=REFUSALS[refusal])
        side.press(chat, alice, asked, "Cancel")
        await side.world.wait(lambda: said(chat)[-1] == "report.pdf\ncancelled")
    assert world.objects == {}
