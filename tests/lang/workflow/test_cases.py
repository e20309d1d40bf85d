"""Every construct lowers to the tree that stands below it in its case file.

A case is a document, a line of four dashes, and what it becomes: the problems, then the program.
`DIRIGENT_REWRITE=1` writes the second half anew; commit the difference only if you can explain it.
"""

import os
from pathlib import Path

import pytest

from dirigent.lang.workflow.document import read_naked
from lang.workflow.dump import dump
from lang.workflow.languages import Brackets

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
HEAD = "document: {dsl: 1.0.3, namespace: tests, name: case, version: 1.0.0}\n"


def outcome(document):
    text = document if document.startswith("document:") else HEAD + document
    program, problems = read_naked(text, "case.yaml", Brackets())
    shown = "".join(
        f"{problem.code} {problem.at.line}:{problem.at.column}-{problem.at.end_line}:{problem.at.end_column} "
        f"{problem.message}\n"
        for problem in problems
    )
    return shown + (dump(program) if program else "")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_document_becomes_what_its_case_says(path):
    document, _, expected = path.read_text().partition("\n----\n")
    found = outcome(document + "\n")
    if os.environ.get("DIRIGENT_REWRITE"):
        path.write_text(f"{document}\n----\n{found}")
        return
    assert found == expected, f"{path.name}: run with DIRIGENT_REWRITE=1 if the new tree is right"


def test_there_is_a_case_for_every_kind_of_task():
    kinds = ["do", "for", "fork", "switch", "try", "raise", "set", "wait", "call", "run", "emit", "listen"]
    written = "".join(path.read_text() for path in CASES)
    assert [kind for kind in kinds if f"{kind}:" not in written] == []
