"""Whatever people send, press and type, and whatever befalls the bot: what they have been told is true."""

from __future__ import annotations

from collections.abc import Sequence

import trio
from hypothesis import Phase, given, note, seed, settings
from structlog.testing import capture_logs
from trio.testing import MockClock

from tests.dialogue.history import transcript
from tests.dialogue.stage import Stage
from tests.dialogue.steps import Scene, Step, dialogues, scenes
from tests.dialogue.verdict import Verdict
from tests.time.fakes import inbox_on, open_disk
from tests.time.scenes import DAY

DIALOGUES = 50  # in a round
# What was said explains more than which lines of the test have run, and hypothesis takes minutes for that.
PHASES = set(Phase) - {Phase.explain}


def test_no_document_is_lost_or_saved_twice_or_under_a_name_that_nobody_chose(number: int) -> None:
    @seed(number)
    @settings(max_examples=DIALOGUES, phases=PHASES)
    @given(scenes, dialogues())
    def holds(scene: Scene, steps: Sequence[Step]) -> None:
        with capture_logs() as log:
            trio.run(play, scene, steps, clock=MockClock(autojump_threshold=0))
        assert [entry for entry in log if entry["log_level"] in ("error", "critical")] == []

    holds()


async def play(scene: Scene, steps: Sequence[Step]) -> None:
    """Let it all happen, and look at what came of it."""
    async with open_disk() as disk:
        stage = Stage(disk, scene)
        with trio.fail_after(DAY):
            await stage.play(steps)
        note(transcript(stage.history))
        assert list(Verdict(scene, stage.history).problems()) == []
        assert stage.messenger.unacknowledged == []
        assert stage.store.open_uploads == {}
        assert not await (await inbox_on(disk)).has_unfinished_work()
