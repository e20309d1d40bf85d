"""The reference interpreter itself: it must refuse a journal that was tampered with."""

from dataclasses import replace

import pytest

from dirigent.model.run.journal import Ended, Intended, Succeeded, TimerFired
from dirigent.testing import Dice
from simulation.play import played
from simulation.rig.document import lowered
from simulation.rig.drawing import Shape
from simulation.rig.guided import Guided, Unlike
from simulation.rig.plan import plan_of
from simulation.rig.programs import program_of


def journals(kind):
    """Journals of calm seeds that hold a kind of fact, with their programs."""
    for seed in range(200):
        plan = plan_of(seed)
        if not plan.calm or plan.shape.written:
            continue
        simulation, _ = played(plan)
        for number, entry in enumerate(plan.runs):
            facts = simulation.history.facts[f"run-{number}"]
            if any(isinstance(fact, kind) for fact in facts):
                yield simulation.programs[entry.program], facts


def changed(facts, kind, change):
    index = next(index for index, fact in enumerate(facts) if isinstance(fact, kind))
    return [*facts[:index], *change(facts[index]), *facts[index + 1 :]]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Intended, lambda fact: [replace(fact, attempt=fact.attempt + 1)]),
        (Intended, lambda fact: [replace(fact, request={"other": 1})]),
        (Intended, lambda fact: [fact, fact]),
        (Succeeded, lambda fact: []),
        (Succeeded, lambda fact: [fact, fact]),
        (TimerFired, lambda fact: []),
        (TimerFired, lambda fact: [replace(fact, at=fact.at - 3000)]),
        (Ended, lambda fact: [replace(fact, output={"n": 77}, phase="completed")]),
        (Ended, lambda fact: [replace(fact, phase="cancelled")]),
    ],
)
def test_a_journal_that_was_tampered_with_is_told_from_a_sound_one(kind, change):
    program, facts = next(journals(kind))
    Guided(program).follow(facts)
    with pytest.raises(Unlike):
        Guided(program).follow(changed(facts, kind, change))


@pytest.mark.parametrize("seed", range(30))
def test_every_random_program_can_be_written_as_a_document(seed):
    shape = Shape(written=True, children=("child",))
    program = program_of(Dice(seed), shape)
    assert lowered(program).name == program.name
