"""`--update` writes what came in place of what was expected, and leaves all else of the file as it is."""

from __future__ import annotations

import pytest

from cli.rig import Desk
from dirigent.app.trials.finding import suite_of
from dirigent.app.trials.playing import played
from dirigent.lang.trial.updating import updated
from dirigent.testing.trial.judging import changes_of
from trials.stage import play, write

FLOW = "do: [{s: {set: {a: 1, b: [x, 'y: z']}, export: {as: {seen: true}}}}]"
HEAD = "workflow: flow.yaml  # this stays\ntests:\n  - name: t  # and this\n    expect:\n"


def mended(folder, tests, flow=FLOW):
    """Return the file with what came, and what is wrong with it then."""
    path = write(folder, tests, flow)
    suite, piece, _ = suite_of(path)
    found = []
    for trial in suite.trials:
        came, problems = played(piece, trial)
        found += changes_of(trial, came, problems)
    text = updated(tests, found)
    return text, [problem.code for each in play(folder, text).values() for problem in each]


@pytest.mark.parametrize(
    "output",
    [
        "      output: {a: 1}\n      phase: completed  # last\n",
        "      output: 7  # why\n",
        "      output: 'x'\n",
        "      output:\n",
        "      output:\n        a: 1\n        b: [1,\n          2]\n      # before it\n      ran: [s]",
        "      output:\n      - 1\n      - 2\n      phase: completed\n",
        "      output: |\n        text\n        more\n      phase: completed\n",
        "      output: {a: 2}\n      context: {seen: false}\n",
        "      context:\n        seen: no\n      output: {a: 2}",
        '      "output": "é: {"\n',
        "      output:   # of old\n        a: 1\n",
    ],
)
def test_another_output_is_written_in_its_place(tmp_path, output):
    text, left = mended(tmp_path, HEAD + output)
    assert left == [], text
    assert text.startswith(HEAD)
    for kept in ("phase: completed", "# last", "# why", "# before it"):
        assert (kept in text) == (kept in output)


def test_several_tests_on_one_line_are_mended_together(tmp_path):
    tests = (
        "workflow: flow.yaml\ntests: [{name: a, expect: {output: 1}}, {name: b, expect: {output: {c: 1}}}]"
    )
    text, left = mended(tmp_path, tests)
    assert left == []
    assert text.count('{"a": 1, "b": ["x", "y: z"]}') == 2


@pytest.mark.parametrize(
    "expect", ["{output: 1, notRan: [s]}", "{outputContains: {a: 2}}", "{output: 1, phase: faulted}"]
)
def test_what_fails_for_another_reason_is_left_alone(tmp_path, expect):
    tests = f"workflow: flow.yaml\ntests: [{{name: t, expect: {expect}}}]"
    assert mended(tmp_path, tests)[0] == tests


@pytest.mark.slow
def test_the_command_updates_files_and_says_so(tmp_path):
    desk = Desk(tmp_path)
    write(
        tmp_path,
        "workflow: flow.yaml\ntests:\n- {name: a, expect: {output: 1}}\n- {name: b, expect: {ran: []}}\n",
        FLOW,
    )
    told = desk.say("test", "flow.test.yaml", "--update")
    assert (told.code, "flow.test.yaml: 1 updated" in told.out.splitlines()) == (0, True)
    again = desk.say("test", "flow.test.yaml", "--update")
    assert (again.code, "updated" in again.out) == (0, False)
