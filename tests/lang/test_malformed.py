"""Each file in `malformed` says in its first line what is wrong with it: code, line, columns.

`# expect: E1203 15:7-14; E1101 3:1-2`, in order of place; the end column is exclusive and left out
where the text ends on another line.
"""

from pathlib import Path

import pytest

from dirigent.lang.source import decode
from dirigent.lang.stack import read_stack
from lang import fakes

FILES = sorted((Path(__file__).parent / "malformed").glob("*.yaml"))
BESIDE = {
    "flows/order.yaml": "document: {dsl: 1.0.3, namespace: shop, name: order, version: 1.0.0}\ndo: []\n",
    "flows/broken.yaml": "document: {dsl: 1.0.3, dsl: 1.0.3}\n",
}


def problems_of(path):
    text, problems = decode(path.read_bytes(), path.name)
    if text is None:
        return None, problems
    return read_stack(text, path.name, "", fakes.context(BESIDE))


def shown(problem):
    at = problem.at
    end = f"-{at.end_column}" if at.line == at.end_line else ""
    beside = "" if at.file[0].isdigit() else f" in {at.file}"
    return f"{problem.code} {at.line}:{at.column}{end}{beside}"


def expected_of(path):
    first = path.read_bytes().decode("utf-8", errors="replace").split("\n", 1)[0]
    return first.partition("# expect: ")[2]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_malformed_stack_gives_exactly_its_problems_in_their_places(path):
    stack, problems = problems_of(path)
    assert "; ".join(shown(problem) for problem in problems) == expected_of(path)
    assert (stack is None) == any(problem.severity == "error" for problem in problems)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_problem_says_what_to_do(path):
    for problem in problems_of(path)[1]:
        assert problem.help or problem.label, problem
        assert problem.message[0] in "`abcdefghijklmnopqrstuvwxyz", problem.message
        assert len(problem.message) < 400


def test_there_are_enough_kinds_of_mistakes():
    codes = {part.split()[0] for path in FILES for part in expected_of(path).split("; ")}
    assert len(FILES) >= 40
    assert len(codes) >= 40, len(codes)


def test_five_independent_errors_are_five_problems():
    path = next(path for path in FILES if "five-independent" in path.name)
    assert len(problems_of(path)[1]) == 5
