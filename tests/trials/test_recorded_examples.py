"""Every example of the standard, run on mocks and recorded: the recording passes, and with crashes, too."""

from __future__ import annotations

import pytest

from conformance import kit
from conformance.stage import RUN, probe
from conformance.test_examples import EXAMPLES, NOW, in_turn
from dirigent.app.trials.recording import recording
from dirigent.testing import Rule
from trials.stage import play

pytestmark = [kit.needed, pytest.mark.slow]


@pytest.mark.parametrize("name", sorted(NOW))
def test_the_recording_of_an_example_passes(tmp_path, name):
    way = NOW[name]
    script = Rule(answers=(in_turn(way.answers),), seconds=1 if way.stays else 0)
    run = probe(EXAMPLES[name], way.given, script, events=way.events, stays=way.stays)
    made = recording(RUN, run.program, run.facts, tmp_path / "stack.yaml", tmp_path / "flow.test.yaml")
    assert made.problems == (), made.text
    assert f'phase: "{run.phase}"' in made.text
    crashed = made.text.replace("    expect:", "    crash: after-each-append\n    expect:")
    ((_, problems),) = play(tmp_path, crashed).items()
    assert problems == [], made.text
