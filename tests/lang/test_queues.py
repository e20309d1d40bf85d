"""The section `queues` of a stack, and the tasks of its workflows that wait in one."""

from pathlib import Path

import pytest

from dirigent.app.resources import TYPES
from dirigent.model.problem import Refusal
from dirigent.model.program import InQueue
from dirigent.model.queue import Limits, Queue, Rate
from dirigent.model.values import Expression
from dirigent.service.stacks import load_stack

FLOW = """
workflows:
  report:
    document: {dsl: 1.0.3, namespace: shop, name: report, version: 1.0.0}
    do:
      - draw:
          run: {shell: {command: draw}}
          metadata: {queue: QUEUE}
"""


def stack(tmp_path: Path, queues, flow=""):
    file = tmp_path / "stack.yaml"
    file.write_text(f"stack: shop\nqueues:\n{queues}\n{flow}")
    return load_stack(file, TYPES).stack


def refused(tmp_path, queues, flow=""):
    with pytest.raises(Refusal) as caught:
        stack(tmp_path, queues, flow)
    return [(problem.code, problem.at.line if problem.at else 0) for problem in caught.value.problems]


def test_a_queue_has_limits_and_says_who_does_its_work(tmp_path):
    text = "  reports: {concurrency: 4, rate: 100/1m, workers: 2}\n  mail: {rate: 5/s, workers: true}"
    text += "\n  idle: {}"
    found = stack(tmp_path, text).queues
    assert [(queue.name, queue.limits, queue.workers) for queue in found.values()] == [
        ("reports", Limits(4, Rate(100, 60.0)), 2),
        ("mail", Limits(16, Rate(5, 1.0)), 0),
        ("idle", Limits(), None),
    ]
    assert str(found["reports"].limits.rate) == "100/1m"
    assert isinstance(found["idle"], Queue)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("  a: {concurency: 4}", [("E1203", 3)]),
        ("  a: {concurrency: 0}", [("E1207", 3)]),
        ("  a: {rate: fast}", [("E1205", 3)]),
        ("  a: {rate: 1000000/1s}", [("E1920", 3)]),
        ("  a: {rate: 1/30d}", [("E1920", 3)]),
        ("  a: {workers: many}", [("E1201", 3)]),
        ("  A b: {}", [("E1211", 3)]),
    ],
)
def test_what_is_no_queue_is_shown_in_its_place(tmp_path, text, problems):
    assert refused(tmp_path, text) == problems


def waits(tmp_path, written):
    program = stack(tmp_path, "  gpu: {}", FLOW.replace("QUEUE", written)).workflows["report"].program
    return program.root.node.tasks[0].node.waits


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("gpu", InQueue("gpu")),
        ("{name: gpu, priority: 5}", InQueue("gpu", 5)),
        ("{name: gpu, key: acme}", InQueue("gpu", 0, "acme")),
    ],
)
def test_a_task_waits_where_its_metadata_says(tmp_path, written, wanted):
    assert waits(tmp_path, written) == wanted


def test_the_key_of_a_task_may_be_computed(tmp_path):
    key = waits(tmp_path, '{name: gpu, key: "${ .customer }"}').key
    assert isinstance(key, Expression)
    assert key.text.strip() == ".customer"


@pytest.mark.parametrize(
    ("written", "code"),
    [("gup", "E1921"), ("5", "E1922"), ("{nmae: gpu}", "E1922"), ("{name: gpu, prio: 1}", "E1922")],
)
def test_a_queue_that_a_task_cannot_wait_in_is_shown(tmp_path, written, code):
    found = refused(tmp_path, "  gpu: {}", FLOW.replace("QUEUE", written))
    assert [each for each, _ in found] == [code]


def test_only_calls_wait(tmp_path):
    flow = FLOW.replace("run: {shell: {command: draw}}", "set: {a: 1}").replace("QUEUE", "gpu")
    assert [code for code, _ in refused(tmp_path, "  gpu: {}", flow)] == ["E1922"]
