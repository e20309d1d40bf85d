"""No expression of a document can hang the engine, exhaust its memory, read its environment or a file.

Each is tried in a whole workflow on the real engine and expression worker, which catches it and goes on.
"""

from __future__ import annotations

import os

import pytest

from conformance.stage import probe
from dirigent.jq import LANGUAGE
from dirigent.lang.workflow.document import read_naked

CAUGHT = """
do:
  - t:
      try: [{attack: {set: {x: '${ %s }'}}}]
      catch: {as: e, do: [{s: {set: '${ {type: ($e.type | split("/") | last), instance: $e.instance} }'}}]}
  - after: {set: '${ .caught = . | {caught, works: ([1, 2] | map(. + 1))} | .caught |= .type }'}
"""
# Here and in the worker: without end, and without bounds.
ATTACKS = ["def f: f; f", "[range(1000000000)]", "reduce range(60) as $i ([1]; . + .)"]
READS = [
    ("env", "E1301"),
    ("env.HOME", "E1301"),
    ("$ENV", "E1301"),
    ("$ENV.PATH", "E1301"),
    ("input_filename", "E1301"),
    ("input", "E1301"),
    ("inputs", "E1301"),
    ("get_search_list", "E1301"),
    ('import "/etc/passwd" as $x; $x', "E1301"),
    ('include "/etc/hostname"; 1', "E1301"),
    ("$__prog_args", "E1301"),
    ("modulemeta", "E1301"),
    ("halt", "E1301"),
    ("halt_error", "E1301"),
    ("debug", "E1301"),
    ("stderr", "E1301"),
]


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS)
def test_what_would_hang_or_exhaust_the_engine_is_an_error_of_its_task(attack):
    run = probe(CAUGHT % attack.replace("'", "''"))
    assert run.phase == "completed", run.fault
    assert run.output == {"caught": "expression", "works": [2, 3]}


@pytest.mark.parametrize(("attack", "code"), READS)
def test_what_would_read_outside_is_refused_before_the_run(attack, code, monkeypatch):
    monkeypatch.setitem(os.environ, "HOME", "/home/secret")
    head = "document: {dsl: 1.0.3, namespace: tests, name: hostile, version: 1.0.0}\n"
    quoted = attack.replace("'", "''")
    program, problems = read_naked(
        f"{head}do: [{{a: {{set: {{x: '${{ {quoted} }}'}}}}}}]", "hostile.yaml", LANGUAGE
    )
    assert program is None
    assert [problem.code for problem in problems] == [code]
    assert (problems[0].at.line, problems[0].at.column >= 18) == (2, True)
    assert "secret" not in str(problems[0])
