"""Every pair of a standing and a fact is in its table or refused; the diagrams are the tables."""

import itertools
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from dirigent.core.status import NEXT, PHASES, SETTLED, Phase, Status, after, phase_after
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Fact, Retried

ROOT = Path(__file__).parents[2]
FACTS = get_args(Fact)


def one(kind):
    """A fact of a kind; the tables look at nothing but the kind."""
    return object.__new__(kind)


def test_the_pairs_cover_every_kind_of_fact():
    assert len(FACTS) == 26
    assert {kind for _, kind in [*NEXT, *PHASES]} == set(FACTS)


@pytest.mark.parametrize(("status", "kind"), list(itertools.product(Status, FACTS)))
def test_every_pair_of_a_status_and_a_fact_is_in_the_table_or_refused(status, kind):
    if (status, kind) in NEXT:
        assert after(status, one(kind), "/do/0/a") is NEXT[status, kind]
        return
    with pytest.raises(
        Refusal, match=rf"E4001.*`/do/0/a` is {status.value}, so `{kind.__name__}` cannot follow"
    ):
        after(status, one(kind), "/do/0/a")


@pytest.mark.parametrize(("phase", "kind"), list(itertools.product(Phase, FACTS)))
def test_every_pair_of_a_phase_and_a_fact_is_in_the_table_or_refused(phase, kind):
    if (phase, kind) in PHASES:
        assert phase_after(phase, one(kind)) is PHASES[phase, kind]
        return
    with pytest.raises(
        Refusal, match=rf"E4001.*the run is {phase.value}, so `{kind.__name__}` cannot follow"
    ):
        phase_after(phase, one(kind))


def test_every_status_is_reachable_and_nothing_leads_out_of_a_settled_one():
    assert {Status.ASKED, *NEXT.values()} == set(Status)
    assert not SETTLED & {status for status, _ in NEXT}
    assert {status for status, _ in NEXT} | SETTLED == set(Status)


def test_every_phase_is_reachable_and_only_a_person_leads_out_of_the_last():
    # A ticket leads into the queue, and the tables look at nothing but the kind of a fact.
    assert {Phase.PENDING, Phase.QUEUED, *PHASES.values()} == set(Phase)
    assert {phase for phase, _ in PHASES} == set(Phase)
    assert {kind for phase, kind in PHASES if phase is Phase.ENDED} == {Retried}


def test_the_diagrams_of_the_manual_are_drawn_from_the_tables():
    script = ROOT / "scripts" / "draw_status.py"
    checked = subprocess.run(
        [sys.executable, str(script), "--check"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT / "src")},
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
