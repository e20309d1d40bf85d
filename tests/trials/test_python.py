"""Workflows in Python as tests play them: steps with scripted answers, or called in earnest."""

from __future__ import annotations

import itertools
import sys
import textwrap

import pytest

from dirigent.model.problem import Refusal
from trials.stage import play

FLOWS = """
    from dirigent import Retry, Transaction, sleep, step, transaction, wait_event, workflow

    @step(retry=Retry(attempts=3, delay=5, never=(ValueError,)))
    def charge(order: int, amount: int) -> str:
        if amount > 100:
            raise ValueError(f"{amount} is too much")
        return f"charged-{order}"

    @transaction("shop.db")
    def keep(shop: Transaction, order: int) -> int:
        shop.execute("create table kept (number integer)")
        return order

    @step
    async def ship(order: int) -> str:
        return "away"

    @workflow
    async def inner(order: int) -> str:
        return await ship(order)

    @workflow
    async def place(order: int, amount: int) -> list:
        charged = await charge(order, amount)
        await sleep(3600)
        carrier = await wait_event("parcel", str)
        return [charged, carrier, await inner(order)]

    @workflow
    async def counted(order: int) -> int:
        return await keep(order)
"""
NUMBERS = itertools.count()
TESTS = """
workflow: {module}.py:{name}
input: {{order: 7, amount: 30}}
tests:
  - name: t
"""


def forget(folder):
    if str(folder) in sys.path:
        sys.path.remove(str(folder))


@pytest.fixture
def flows(tmp_path):
    """A module of its own for each test: Python knows a module by its name alone."""
    module = f"flows_{next(NUMBERS)}"
    (tmp_path / f"{module}.py").write_text(textwrap.dedent(FLOWS))
    yield tmp_path, module
    sys.modules.pop(module, None)
    forget(tmp_path)


def told(flows, more, name="place"):
    folder, module = flows
    text = TESTS.format(module=module, name=name) + textwrap.indent(textwrap.dedent(more), "    ")
    ((_, problems),) = play(folder, text).items()
    return [(problem.code, problem.message) for problem in problems]


SCRIPT = """
answers:
  - {task: charge, replies: [{error: {status: 500}}, {output: c-1}], times: 2}
  - {task: ship, output: sent}
happens: [{at: PT2H, signal: parcel, data: post}]
"""


@pytest.mark.slow
@pytest.mark.parametrize("crash", ["", "crash: after-each-append", "crash: before-each-append"])
def test_steps_are_answered_and_retried_and_a_crash_changes_nothing(flows, crash):
    expect = """
    expect:
      output: [c-1, post, sent]
      elapsed: PT2H
      ran: {charge: 2, sleep: 1, 'event:parcel': 1, ship: 1}
      order: [charge, sleep, 'event:parcel', inner]
      requests:
        - {call: python, task: charge, request: {args: [7, 30]}, times: 2}
        - {workflow: inner, task: ship, times: 1}
    """
    found = told(flows, SCRIPT + textwrap.dedent(expect) + crash)
    assert found == []


def test_real_steps_are_called_where_a_test_says_so(flows):
    happens = "happens: [{at: PT2H, signal: parcel, data: post}]"
    more = f"answers: [{{task: charge, real: true}}, {{task: ship, output: sent}}]\n{happens}\n"
    assert told(flows, f"{more}expect: {{output: [charged-7, post, sent], elapsed: PT2H}}") == []
    more = f"input: {{order: 7, amount: 101}}\n{more}"
    wanted = "{title: ValueError, detail: '101 is too much*', instance: /charge}"
    assert told(flows, f"{more}expect: {{error: {wanted}, ran: {{charge: 1}}}}") == []


@pytest.mark.slow
def test_a_transaction_writes_to_a_file_that_is_thrown_away(flows):
    more = "input: {order: 7}\nanswers: [{call: python, real: true}]\nexpect: {output: 7}\n"
    assert told(flows, f"{more}crash: before-each-append", "counted") == []
    assert not list(flows[0].glob("*.db"))


def test_a_step_that_nobody_foresaw_and_one_that_cannot_be_real_are_said(flows):
    ((code, message),) = told(flows, "expect: {}")
    assert (code, message) == ("E7087", "no answer was foreseen for task `charge` (`python`)")
    more = "answers: [{task: charge, output: c}, {call: workflow, real: true}]\n"
    happens = "happens: [{at: PT2H, signal: parcel, data: post}]\n"
    ((code, message),) = told(flows, f"{more}{happens}expect: {{}}")
    assert (code, message) == ("E6004", "`inner` calls `workflow`, which no test makes in earnest")


@pytest.mark.parametrize(
    ("more", "name", "code"),
    [
        ("expect: {notRan: [chrage]}", "place", "E7074"),
        ("expect: {}", "plaice", "E7070"),
        ("answers: [{task: charge, real: false}]\nexpect: {}", "place", "E7073"),
        ("answers: [{task: charge, real: true, output: 1}]\nexpect: {}", "place", "E7073"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(flows, more, name, code):
    with pytest.raises(Refusal) as refusal:
        told(flows, more, name)
    (problem,) = refusal.value.problems
    assert (problem.code, problem.at.file.rpartition("/")[2]) == (code, "flow.test.yaml")


def test_an_input_that_does_not_fit_ends_the_run(flows):
    ((code, message),) = told(flows, "input: {order: 7}\nexpect: {}")
    assert code == "E7080"
    assert "faulted" in message


def test_two_modules_of_one_name_are_not_taken_for_each_other(flows):
    folder, module = flows
    (folder / "other").mkdir()
    (folder / "other" / f"{module}.py").write_text(textwrap.dedent(FLOWS))
    told(flows, "expect: {}")
    with pytest.raises(Refusal) as refusal:
        play(folder, TESTS.format(module=f"other/{module}", name="place") + "    expect: {}")
    assert [problem.code for problem in refusal.value.problems] == ["E6008"]
    forget(folder / "other")


def test_a_package_is_imported_from_above_it(tmp_path):
    (tmp_path / "shop_of_tests").mkdir()
    (tmp_path / "shop_of_tests" / "__init__.py").write_text("")
    (tmp_path / "shop_of_tests" / "flows.py").write_text(textwrap.dedent(FLOWS))
    tests = "workflow: shop_of_tests/flows.py:inner\ninput: {order: 1}\n"
    tests += "tests: [{name: t, answers: [{task: ship, real: true}], expect: {output: away}}]"
    assert play(tmp_path, tests) == {"t": []}
    forget(tmp_path)


def test_a_workflow_of_a_stack_may_be_in_python(flows):
    folder, module = flows
    (folder / "stack.yaml").write_text(f"stack: s\nworkflows: {{inner: {{python: '{module}.py:inner'}}}}\n")
    tests = "workflow: stack.yaml#inner\ninput: {order: 1}\n"
    tests += "tests: [{name: t, answers: [{task: ship, output: x}], expect: {output: x}}]"
    assert play(folder, tests) == {"t": []}
