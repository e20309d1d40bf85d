"""Each file in scenarios/ is a workflow with its world, and below `----` the whole journal of its run.

`pytest tests/core --rewrite` writes the traces anew. Commit the difference only if you can explain it.
"""

from pathlib import Path

import pytest

from core.scenario import read, simulation, trace
from core.simulation import RUN, TOOLS
from dirigent.core.decide import decide
from dirigent.core.replay import replay
from dirigent.model import limits

FILES = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_leaves_exactly_this_journal(path, request, monkeypatch):
    above, _, expected = path.read_text().partition("\n----\n")
    given, program = read(above)
    for name, limit in given.get("limits", {}).items():
        monkeypatch.setattr(limits, name, limit)
    played = simulation(given, program)
    played.play()
    got = trace(played)
    if request.config.getoption("--rewrite"):
        path.write_text(f"{above}\n----\n{got}")
    else:
        assert got == expected
    for length in range(len(played.facts)):
        run = replay(program, RUN, played.facts[: length + 1], TOOLS)
        assert decide(run, played.facts[length].at) == played.standing[length], f"after {length + 1} facts"


def test_there_are_scenarios_enough():
    assert len(FILES) >= 35
