"""A test file and its workflow, played without the command line."""

from __future__ import annotations

from dirigent.app.trials.finding import suite_of
from dirigent.app.trials.playing import played

HEAD = "document: {dsl: 1.0.3, namespace: tests, name: NAME, version: 1.0.0}\n"


def write(folder, tests, workflow="", name="flow"):
    """Write a workflow and a test file; return the path of the latter."""
    if workflow:
        (folder / f"{name}.yaml").write_text(HEAD.replace("NAME", name) + workflow)
    path = folder / "flow.test.yaml"
    path.write_text(tests)
    return path


def play(folder, tests, workflow="", part=""):
    """Return what is wrong with each test of a file, by its name: codes and messages."""
    suite, piece, _ = suite_of(write(folder, tests, workflow), part)
    return {trial.name: played(piece, trial)[1] for trial in suite.trials}


def codes(folder, tests, workflow=""):
    """Return the codes of all that is wrong with the only test of a file."""
    (problems,) = play(folder, tests, workflow).values()
    return [problem.code for problem in problems]
