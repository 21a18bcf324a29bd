"""What people do and what befalls the bot, to be drawn at random and read by people."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

NAMES = ("one.txt", "two.txt")
VERBS = (
    "name",
    "stop",
    "keep",
    "capt",
    "over",
    "both",
    "del",
    "yes",
    "no",
    "link",
    "card",
    "list",
    "all",
    "now",
    "stat",
)
TALK = ("thanks a lot", "new name", "..")
CHOICES = ("yes", "no", "replace", "both", "cancel")
ABOUT_FILES = tuple(f"/{command} {name}" for command in ("rename", "delete", "link") for name in NAMES)
MOST_STEPS = 60


@dataclass(frozen=True)
class Scene:
    """How the operator has set things, how many people there are and where, how slow transfer and store are."""

    rename: str = "offer"
    on_conflict: str = "keep_both"
    key: str = "{name}"
    group: bool = False
    people: int = 1
    transfer_seconds: float = 1.0
    store_seconds: float = 0.0


@dataclass(frozen=True)
class Send:
    """A document: a new one, or with `again` the one of this name that this person sent last, once more."""

    name: str
    caption: str | None = None
    again: bool = False
    album: bool = False
    large: bool = False


@dataclass(frozen=True)
class Press:
    """
    The `back`th newest button that was ever shown in the chat, whatever hangs there by now.

    With `verb` only buttons of that verb count.
    """

    verb: str | None
    back: int = 0


@dataclass(frozen=True)
class Type:
    """A text; in reply to the `to`th newest message of the chat, or to none."""

    text: str
    to: int | None = None


@dataclass(frozen=True)
class Storm:
    """For so many seconds the store does nothing, or does what it is asked and its answers are lost."""

    seconds: float
    answers: bool = False


@dataclass(frozen=True)
class Crash:
    """The bot dies and starts again."""


@dataclass(frozen=True)
class Step:
    """What is done, by whom, and how many seconds later the next one is."""

    deed: Send | Press | Type | Storm | Crash
    who: int = 0
    pause: float = 2.0


sends = st.builds(
    Send,
    st.sampled_from(NAMES),
    st.sampled_from([None, None, None, "three.txt", "look at this"]),
    again=st.sampled_from([False, False, True]),
    album=st.sampled_from([False, False, True]),
    large=st.booleans(),
)
newest = st.sampled_from([0, 0, 0, 1, 2, 5])
presses = st.builds(Press, st.none(), st.integers(0, 11)) | st.builds(Press, st.sampled_from(VERBS), newest)
commands = st.sampled_from(["/cancel", "/cancel", "/rename", "/delete", "/link", "/list", "/status", *ABOUT_FILES])
answers = st.sampled_from(["two.txt", "three.txt", *CHOICES, *TALK])
types = st.builds(Type, commands | answers, st.none() | st.integers(0, 5))
storms = st.builds(Storm, st.sampled_from([5.0, 100.0]), st.booleans())
deeds = st.one_of(sends, sends, presses, presses, types, types, st.just(Crash()) | storms)
pauses = st.sampled_from([2.0, 0.0, 0.3, 5.0, 20.0, 65.0])
steps = st.builds(Step, deeds, st.sampled_from([0, 0, 1]), pauses)


@st.composite
def one_more(draw: st.DrawFn) -> Step | None:
    """Drawn together, so that hypothesis can leave out one of them."""
    return draw(steps) if draw(st.integers(0, 20)) else None


@st.composite
def dialogues(draw: st.DrawFn) -> list[Step]:
    """Some twenty steps on the average; a list of hypothesis' has six."""
    drawn: list[Step] = []
    while (step := draw(one_more())) is not None and len(drawn) < MOST_STEPS:
        drawn.append(step)
    return drawn


scenes = st.builds(
    Scene,
    rename=st.sampled_from(["offer", "ask", "off"]),
    on_conflict=st.sampled_from(["keep_both", "overwrite", "ask"]),
    key=st.sampled_from(["{name}", "{user}/{name}"]),
    group=st.sampled_from([False, False, True]),
    people=st.sampled_from([1, 2]),
    transfer_seconds=st.sampled_from([1.0, 0.0, 10.0, 90.0]),
    store_seconds=st.sampled_from([0.0, 1.0]),
)
