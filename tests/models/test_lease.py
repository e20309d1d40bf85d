"""The model of leases: spin goes through all behaviours, and finds what is wrong with every mutation."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from storms.required import needs

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("lease_model", ROOT / "scripts" / "model.py")
model = importlib.util.module_from_spec(SPEC)
sys.modules["lease_model"] = model
SPEC.loader.exec_module(model)
MUTATIONS = [case for case in model.CASES if case.breaks]


@pytest.fixture
def spin():
    """Need spin and a compiler."""
    needs("spin", model.missing())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["safety", "liveness"])
def test_the_protocol_holds_in_every_behaviour(name, spin):
    case = next(case for case in model.CASES if case.name == name)
    verdict = model.examined(case, faults=1, engines=2)
    assert verdict.broken is None
    assert verdict.states > 40_000, "the model has lost behaviours"


@pytest.mark.slow
def test_two_faults_in_one_behaviour_reach_every_line_of_the_model(spin):
    verdict = model.examined(model.CASES[0], faults=2, engines=2)
    assert verdict.broken is None
    assert verdict.unreached == (), "a line that is never reached checks nothing"


@pytest.mark.slow
@pytest.mark.parametrize("case", MUTATIONS, ids=lambda case: case.name)
def test_a_protocol_without_one_of_its_rules_is_refuted(case, spin):
    verdict = model.examined(case, faults=2, engines=2)
    assert verdict.broken is not None, f"nobody misses the rule that {case.name} takes away"
    assert case.breaks in verdict.broken, "it is refuted for another reason"


def test_every_mutation_of_the_model_is_tried():
    text = model.MODEL.read_text()
    switches = set(re.findall(r"#ifdef ([A-Z_]+)|defined\(([A-Z_]+)\)", text))
    names = {first or second for first, second in switches} - {"LIVENESS"}
    assert names == {case.name for case in MUTATIONS}


def test_a_search_that_broke_off_is_no_verdict(monkeypatch):
    monkeypatch.setattr(model, "_run", lambda command, folder: "error: max search depth too small")
    with pytest.raises(RuntimeError, match="did not get through safety"):
        model.examined(model.CASES[0], faults=1, engines=2)
