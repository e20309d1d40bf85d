"""Random programs in random worlds: what must hold of every run, and of every prefix of its journal."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.interpreter import Interpreter
from core.laws import assert_lawful
from core.programs import samples, worlds
from core.simulation import Simulation
from dirigent.core.decide import decide, wake_at
from dirigent.model.run.command import Finish, FireAt, Perform, SetTimer
from dirigent.model.run.journal import CancelRequested, Ended, Intended, Resumed, Suspended
from dirigent.ports import AWAKE, NEVER

ROOT = Path(__file__).parents[2]
# A failing program is large, and its parts hang together: to shrink it takes minutes and helps little.
seldom = {
    "deadline": None,
    "derandomize": True,
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}
inputs = st.sampled_from([None, {"n": 0}, {"n": 2}, [1]])


@st.composite
def people(draw):
    """What is said to a run, and when: nothing, a stop for good, or one for a while."""
    first, second = draw(st.floats(0.1, 6)), draw(st.floats(0.1, 6))
    return draw(
        st.sampled_from(
            [
                [],
                [(first, CancelRequested)],
                [(first, Suspended), (first + second, Resumed)],
                [(first, Suspended), (first + second, CancelRequested)],
            ]
        )
    )


def played(program, world, given=None, said=(), **more):
    simulation = Simulation(program, world.of, given, list(said), **more)
    simulation.play()
    return simulation


def end_of(simulation):
    end = simulation.facts[-1]
    assert isinstance(end, Ended), f"it never ends: {simulation.run.asks}"
    return end.phase, end.output, end.fault


@pytest.mark.slow
@settings(max_examples=1500, **seldom)
@given(samples(), worlds, inputs)
def test_a_run_comes_to_what_a_plain_interpreter_says(sample, world, given):
    program = sample.program
    simulation = played(program, world, given)
    plain = Interpreter(program, world)
    phase, output, fault = end_of(simulation)
    found = (fault.type, fault.status, fault.instance) if fault else None
    assert (phase, output, found) == asyncio.run(plain.run(given))
    sent = [(f.position, f.attempt, f.request) for f in simulation.facts if isinstance(f, Intended)]
    assert sorted(map(repr, sent)) == sorted(map(repr, plain.begun))


@pytest.mark.slow
@settings(max_examples=600, **seldom)
@given(samples(), worlds, inputs, people())
def test_every_prefix_of_every_journal_is_lawful(sample, world, given, said):
    program = sample.program
    simulation = played(program, world, given, said)
    assert isinstance(simulation.facts[-1], Ended)
    assert_lawful(program, simulation.facts, simulation.moments)


@pytest.mark.slow
@settings(max_examples=250, **seldom)
@given(samples(), worlds, inputs, people())
def test_a_run_may_sleep_exactly_while_nothing_but_timers_and_people_can_move_it(sample, world, given, said):
    calm = played(sample.program, world, given, said)
    for length, obeyed in calm.boundaries.items():
        again = Simulation(sample.program, world.of, given, list(said), calm.facts[:length])
        assert_sleeps(wake_at(again.run, 0.0), decide(again.run, 0.0), obeyed)


def assert_sleeps(at, standing, obeyed):
    """What is under way keeps a run awake; a sleeper wakes with its first timer."""
    timers = [command.until for command in standing if isinstance(command, FireAt)]
    if at == AWAKE:
        assert len(timers) < len(standing)
    else:
        assert at == min(timers, default=NEVER)
        assert len(timers) == len(standing)
        assert not [key for key in obeyed if key[2] == "effect" or key[2].startswith("compute")]


@pytest.mark.slow
@settings(max_examples=250, **seldom)
@given(samples(), worlds, inputs, people())
def test_to_recover_is_to_have_run(sample, world, given, said):
    program = sample.program
    """From every prefix: the same commands stand, and the same journal follows, fact for fact."""
    calm = played(program, world, given, said)
    for length in range(1, len(calm.facts)):
        now = calm.facts[length - 1].at
        again = Simulation(program, world.of, given, list(said), calm.facts[:length], now)
        standing = decide(again.run, now)
        assert standing == calm.standing[length - 1], f"after {length} facts"
        if length in calm.boundaries:
            assert_obeyed(standing, calm.boundaries[length])
        again.play()
        if length in calm.boundaries:
            assert again.facts == calm.facts, f"from {length} facts on"
        assert end_of(again) == end_of(calm), f"from {length} facts on"


def assert_obeyed(standing, obeyed):
    """What stands after a turn is what is being done: no record is left over, no effect is missing."""
    assert not any(isinstance(command, SetTimer | Finish) for command in standing)
    names = {Perform: "effect"}
    for command in standing:
        kind = names.get(type(command))
        if kind:
            assert command.intended
            assert (command.position, command.attempt, kind) in obeyed
    effects = {key for key in obeyed if key[2] == "effect"}
    assert effects == {(c.position, c.attempt, "effect") for c in standing if isinstance(c, Perform)}


@pytest.mark.slow
@settings(max_examples=200, **seldom)
@given(samples(), worlds, inputs, st.floats(0.1, 30), st.data())
def test_a_pause_of_the_engine_may_lose_a_race_but_breaks_no_law(sample, world, given, pause, data):
    program = sample.program
    calm = played(program, world, given)
    length = data.draw(st.integers(1, len(calm.facts)))
    again = Simulation(program, world.of, given, [], calm.facts[:length], calm.facts[length - 1].at + pause)
    again.moments = [each for each in again.moments if each[0] < length]
    again.play()
    assert isinstance(again.facts[-1], Ended)
    fresh = Simulation(program, world.of, given, [], [])
    for fact in again.facts:
        fresh.record(fact)
    assert_lawful(program, fresh.facts, fresh.moments)


SEEDED = """
import hashlib
from hypothesis import given, settings
from core.programs import samples, worlds
from core.simulation import Simulation
from core.test_properties import seldom

journals = hashlib.sha256()

@settings(max_examples=150, database=None, **seldom)
@given(samples(), worlds)
def play(sample, world):
    simulation = Simulation(sample.program, world.of, {"n": 1})
    simulation.play()
    journals.update(repr((simulation.facts, simulation.standing)).encode())

play()
print(journals.hexdigest())
"""


@pytest.mark.slow
def test_the_same_journals_come_out_under_every_hash_seed():
    found = set()
    for seed in ("0", "1", "4242"):
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
        played = subprocess.run(
            [sys.executable, "-c", SEEDED],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": path, "PYTHONHASHSEED": seed},
        )
        found.add(played.stdout)
    assert len(found) == 1
