"""The law of snapshots: to restore one and fold the rest is to fold everything."""

import pytest
from hypothesis import given, settings

from core.programs import samples, worlds
from core.simulation import RUN, TOOLS, Simulation
from core.test_properties import inputs, people, seldom
from dirigent.core.decide import decide, wake_at
from dirigent.core.replay import advance, replay
from dirigent.engine.snapshots import plain as snapshot
from dirigent.model.problem import Refusal
from dirigent.stores import codec

# One for all programs, as an engine has it.
NUMBERS = snapshot.Numbers()


def through(run, program):
    """A run that went through the bytes of a snapshot."""
    plain = snapshot.capture(run, NUMBERS)
    assert plain is not None
    again = snapshot.restore(codec.decode_plain(codec.encode_plain(plain)), program, RUN, TOOLS)
    assert again is not None
    return again


def assert_law(program, facts, every=1):
    for cut in range(1, len(facts), every):
        whole = replay(program, RUN, facts[:cut], TOOLS)
        again = through(whole, program)
        for fact in facts[cut:]:
            now = whole.now
            assert decide(again, now) == decide(whole, now), f"{cut} facts kept, {again.facts} folded"
            assert wake_at(again, now) == wake_at(whole, now)
            advance(whole, fact)
            advance(again, fact)
        assert (again.phase, again.result, again.facts, again.entered) == (
            whole.phase, whole.result, whole.facts, whole.entered,
        )  # fmt: skip


def check(examples):
    @settings(max_examples=examples, **seldom)
    @given(samples(), worlds, inputs, people())
    def law(sample, world, given, said):
        simulation = Simulation(sample.program, world.of, given, list(said))
        simulation.play()
        assert_law(sample.program, simulation.facts)

    law()


@pytest.mark.slow
def test_to_restore_and_fold_the_rest_is_to_fold_all():
    check(150)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "forgotten"), [("LoopState", "index"), ("Frame", "step"), ("Ask", "until")])
def test_a_snapshot_that_forgets_something_is_caught(monkeypatch, kind, forgotten):
    made = snapshot._Writing._written

    def forgetful(self, value):
        form = made(self, value)
        if form[0] == kind:
            form[snapshot._FIELDS[kind].index(forgotten) + 1] = 0
        return form

    monkeypatch.setattr(snapshot._Writing, "_written", forgetful)
    with pytest.raises((AssertionError, Refusal)):
        check(150)


@given(samples())
@settings(max_examples=5, **seldom)
def test_what_is_no_snapshot_of_this_release_is_ignored(sample):
    for plain in ([], [2, "d", [], []], [1, "d", [], []], [1, "d", [["o", 7]] * 10, []], ["x"]):
        assert snapshot.restore(plain, sample.program, RUN, TOOLS) is None
